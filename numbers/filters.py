"""Filters of the number lists."""

import uuid
from datetime import date, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.console.fields import DayField, WordField, midnight
from ocadmin.console.filters import OPTION_LIMIT, ListFilterSet

from . import choices as available
from . import search
from .assignment import Assignment
from .capabilities import holds
from .lifecycle import Source, Status

NONE = "none"
OTHER = "other"
CAPABILITIES = (  # live-platform.md §5.3
    "InboundCalling",
    "OutboundCalling",
    "Mobile",
    "OCMobile",
    "Geographic",
    "TollFree",
    "Office365",
    "SharedCalling",
    "UserAssignment",
    "FirstPartyAppAssignment",
    "ConferenceAssignment",
)
_GUID = r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"


class WordFilter(django_filters.Filter):
    """A filter with a WordField."""

    field_class = WordField


class DayFilter(django_filters.Filter):
    """A filter with a DayField."""

    field_class = DayField


def _text(label: Any, *, maximum: int = 100, **attrs: Any) -> dict[str, Any]:
    return {"label": label, "max_length": maximum, "widget": forms.TextInput(attrs={"autocomplete": "off", **attrs})}


class _DaysInOrder(forms.Form):
    """The form of the filters: of two days that belong together the last is not before the first."""

    def clean(self) -> None:
        """Says so at the later field; without it the list would be empty without a word."""
        super().clean()
        for name in [name for name in self.fields if name.endswith("_before")]:
            begin = name.removesuffix("before") + "after"
            first, last = self.cleaned_data.get(begin), self.cleaned_data.get(name)
            if first and last and last < first:
                words = {"first": self.fields[begin].label}
                self.add_error(name, _("This day is before the day of “%(first)s”.") % words)


