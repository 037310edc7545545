"""What the filter form of every list can do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

OPTION_LIMIT = 100  # a select with more options is slow to render and useless to people: use a text field


@dataclass(frozen=True)
class Chosen:
    """One active filter in words, with the parameters that have to go to switch it off."""

    label: str
    value: str
    parameters: tuple[str, ...]


class ListFilterSet(django_filters.FilterSet):
    """A FilterSet whose malformed values list nothing: a filter that is quietly ignored shows rows nobody asked for.

    `primary` names the filters that stand in the bar; the others are behind "More filters".
    """

    primary: tuple[str, ...] = ()

    @property
    def qs(self) -> Any:
        """The filtered rows; no rows while a value is malformed."""
        return super().qs if self.is_valid() else self.queryset.none()

    def main_fields(self) -> list[forms.BoundField]:
        """Fields of the bar."""
        fields = {field.name: field for field in self._fields()}
        return [fields[name] for name in self.primary or fields if name in fields]

    def more_fields(self) -> list[forms.BoundField]:
        """Fields behind "More filters"."""
        return [field for field in self._fields() if self.primary and field.name not in self.primary]

    @property
    def more_open(self) -> bool:
        """Whether one of the hidden fields is in use, so that nothing filters out of sight."""
        return any(self.parameters(field.name) & self.data.keys() for field in self.more_fields())

    def parameters(self, name: str) -> set[str]:
        """The names of the URL parameters of a filter (a range has two)."""
        widget = self.form.fields[name].widget
        suffixes = getattr(widget, "suffixes", None)
        return {f"{name}_{suffix}" for suffix in suffixes} if suffixes else {name}

    def chosen(self) -> list[Chosen]:
        """The active filters in words, malformed ones too: they can be taken away like any other."""
        return list(self._chosen())

    def all_parameters(self) -> list[str]:
        """The URL parameters of all filters."""
        return sorted(parameter for name in self.form.fields for parameter in self.parameters(name))

    def _fields(self) -> list[forms.BoundField]:
        fields = [self.form[name] for name in self.form.fields]
        for bound in fields:
            if bound.errors:
                bound.field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{bound.id_for_label}-error"}
        return [bound for bound in fields if not bound.is_hidden]

    def _chosen(self) -> Iterator[Chosen]:
        for name, field in self.form.fields.items():
            parameters = self.parameters(name)
            values = [value for parameter in sorted(parameters) for value in self._given(parameter)]
            if values:
                yield Chosen(str(field.label), self.describe(name, values), tuple(sorted(parameters)))

    def _given(self, parameter: str) -> list[str]:
        data = self.data
        values = data.getlist(parameter) if isinstance(data, QueryDict) else [data.get(parameter)]
        return [str(value).strip() for value in values if value not in (None, "") and str(value).strip()]

    def describe(self, name: str, values: list[str]) -> str:
        """The values of one filter in words: labels of choices, a from–to for a range."""
        field = self.form.fields[name]
        if isinstance(field, django_filters.fields.RangeField):
            after, before = (self.data.get(f"{name}_{suffix}") for suffix in field.widget.suffixes)
            if after and before:
                return _("%(first)s to %(last)s") % {"first": after, "last": before}
            return _("from %s") % after if after else _("to %s") % before
        labels = {str(key): str(label) for key, label in getattr(field, "choices", None) or ()}
        return ", ".join(labels.get(value, value)[:80] for value in values)
