"""What has to be said before an upload can be planned: the settings of the numbers, and the numbers themselves.

What is offered is a help; what counts is what operations/upload/checks.py says, so that a program and a file are told
the same.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from .action_forms_location import location_groups
from .capabilities import CALLS, LABELS, USAGES, usages_of
from .forms import PasteForm
from .microsoft.errors import MicrosoftError
from .microsoft.records import UsagePlan
from .models import CallingProfile, CivicAddress, Customer, Location, PhoneNumber, SipConnection
from .operations.relocate import INVALID
from .operations.upload import Settings
from .operations.upload.checks import objections
from .operations.upload.known import Known, load, name_of
from .operations.upload.known import usages_of as offered_to

Options = list[tuple[str, Any]]


class _Choice(forms.ChoiceField):
    """Offers some words and takes others as well: the checks say what is wrong with them."""

    def valid_value(self, value: Any) -> bool:
        """Everything, for now."""
        return True


class _Choices(forms.MultipleChoiceField):
    """The same for several words."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: Any) -> bool:
        """Everything, for now."""
        return True


class SettingsForm(forms.Form):
    """?calling_profile=<GUID>&usage=…&additional_usages=…&capabilities=…&location=<GUID of a location or address>."""

    calling_profile = _Choice(
        label=gettext_lazy("Calling profile"),
        error_messages={"required": gettext_lazy("Choose how calls of these numbers are carried.")},
    )
    usage = _Choice(
        label=gettext_lazy("Usage"),
        error_messages={"required": gettext_lazy("Choose what these numbers will be used for.")},
    )
    additional_usages = _Choices(label=gettext_lazy("Additional usages"), required=False)
    capabilities = _Choices(label=gettext_lazy("Capabilities"), required=False)
    location = _Choice(label=gettext_lazy("Emergency location"), required=False)
    allow_tenant_address_update = forms.BooleanField(
        label=gettext_lazy("The customer may choose and change the emergency address"), required=False
    )
    displayed_country = forms.CharField(
        label=gettext_lazy("Displayed country"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "US"}),
        help_text=gettext_lazy("For toll-free numbers: two letters. North American ones need it."),
    )

    def __init__(self, data: Any = None, *, customer: Customer, by: Principal, initial: Any = None) -> None:
        super().__init__(data, initial={"capabilities": [*CALLS]} | (initial or {}))
        self.customer = customer
        self.by = by
        self.settings: Settings | None = None
        self.known: Known | None = None
        self._offer("calling_profile", [("", _("Choose…")), *_profiles(customer, by)])
        self._offer("location", [("", _("None")), *_locations(customer)])
        try:
            plans = list(offered_to(customer).values())
        except MicrosoftError as error:
            plans = []
            self.fields["usage"].help_text = error.message
        self._offer("usage", [("", _("Choose…")), *((plan.usage, name_of(plan)) for plan in plans)])
        self._offer("additional_usages", [(plan.usage, name_of(plan)) for plan in plans])
        self._offer("capabilities", _capabilities(plans))

    def clean(self) -> None:
        """All that is wrong with the settings, each at its field with its own code."""
        super().clean()
        if not SettingsForm.base_fields.keys().isdisjoint(self.errors):
            return
        given = self.cleaned_data
        profile, place = _guid(given["calling_profile"]), _guid(given["location"])
        address = CivicAddress.objects.filter(pk=place).first() if place else None
        self.settings = Settings(
            customer=self.customer.pk,
            calling_profile=profile or uuid.UUID(int=0),
            usage=given["usage"],
            additional_usages=tuple(given["additional_usages"]),
            capabilities=tuple(given["capabilities"]),
            location=None if address is not None or not given["location"] else place or uuid.UUID(int=0),
            civic_address=address.pk if address is not None else None,
            allow_tenant_address_update=given["allow_tenant_address_update"],
            displayed_country=given["displayed_country"].strip().upper(),
        )
        self.known = load([self.settings], self.by)
        for one in objections(self.settings, self.known):
            field = one.field if one.field in self.fields else None
            self.add_error(field, forms.ValidationError(one.sentence, code=one.code))

    def _offer(self, name: str, options: Options) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker: declared above
        field.choices = options


class UploadForm(SettingsForm, PasteForm):
    """The settings and the numbers: one, a list, ranges."""

    field_order = ("numbers",)

    def clean(self) -> None:
        """At least one number, or something that was meant to be one."""
        super().clean()
        reading = self.cleaned_data.get("numbers")
        if reading is not None and not (reading.numbers or reading.problems):
            self.add_error("numbers", forms.ValidationError(_("Name at least one number."), code="no_numbers"))


def _guid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _profiles(customer: Customer, by: Principal) -> Options:
    """The profiles that this customer has; others where it has none, or to people of the whole system."""
    linked = SipConnection.objects.filter(customer=customer, calling_profile=OuterRef("pk"))
    used = PhoneNumber.objects.filter(customer=customer, calling_profile=OuterRef("pk"))
    profiles = CallingProfile.objects.filter(removed_at=None).annotate(theirs=Exists(linked) | Exists(used))
    rows = list(profiles.order_by("name"))
    theirs = [(str(row.pk), row.name) for row in rows if row.theirs]
    others = [(str(row.pk), row.name) for row in rows if not row.theirs]
    if not theirs or not others:
        return theirs or others
    if not by.can_everywhere(Permission.UPLOAD):
        return theirs
    return [(_("This customer's"), theirs), (_("Others"), others)]


def _locations(customer: Customer) -> Options:
    """Usable locations below their addresses, and addresses without any."""
    usable = CivicAddress.objects.filter(customer=customer, removed_at=None).exclude(validation_status__iexact=INVALID)
    places = Location.objects.filter(removed_at=None, civic_address__in=usable)
    order = ("civic_address__country", "civic_address__city", "civic_address_id", "-is_default")
    rows = list(places.select_related("civic_address__customer").order_by(*order))
    bare = usable.exclude(pk__in={row.civic_address_id for row in rows})
    options: Options = list(location_groups(rows, several=False))
    return options + [(str(address.pk), address.one_line) for address in bare]


def _capabilities(plans: Sequence[UsagePlan]) -> Options:
    """What some usage of the customer lets choose, each with the usages it goes with (live-platform.md §5.2)."""
    offered = dict.fromkeys(word for plan in plans for word in plan.choosable_capabilities)
    words = _("%(capability)s, for %(usages)s")
    return [
        (word, words % {"capability": LABELS[word], "usages": usages_of(word)} if word in USAGES else word)
        for word in offered
    ]
