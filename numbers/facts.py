"""Every field of a number's V3 record with a plain name, its value for reading, and what it means."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.console import html

from .models import Customer, PhoneNumber, SipConnection
from .tables import assignment_text, source_text, status_pill
from .ticks import to_time

Text = str | Promise


@dataclass(frozen=True)
class Fact:
    """One line: label, the field's name in the V3 record (empty where it has none), value, explanation."""

    label: Text
    field: str
    value: Any
    help: Text = ""


@dataclass(frozen=True)
class Group:
    """Facts under one heading."""

    title: Text
    facts: list[Fact]


def groups(number: PhoneNumber, links: list[SipConnection]) -> list[Group]:
    """All facts. `links` are the SIP connections of the number's customer and profile, with their SBC."""
    return [
        Group(gettext_lazy("Number"), _number(number)),
        Group(gettext_lazy("Use"), _use(number)),
        Group(gettext_lazy("Verification"), _verification(number)),
        Group(gettext_lazy("Customer"), _customer(number)),
        Group(gettext_lazy("Origin"), _origin(number)),
        Group(gettext_lazy("Routing"), _routing(number, links)),
    ]


def _number(number: PhoneNumber) -> list[Fact]:
    return [
        Fact(gettext_lazy("Number"), "telephoneNumber", html.number(number.e164)),
        Fact(gettext_lazy("Status"), "acquiredNumberStatus", _status(number)),
        Fact(gettext_lazy("Status since"), "", html.moment(number.status_changed_at)),
        *_kept(number),
        Fact(gettext_lazy("Country"), "isoCountryCode", _or_none(number.iso_country_code)),
        Fact(gettext_lazy("Displayed country"), "", _or_none(number.displayed_country_code)),
        Fact(gettext_lazy("Row ID"), "id", str(number.pk)),
        Fact(gettext_lazy("Note"), "", _or_none(number.note)),
        Fact(gettext_lazy("Tags"), "", _tags(number.tags)),
    ]


def _kept(number: PhoneNumber) -> list[Fact]:
    """Only where somebody has cleared a mark for removal and Microsoft has not listed the number as active since."""
    if number.removal_cleared_at is None:
        return []
    text = gettext_lazy(
        "Kept although the customer has deleted it or asked to remove it: somebody cleared the mark. It is not marked "
        "again before Microsoft has listed it as active."
    )
    return [Fact(gettext_lazy("Kept since"), "", html.moment(number.removal_cleared_at), text)]


def _use(number: PhoneNumber) -> list[Fact]:
    return [
        Fact(
            gettext_lazy("Assignment"),
            "assignmentStatus",
            assignment_text(number.assignment_status),
            gettext_lazy("Who uses the number, in the words of the Teams admin center."),
        ),
        Fact(gettext_lazy("Assigned to"), "", html.short_id(number.assignment_target_id)),
        Fact(gettext_lazy("Usage"), "", _or_none(number.usage)),
        Fact(gettext_lazy("Additional usages"), "", _tags(number.additional_usages)),
        Fact(gettext_lazy("Activation"), "", _or_none(number.activation_state)),
        Fact(gettext_lazy("Acquired capabilities"), "acquiredCapabilities", _tags(number.acquired_capabilities)),
        Fact(gettext_lazy("Available capabilities"), "availableCapabilities", _tags(number.available_capabilities)),
        Fact(gettext_lazy("Emergency address ID"), "civicAddressId", html.short_id(number.civic_address_id)),
        Fact(gettext_lazy("Emergency location ID"), "locationId", html.short_id(number.location_id)),
    ]


def _verification(number: PhoneNumber) -> list[Fact]:
    return [
        *_on_hold(number.customer),
        Fact(
            gettext_lazy("Last successful check"),
            "aslcht",
            html.moment(number.aslcht),
            gettext_lazy("When the assignment was last confirmed with Microsoft. A failed check leaves it alone."),
        ),
        Fact(
            gettext_lazy("Last assignment change"),
            "aslsct",
            html.moment(number.aslsct),
            gettext_lazy("When the assignment was last seen to differ from before."),
        ),
        Fact(gettext_lazy("Last check code"), "aslvCode", _check_code(number.aslv_code)),
        Fact(
            gettext_lazy("Check pass"),
            "asticks",
            _ticks(number.asticks),
            gettext_lazy("The start of the synchronisation that checked the number last, in ticks of 100 ns."),
        ),
    ]


