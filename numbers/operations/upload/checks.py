"""What is wrong with the settings of an upload, before anything leaves the house.

Microsoft refuses the same (upstreams.md §9.3), but only after the SBC was written, and for a whole job at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...capabilities import CALLING_USER, LABELS, USAGES, usages_of
from ...countries import same_country
from ...models import Customer
from ..relocate import INVALID
from .known import Known
from .settings import Settings

ACTIVE = "active"
UNKNOWN_CUSTOMER = gettext_lazy("There is no such customer among those to whom you may upload numbers.")


@dataclass(frozen=True)
class Objection:
    """Why nothing can be uploaded with some settings. `field` is the one of Settings to correct, "" for none."""

    field: str
    code: str
    sentence: str


def objections(settings: Settings, known: Known) -> list[Objection]:
    """Everything that is wrong with the settings, the most telling first; [] where they are fine."""
    customer = known.customers.get(settings.customer)
    if customer is None:
        return [Objection("customer", "unknown_customer", str(UNKNOWN_CUSTOMER))]
    return [
        *_consent(customer),
        *_profile(settings, known, customer),
        *_usages(settings, known, customer),
        *_capabilities(settings, known, customer),
        *_place(settings, known, customer),
        *_displayed_country(settings, customer),
    ]


def _consent(customer: Customer) -> Iterator[Objection]:
    """upstreams.md §9.7 F12."""
    status = customer.consent_status
    if status.lower() == ACTIVE:
        return
    sentence = _("The consent of %(customer)s is “%(status)s”: numbers can be uploaded only while it is active.")
    if not status:
        sentence = _("Microsoft has not told of a consent of %(customer)s yet. Synchronise this customer first.")
    yield Objection("", "consent_not_active", sentence % {"customer": customer, "status": status})


def _profile(settings: Settings, known: Known, customer: Customer) -> Iterator[Objection]:
    """It exists, and leads to an SBC: without a rule there the numbers could not be called (upstreams.md §1.4)."""
    profile = known.profiles.get(settings.calling_profile)
    if profile is None:
        sentence = _("There is no such calling profile. Choose one from the list.")
        yield Objection("calling_profile", "unknown_profile", sentence)
    elif profile.removed_at is not None:
        sentence = _("The calling profile %s no longer exists at Microsoft. Choose another one.") % profile
        yield Objection("calling_profile", "profile_removed", sentence)
    elif (customer.pk, profile.pk) not in known.routed:
        sentence = _(
            "No SBC is known for the calling profile %s, so calls to its numbers would be lost. Enter the SBC with its "
            "FQDN in the Django admin, then synchronise."
        )
        yield Objection("calling_profile", "no_sbc", sentence % profile)


def _usages(settings: Settings, known: Known, customer: Customer) -> Iterator[Objection]:
    """Only what Microsoft offers for this customer, each once."""
    if customer.pk in known.unsaid:
        sentence = _("It is not known what numbers of %(customer)s may be used for. %(why)s")
        words = {"customer": customer, "why": known.unsaid[customer.pk]}
        yield Objection("usage", "usages_unknown", sentence % words)
        return
    offered = known.usages[customer.pk]
    not_offered = _("Microsoft does not offer the usage %(usage)s for %(customer)s. Offered: %(offered)s.")
    words = {"customer": customer, "offered": ", ".join(offered) or _("none")}
    if settings.usage not in offered:
        yield Objection("usage", "usage_not_offered", not_offered % {"usage": settings.usage, **words})
    for usage in dict.fromkeys(settings.additional_usages):
        if usage == settings.usage:
            sentence = _("%s is the usage already. Leave it out of the additional usages.") % usage
            yield Objection("additional_usages", "additional_usage_same", sentence)
        elif usage not in offered:
            yield Objection("additional_usages", "usage_not_offered", not_offered % {"usage": usage, **words})


def _capabilities(settings: Settings, known: Known, customer: Customer) -> Iterator[Objection]:
    """The matrix of live-platform.md §5.2, and what Microsoft lets choose for the usage.

    A usage that the matrix does not have (it is older than applications of third parties) is Microsoft's to judge.
    """
    plan = known.usages.get(customer.pk, {}).get(settings.usage)
    in_matrix = any(settings.usage in usages for usages in USAGES.values())
    for word in dict.fromkeys(settings.capabilities):
        words = {"capability": LABELS.get(word, word), "usage": settings.usage}
        if in_matrix and word in USAGES and settings.usage not in USAGES[word]:
            sentence = _("“%(capability)s” goes only with numbers for %(usages)s, not with %(usage)s.")
            words["usages"] = usages_of(word)
            yield Objection("capabilities", "capability_not_for_usage", sentence % words)
        elif plan is not None and word not in (*plan.choosable_capabilities, *plan.mandatory_capabilities):
            sentence = _("“%(capability)s” cannot be chosen for the usage %(usage)s of this customer. Leave it out.")
            yield Objection("capabilities", "capability_not_choosable", sentence % words)


def _place(settings: Settings, known: Known, customer: Customer) -> Iterator[Objection]:
    """upstreams.md §5: an address of the customer's own, not a refused one; needed where the customer cannot add it."""
    if settings.location is not None and settings.civic_address is not None:
        sentence = _("Name a location or an emergency address, not both: the address follows from the location.")
        yield Objection("location", "location_and_address", sentence)
        return
    address = known.address(settings)
    if settings.location is None and settings.civic_address is None:
        if settings.usage == CALLING_USER and not settings.allow_tenant_address_update:
            sentence = _("Numbers for users need an emergency location, or the customer must be allowed to choose one.")
            yield Objection("location", "address_required", sentence)
    elif address is None:
        sentence = _("%s has no such emergency location. Choose one from the list, or synchronise this customer.")
        yield Objection("location", "unknown_location", sentence % customer)
    elif address.validation_status.lower() == INVALID:
        sentence = _("Microsoft has found the emergency address %s to be invalid. Choose another one.") % address
        yield Objection("location", "address_invalid", sentence)


def _displayed_country(settings: Settings, customer: Customer) -> Iterator[Objection]:
    """The country of toll-free numbers, which has to be one that the customer has consented to."""
    country = settings.displayed_country
    if not country:
        return
    if not (country.isascii() and country.isalpha() and len(country) == 2 and country.isupper()):
        sentence = _("“%s” is no country. Write two letters, such as US.") % country[:20]
        yield Objection("displayed_country", "unknown_country", sentence)
    elif not any(same_country(country, consented) for consented in customer.consented_countries):
        sentence = _("%(customer)s has not consented to numbers of %(country)s, only of: %(consented)s.")
        consented = ", ".join(customer.consented_countries) or _("none")
        words = {"customer": customer, "country": country, "consented": consented}
        yield Objection("displayed_country", "country_not_consented", sentence % words)
