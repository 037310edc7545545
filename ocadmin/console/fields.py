"""Form fields that filters of several lists use."""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FIRST_YEAR, LAST_YEAR = 1990, 2200


class WordField(forms.CharField):
    """A choice whose values may be written in other ways too, and that may accept words which are not offered.

    `aliases`: other spelling (lower case) to value. `other`: a pattern of further words to accept, for example a word
    that Microsoft has invented since. The select shows whatever is in force.
    """

    def __init__(
        self,
        *,
        choices: Iterable[tuple[str, Any]] = (),
        aliases: Mapping[str, str] | None = None,
        other: str = "",
        any_label: Any = gettext_lazy("All"),
        **kwargs: Any,
    ) -> None:
        self.aliases = dict(aliases or {})
        self.other = re.compile(other) if other else None
        self.any_label = any_label
        super().__init__(widget=forms.Select(), max_length=kwargs.pop("max_length", 64), **kwargs)
        self.choices = list(choices)

    @property
    def choices(self) -> list[tuple[str, Any]]:
        """Value and label; the empty choice is added by the select."""
        return self._choices

    @choices.setter
    def choices(self, choices: Iterable[tuple[str, Any]]) -> None:
        self._choices = list(choices)
        self.widget.choices = [("", self.any_label), *self._choices]

    def to_python(self, value: Any) -> str:
        """The value for a word in any of its spellings."""
        word = super().to_python(value) or ""
        return self.aliases.get(word.lower(), word)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What the select shows as chosen: the value, which is offered from now on even where it was not."""
        word = self.aliases.get(str(data or "").strip().lower(), str(data or "").strip())
        if word and word not in dict(self._choices):
            self.widget.choices = [*self.widget.choices, (word, word[:60])]
        return word

    def validate(self, value: str) -> None:
        """Only what is offered, or what `other` allows."""
        super().validate(value)
        if not value or value in dict(self._choices) or (self.other and self.other.fullmatch(value)):
            return
        offered = ", ".join(str(label) for _value, label in self._choices[:12])
        raise forms.ValidationError(
            _("“%(word)s” is not one of: %(offered)s.") % {"word": value[:40], "offered": offered}
        )


class DayField(forms.DateField):
    """A day, written YYYY-MM-DD, in years that make sense (others overflow in a time zone's arithmetic)."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    default_error_messages = {"invalid": gettext_lazy("Write a day as 2026-01-31.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def validate(self, value: datetime.date | None) -> None:
        """Between FIRST_YEAR and LAST_YEAR."""
        super().validate(value)
        if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise forms.ValidationError(
                _("Write a day between %(first)d and %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR}
            )


def midnight(day: datetime.date) -> datetime.datetime:
    """The start of a day in the person's time zone."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