class _Scoped(ListFilterSet):
    """What the tabs have in common: search, customer, profile and country, within the person's scope."""

    class Meta:
        form = _DaysInOrder

    q = django_filters.CharFilter(
        method="filter_search",
        **_text(
            gettext_lazy("Number or customer"), type="search", wide=True, placeholder=gettext_lazy("Any part of it")
        ),
    )
    customer = django_filters.CharFilter(method="filter_customer", **_text(gettext_lazy("Customer")))
    country = django_filters.CharFilter(
        method="filter_country", **_text(gettext_lazy("Country"), maximum=8, placeholder=gettext_lazy("For example GB"))
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = available.load(
            self.request.principal,
            customer=self._word("customer"),
            profile=self._word("profile") if "profile" in self.base_filters else "",
            search=self._word("q"),
            words="assignment" in self.base_filters,
        )

    def _word(self, name: str) -> str:
        """A parameter, as far as it may be looked up."""
        return self.data.get(name, "").strip()[:100].replace("\x00", "")

    @property
    def form(self) -> forms.Form:
        """The form, with what may be chosen."""
        first = not hasattr(self, "_form")
        form = super().form
        if first:
            self._offer(form, "customer", self.choices.customers, self.choices.customer)
            if "profile" in form.fields:
                self._offer(form, "profile", self.choices.profiles, self.choices.profile)
            if "assignment" in form.fields:
                field = form.fields["assignment"]
                field.choices = [*field.choices, *((word, word) for word in self.choices.words[:20])]
        return form

    def _offer(
        self, form: forms.Form, name: str, options: list[tuple[str, str]], match: available.Matches[Any]
    ) -> None:
        """A select up to OPTION_LIMIT; beyond that a text field, which finds by a part of the name."""
        field = form.fields[name]
        given = self._word(name)
        if given and not match.ids:
            field.validators.append(_no_such(name))
        if len(options) > OPTION_LIMIT:
            field.widget.attrs |= {"placeholder": _("Part of the name")}
            return
        chosen = [(given, given)] if given else []
        if given and len(match.ids) == 1:  # by row id, GUID or a part of its name: the select shows it all the same
            chosen = [(given, match.names[0])]
        offered = [option for option in options if not chosen or option[1] != chosen[0][1]] + chosen
        offered.sort(key=lambda option: option[1].casefold())
        field.widget = forms.Select(choices=[("", _("All")), *offered], attrs={"id": f"id_{name}"})

    def describe(self, name: str, values: list[str]) -> str:
        """Names instead of ids."""
        match = getattr(self.choices, name, None)
        if isinstance(match, available.Matches) and len(match.names) == 1:
            return match.names[0]
        return super().describe(name, values)

    def filter_search(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Any fragment of the number or of the customer's name."""
        match = self.choices.search
        if match.too_many:
            return rows.filter(search.matches(value, []) | Q(customer__full_name__icontains=value))
        return rows.filter(search.matches(value, match.ids))

    def filter_customer(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """By row id, tenant GUID, or a part of the name."""
        match = self.choices.customer
        if match.too_many:
            return rows.filter(customer__full_name__icontains=value)
        return rows.filter(customer_id__in=match.ids)

    def filter_country(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """By ISO code; "none" finds the empty ones."""
        return rows.filter(iso_country_code="" if value.lower() == NONE else value.upper())


class ApprovalFilter(_Scoped):
    """Filters of the approvals inbox: all that numbers have, but for the status, which is given."""

    assignment = WordFilter(
        method="filter_assignment",
        label=gettext_lazy("Assignment"),
        choices=[*Assignment.choices, (NONE, gettext_lazy("Not known")), (OTHER, gettext_lazy("Other words"))],
        aliases={word.lower(): word for word in Assignment.values},
        other=r"[\w .-]{1,64}",
    )
    profile = django_filters.CharFilter(method="filter_profile", **_text(gettext_lazy("Calling profile")))
    source = WordFilter(
        method="filter_source",
        label=gettext_lazy("Source"),
        choices=[(Source.WEB_API.value, "webapi"), (Source.WEB_UI.value, "webui"), (NONE, gettext_lazy("Empty"))],
        aliases={"ocsync": NONE, "empty": NONE, "external": NONE},
    )
    capability = WordFilter(
        method="filter_capability",
        label=gettext_lazy("Capability"),
        choices=[(word, word) for word in CAPABILITIES],
        other=r"[A-Za-z0-9_]{1,64}",
    )
    address = WordFilter(
        method="filter_address",
        label=gettext_lazy("Emergency address"),
        choices=[("yes", gettext_lazy("Has one")), ("no", gettext_lazy("Has none"))],
        other=_GUID,
    )
    location = django_filters.UUIDFilter(
        field_name="location_id", label=gettext_lazy("Location"), widget=forms.HiddenInput()
    )
    acquired_after = DayFilter(method="filter_after", label=gettext_lazy("Acquired from"))
    acquired_before = DayFilter(method="filter_before", label=gettext_lazy("Acquired to"))

    primary: tuple[str, ...] = ("q", "customer", "country", "assignment")

    def filter_assignment(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """A word; "none" finds those of which nothing is known, "other" the words that we do not know."""
        if value == NONE:
            return rows.filter(assignment_status=None)
        if value == OTHER:
            return rows.filter(available.unknown_words())
        return rows.filter(assignment_status=value)

    def filter_profile(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """By GUID or a part of the name."""
        match = self.choices.profile
        if match.too_many:
            return rows.filter(calling_profile__name__icontains=value)
        return rows.filter(calling_profile_id__in=match.ids)

    def filter_source(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """webapi, webui, or the empty value."""
        return rows.filter(source="" if value == NONE else value)

    def filter_capability(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Numbers that have acquired the capability."""
        return rows.filter(holds("acquired_capabilities", value))

    def filter_address(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """yes, no, or the GUID of one address."""
        if value in ("yes", "no"):
            return rows.filter(civic_address__isnull=value == "no")
        return rows.filter(civic_address_id=uuid.UUID(value))

    def filter_after(self, rows: QuerySet[Any], _name: str, value: date) -> QuerySet[Any]:
        """Acquired on that day or later, in the person's time zone."""
        return rows.filter(acquired_on__gte=midnight(value))

    def filter_before(self, rows: QuerySet[Any], _name: str, value: date) -> QuerySet[Any]:
        """Acquired on that day or earlier."""
        return rows.filter(acquired_on__lt=midnight(value + timedelta(days=1)))


class NumberFilter(ApprovalFilter):
    """Filters of the tabs All and Emergency Address."""

    status = WordFilter(
        field_name="status",
        label=gettext_lazy("Status"),
        choices=[(str(status.value), status.label) for status in Status],
        aliases={"all": ""}
        | {
            status.name.lower().replace("_", sep): str(status.value) for status in Status for sep in ("", "-", "_", " ")
        },
    )

    primary = ("q", "status", "customer", "country", "assignment")


class ReleasedFilter(_Scoped):
    """Filters of the tab Released."""

    released_after = DayFilter(method="filter_after", label=gettext_lazy("Released from"))
    released_before = DayFilter(method="filter_before", label=gettext_lazy("Released to"))

    def filter_after(self, rows: QuerySet[Any], _name: str, value: date) -> QuerySet[Any]:
        """Released on that day or later."""
        return rows.filter(released_at__gte=midnight(value))

    def filter_before(self, rows: QuerySet[Any], _name: str, value: date) -> QuerySet[Any]:
        """Released on that day or earlier."""
        return rows.filter(released_at__lt=midnight(value + timedelta(days=1)))


def _no_such(name: str) -> Any:
    sentences = {
        "customer": gettext_lazy("No customer of yours has this name, tenant ID or row number."),
        "profile": gettext_lazy("No calling profile that you may see has this name or ID."),
    }

    def refuse(_value: str) -> None:
        raise forms.ValidationError(sentences[name])

    return refuse
