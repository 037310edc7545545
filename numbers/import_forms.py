"""What an import asks for: the file, what each column means, what holds for rows that do not say it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ImportForm

from ocadmin.console.filters import OPTION_LIMIT
from ocadmin.console.uploads import BoundedFileField

from .capabilities import BROUGHT
from .models import CallingProfile, Mode
from .operations.imports.shapes import COMPARED, LEFT_OUT, OFFERED, STANDING, plain
from .resources import COLUMNS, NumberResource
from .widgets import CellProblem

LEAVE_OUT, UNDECIDED = "-", ""
# Columns for which one value may hold for the whole file.
DEFAULTS = (
    "customer",
    "callingProfile",
    "usage",
    "additionalUsage",
    "capabilities",
    "locationId",
    "country",
    "ticketId",
)


class FileForm(ImportForm):
    """The file and what its rows may do. Its kind is told by its content, so nobody has to choose it."""

    import_file = BoundedFileField(label=gettext_lazy("File"))
    mode = forms.ChoiceField(
        label=gettext_lazy("What the file may do"), choices=Mode.choices, widget=forms.RadioSelect, initial=Mode.UPSERT
    )
    field_order = ("import_file", "mode")

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__([CSV, XLSX], [NumberResource], data=data, files=files)
        del self.fields["format"], self.fields["resource"]
        field = self.fields["import_file"]
        field.widget.attrs["accept"] = ".csv,.txt,.tsv,.xlsx"
        field.error_messages["required"] = gettext_lazy("Choose a file.")
        field.error_messages["empty"] = gettext_lazy("The file is empty. Choose one with a header and rows.")
        field.help_text = _("CSV or XLSX, at most %(mb)d MB and %(rows)s numbers.") % {
            "mb": settings.ENV.import_max_mb,
            "rows": intcomma(settings.ENV.import_max_rows),
        }


class MappingForm(forms.Form):
    """One column of ours for each header of the file, and values for rows that do not say them.

    `compares`: the file is of a kind that is only compared.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        headers: Sequence[str],
        mapping: Sequence[str | None],
        defaults: dict[str, str],
        mode: str,
        compares: bool = False,
    ) -> None:
        super().__init__(data)
        self.headers = headers
        said = dict.fromkeys(COMPARED, _("%s (only compared)")) | dict.fromkeys(STANDING, _("%s (only checked)"))
        offered = [(name, said.get(name, "%s") % name) for name in OFFERED]
        choices = [(UNDECIDED, _("Choose…")), (LEAVE_OUT, _("Leave out")), *offered]
        for place, header in enumerate(headers):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=header or _("Column %d, without a header") % (place + 1),
                choices=choices,
                required=bool(header),
                initial=_choice(mapping[place] if place < len(mapping) else None),
                error_messages={"required": _("Say what “%s” is, or leave it out.") % header},
            )
        for name in DEFAULTS:
            kind = {"choices": _OFFERS[name]} if name in _OFFERS else {"max_length": 200}
            field = forms.ChoiceField if name in _OFFERS else forms.CharField
            self.fields[f"default_{name}"] = field(
                label=name,
                required=False,
                initial=defaults.get(name, ""),
                help_text=str(COLUMNS[name].help_text),
                **kind,
            )
        self.fields["mode"] = forms.ChoiceField(
            label=gettext_lazy("What the file may do"),
            choices=[(Mode.COMPARE.value, Mode.COMPARE.label)] if compares else Mode.choices,
            initial=mode,
        )

    @property
    def columns(self) -> list[forms.BoundField]:
        """The fields of the headers."""
        return [self[name] for name in self.fields if name.startswith("column_")]

    @property
    def standing_in(self) -> list[forms.BoundField]:
        """The fields of the values for rows that do not say them."""
        return [self[f"default_{name}"] for name in DEFAULTS]

    def clean(self) -> None:
        """Every column once, the number among them; values that can be used."""
        super().clean()
        taken: dict[str, str] = {}
        for place, header in enumerate(self.headers):
            column = self.cleaned_data.get(f"column_{place}", "")
            if column in ("", LEAVE_OUT):
                continue
            if column in taken:
                words = {"column": column, "other": taken[column]}
                sentence = _("“%(other)s” is %(column)s already. A column can be named once.") % words
                self.add_error(f"column_{place}", forms.ValidationError(sentence, code="twice"))
            taken.setdefault(column, header)
        if "telephoneNumber" not in taken and not self.errors:
            sentence = _("Say which column holds the numbers (telephoneNumber).")
            self.add_error(None, forms.ValidationError(sentence, code="no_number_column"))
        for name in DEFAULTS:
            self._check_default(name)

    def _check_default(self, name: str) -> None:
        text = self.cleaned_data.get(f"default_{name}", "")
        if text:
            try:
                COLUMNS[name].widget.clean(text)
            except CellProblem as problem:
                self.add_error(f"default_{name}", forms.ValidationError(problem.sentence, code=problem.code))

    @property
    def mapping(self) -> list[str]:
        """Our column for each header, LEFT_OUT for those that are left out."""
        chosen = [self.cleaned_data[f"column_{place}"] for place in range(len(self.headers))]
        return [LEFT_OUT if column in ("", LEAVE_OUT) else column for column in chosen]

    @property
    def defaults(self) -> dict[str, str]:
        """The values for rows that do not say them."""
        found = {name: self.cleaned_data[f"default_{name}"] for name in DEFAULTS}
        return {name: text for name, text in found.items() if text}

    @property
    def remembered(self) -> dict[str, str]:
        """What to propose for these headers the next time."""
        return {
            plain(header): column for header, column in zip(self.headers, self.mapping, strict=True) if plain(header)
        }


def _profiles() -> list[tuple[str, str]]:
    rows = CallingProfile.objects.filter(removed_at=None).order_by("name").values_list("name", flat=True)[:OPTION_LIMIT]
    return [("", _("As the rows say")), *((name, name) for name in dict.fromkeys(rows))]


def _usages() -> list[tuple[str, str]]:
    return [("", _("As the rows say")), *((usage, usage) for usage in BROUGHT)]


_OFFERS: dict[str, Any] = {"callingProfile": _profiles, "usage": _usages}


def _choice(column: str | None) -> str:
    if column is None:
        return UNDECIDED
    return column or LEAVE_OUT
