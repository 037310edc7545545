"""The filters of the drift report."""

import re
from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ocadmin.access.request import Request
from ocadmin.console.filters import ListFilterSet
from sbc.models import SBC

from . import choices as available
from .filters import NONE, WordFilter
from .models import Customer, DriftFinding, Kind, Severity


def named_sbcs(request: Request | None) -> QuerySet[SBC]:
    """The SBCs that the findings which this person may see are about."""
    if request is None:
        return SBC.objects.none()
    return SBC.objects.filter(pk__in=DriftFinding.objects.current().visible_to(request.principal).values("sbc"))


class DriftFilter(ListFilterSet):
    """?q=2079&kind=no_routing&severity=3&sbc=11&customer=12&new=yes."""

    q = django_filters.CharFilter(
        label=_("Number"),
        method="search",
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": _("Any part of it")}),
    )
    kind = WordFilter(label=_("Kind"), choices=Kind.choices)
    severity = WordFilter(
        label=_("Severity"),
        choices=[(str(value), label) for value, label in reversed(Severity.choices)],
        aliases={severity.name.lower(): str(severity.value) for severity in Severity},
    )
    sbc = django_filters.ModelChoiceFilter(label=_("SBC"), queryset=named_sbcs, empty_label=_("All"))
    customer = django_filters.CharFilter(label=_("Customer"), method="by_customer", max_length=100)
    new = WordFilter(label=_("Found"), method="by_news", choices=[("yes", _("New since the last run"))])

    class Meta:
        model = DriftFinding
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """A part of the number, however it is grouped."""
        digits = re.sub(r"[\s()./-]", "", value)
        return rows.filter(e164__startswith=digits) if digits.startswith("+") else rows.filter(e164__contains=digits)

    def by_customer(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Row id, tenant id or a part of the name; "none" finds what is nobody's."""
        if value == NONE:
            return rows.filter(customer=None)
        return rows.filter(customer__in=self._customers)

    def by_news(self, rows: QuerySet[Any], _name: str, _value: str) -> QuerySet[Any]:
        """Those that the last run found for the first time."""
        return rows.filter(Q(first_run=F("run_id")))

    def describe(self, name: str, values: list[str]) -> str:
        """The customer by name where it is one."""
        if name != "customer" or values == [NONE]:
            return super().describe(name, values)
        names = list(self._customers.values_list("full_name", flat=True)[:2])
        return names[0] if len(names) == 1 else values[0][:80]

    @cached_property
    def _customers(self) -> QuerySet[Customer]:
        asked = self.data.get("customer", "").strip()[:100].replace("\x00", "")
        return Customer.objects.visible_to(self.request.principal).filter(available.named(asked, "tenant_id"))