def _on_hold(customer: Customer) -> list[Fact]:
    """Only where no synchronisation looks at the number."""
    if customer.sync_held_at is None:
        return []
    since = html.moment(customer.sync_held_at)
    return [Fact(gettext_lazy("Synchronisation on hold since"), "", since, customer.sync_hold_reason)]


def _customer(number: PhoneNumber) -> list[Fact]:
    customer = number.customer
    return [
        Fact(
            gettext_lazy("Customer"), "umpCustomerFullName", html.link(customer.full_name, customer.get_absolute_url())
        ),
        Fact(gettext_lazy("Name at Microsoft"), "msCompanyName", _or_none(customer.ms_company_name)),
        Fact(gettext_lazy("Tenant ID"), "tenantId", html.short_id(customer.tenant_id)),
        Fact(gettext_lazy("Service ID"), "umpCustomerGuid", html.short_id(customer.ump_customer_guid)),
        Fact(gettext_lazy("Channel"), "ovocChannelId", _or_none(str(customer.channel or ""))),
        Fact(gettext_lazy("Consented on"), "consentedOn", html.moment(customer.consented_on)),
    ]


def _origin(number: PhoneNumber) -> list[Fact]:
    return [
        Fact(
            gettext_lazy("Source"),
            "source",
            source_text(number.source),
            gettext_lazy("Empty: added outside this console (ocsync in the API). Its SBCs are never touched."),
        ),
        Fact(gettext_lazy("Created"), "whenCreated", html.moment(number.when_created)),
        Fact(gettext_lazy("Changed"), "", html.moment(number.modified_at)),
        Fact(gettext_lazy("Acquired"), "acquiredOn", html.moment(number.acquired_on)),
        Fact(gettext_lazy("Microsoft job ID"), "tnUploadJobId", html.short_id(number.tn_upload_job_id)),
        Fact(gettext_lazy("Upload job"), "uploadToAccountJobId", _or_none(number.upload_job_id)),
        Fact(gettext_lazy("Upload entry"), "uploadTelephoneNumberEntryId", _or_none(number.upload_entry_id)),
    ]


def _routing(number: PhoneNumber, links: list[SipConnection]) -> list[Fact]:
    profile = number.calling_profile
    groups = [link for link in links if link.name]
    fqdns = [f"{link.sbc.fqdn} [{link.sbc.ip_address}]" if link.sbc.ip_address else link.sbc.fqdn for link in links]
    return [
        Fact(
            gettext_lazy("Calling profile"),
            "callingProfileId",
            html.join([html.link(profile.name, profile.get_absolute_url()), html.short_id(profile.pk)])
            if profile
            else html.none(),
        ),
        Fact(
            gettext_lazy("Tenant calling profile"),
            "tenantCallingProfileId",
            _or_none(number.tenant_calling_profile_id),
            gettext_lazy("Only for services whose SIP connection is an IP group."),
        ),
        Fact(gettext_lazy("SIP connection"), "ocSipConnectionName", _or_none(", ".join(link.name for link in groups))),
        Fact(
            gettext_lazy("SIP connection description"),
            "ocSipConnectionDescription",
            _or_none(", ".join(link.description for link in groups if link.description)),
        ),
        Fact(gettext_lazy("SBCs"), "sbcList, sbcListJson", _tags([link.sbc.name for link in links])),
        Fact(gettext_lazy("SBC addresses"), "sbcListArray", _or_none(", ".join(filter(None, fqdns)))),
    ]


def _status(number: PhoneNumber) -> SafeString:
    pill = status_pill(number.status)
    return html.join([pill, number.status_reason]) if number.status_reason else pill


def _or_none(value: object) -> object:
    return html.none() if value in (None, "") else value


def _tags(words: list[str] | None) -> SafeString:
    return html.tags(words) if words else html.none()


def _check_code(code: int | None) -> object:
    words = {
        200: _("200: found, the assignment was read"),
        404: _("404: Microsoft did not know the number"),
        500: _("500: the check failed; nothing was changed"),
        None: _("never checked"),
    }
    return words.get(code, code)


def _ticks(ticks: int | None) -> SafeString:
    return html.join([str(ticks), html.moment(to_time(ticks))], " · ") if ticks is not None else html.none()
