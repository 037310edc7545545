"""What to say for "Change emergency location": the location, whose address follows from it, and the route."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.console.filters import OPTION_LIMIT

from .action_forms_base import ActionForm
from .filters_inventory import guid_or_none, matches_address
from .models import CivicAddress, Customer, Location, PhoneNumber
from .operations.relocate import INVALID, OPERATOR, TENANT, VALIDATED

CLEAR = "clear"
YES, NO = "yes", "no"


class RelocateForm(ActionForm):
    """?location=<GUID>|clear&route=operator|tenant&may_change=yes|no; `find` narrows a long list of locations."""

    find = forms.CharField(
        label=gettext_lazy("Find an address"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        help_text=gettext_lazy("Part of the street, city, postal code or place. Show the plan to look it up."),
    )
    location = forms.ChoiceField(
        label=gettext_lazy("New location"),
        error_messages={
            "required": gettext_lazy("Choose a location, or choose to clear it."),
            "invalid_choice": gettext_lazy(
                "This location is not, or no longer, at an address of the selected numbers' customers. Choose another."
            ),
        },
    )
    route = forms.ChoiceField(
        label=gettext_lazy("Route"),
        choices=[
            (OPERATOR, gettext_lazy("Operator: a job at Microsoft")),
            (TENANT, gettext_lazy("Customer's tenant: at once, needs its connection")),
        ],
        initial=OPERATOR,
        widget=forms.RadioSelect,
    )
    may_change = forms.ChoiceField(
        label=gettext_lazy("Customer may change it"),
        required=False,
        choices=[("", gettext_lazy("Leave as it is")), (YES, gettext_lazy("Yes")), (NO, gettext_lazy("No"))],
    )

    def __init__(self, data: Any = None, *, numbers: QuerySet[PhoneNumber], by: Principal) -> None:
        if data is not None and not data.get("route"):
            data = data.copy()
            data["route"] = OPERATOR  # where no route is named, as in a link that somebody wrote
        super().__init__(data, numbers=numbers, by=by)
        self._offer()

    def clean(self) -> None:
        """The customer's tenant has no say in what the customer may do."""
        super().clean()
        if self.cleaned_data.get("route") == TENANT and self.cleaned_data.get("may_change"):
            words = _("Only the operator can change this: choose the operator's route, or leave it as it is.")
            self.add_error("may_change", words)

    def params(self) -> dict[str, Any]:
        """`location_id` is None where the location shall be cleared, the third None where it stays as it is."""
        given = self.cleaned_data
        return {
            "location_id": None if given["location"] == CLEAR else given["location"],
            "route": given["route"],
            "allow_tenant_address_update": {YES: True, NO: False}.get(given["may_change"]),
        }

    def _offer(self) -> None:
        """Fill the select; beyond OPTION_LIMIT locations with what the search finds."""
        customers = Customer.objects.visible_to(self.by, Permission.RELOCATE)
        customers = customers.filter(pk__in=self.numbers.order_by().values("customer_id"))
        places = Location.objects.filter(
            removed_at=None, civic_address__removed_at=None, civic_address__customer__in=customers.values("pk")
        ).select_related("civic_address__customer")
        words, given = self._given("find"), guid_or_none(self._given("location"))
        rows = _first(places)
        long = len(rows) > OPTION_LIMIT
        if long and words:
            rows = _first(places.filter(matches_address(words, "civic_address__", "description")))
        if not long:
            del self.fields["find"]
        elif not rows:
            self.fields["find"].validators.append(_nothing_found)
        more, rows = len(rows) > OPTION_LIMIT, rows[:OPTION_LIMIT]
        if given and all(row.pk != given for row in rows):
            rows += places.filter(pk=given)
        several = customers.count() > 1
        field = self.fields["location"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker: declared above
        field.choices = [("", _("Choose…")), (CLEAR, _("None: clear the location")), *location_groups(rows, several)]
        field.help_text = _help(several, more, bool(rows))

    def _given(self, name: str) -> str:
        return str(self.data.get(name, "")).strip()[:100].replace("\x00", "")


def _first(places: QuerySet[Location]) -> list[Location]:
    """One more than are offered, in the order in which people look for them."""
    order = ("civic_address__customer__full_name", "civic_address__country", "civic_address__city")
    rows = places.order_by(*order, "civic_address__street_name", "civic_address_id", "-is_default", "description", "pk")
    return list(rows[: OPTION_LIMIT + 1])


def location_groups(rows: list[Location], several: bool) -> list[tuple[str, list[tuple[str, str]]]]:
    """Options below their address; with the customer's name where the selection has `several`."""
    groups: dict[CivicAddress, list[tuple[str, str]]] = {}
    for row in rows:
        address = row.civic_address
        street = " ".join(filter(None, (f"{address.house_number}{address.house_number_suffix}", address.street_name)))
        groups.setdefault(address, []).append((str(row.pk), " · ".join(filter(None, (str(row), street, address.city)))))
    return [(_title(address, several), options) for address, options in groups.items()]


def _title(address: CivicAddress, several: bool) -> str:
    marks = {VALIDATED: "", INVALID: _("invalid, cannot be used")}
    mark = marks.get(address.validation_status.lower(), _("not validated"))
    return " · ".join(filter(None, (address.customer.full_name if several else "", address.one_line, mark)))


def _help(several: bool, more: bool, anything: bool) -> str:
    """What to know about the offered locations."""
    sentences = []
    if not anything:
        sentences.append(
            _("No address is known. Customers make their addresses in the Teams admin center; synchronise afterwards.")
        )
    if several:
        sentences.append(
            _("The numbers belong to several customers. A location is only for numbers of its own customer.")
        )
    if more:
        sentences.append(_("Only the first %(n)d locations are listed: find the address first.") % {"n": OPTION_LIMIT})
    return " ".join(sentences)


def _nothing_found(words: str) -> None:
    raise forms.ValidationError(
        _("No address of the selected numbers' customers has “%(words)s” in it.") % {"words": words[:40]}
    )
