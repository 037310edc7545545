"""The rows of a table as HTML.

The same cells that django-tables2 would draw, but what is the same for all rows of a column (its accessor, its render
function and what that wants, its class) is worked out once per page and not once per cell, and no template engine runs
per cell. Measured on 50 rows of 12 columns: 9 ms instead of 45.
"""

from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django_tables2.columns.base import BoundColumn

from .quick_tables import signature

Cell = Callable[[Any], Any]


def table_rows(table: tables.Table) -> SafeString:
    """All rows of the page (`table.page_rows`); the first cell of each is its header."""
    tick = getattr(table, "tick", None)
    columns = [(_opening(column, first=place == 0), _cell(table, column)) for place, column in enumerate(table.columns)]
    lines = []
    for row in table.page_rows:
        parts = ["<tr>", tick(row.record)] if tick else ["<tr>"]
        closing = "</th>"
        for opening, cell in columns:
            parts += (opening, conditional_escape(cell(row)), closing)
            closing = "</td>"
        lines.append("".join(parts))
    return mark_safe("</tr>\n".join(lines))  # noqa: S308  every cell is escaped


def column_class(column: BoundColumn) -> str:
    """The class of a column's cells: attrs={"td": {"class": …}}."""
    return str(column.column.attrs.get("td", {}).get("class", ""))


def _opening(column: BoundColumn, *, first: bool) -> str:
    css = column_class(column)
    shown = f' class="{escape(css)}"' if css else ""
    return f'<th scope="row"{shown}>' if first else f"<td{shown}>"


def _cell(table: tables.Table, column: BoundColumn) -> Cell:
    """A function from row to cell: the short way where the render function wants only value and record."""
    arguments, catch_all = signature(column.render)
    simple = catch_all is None and set(arguments) <= {"value", "record"} and column.link is None
    if not simple or _shows_choice(table, column):
        return lambda row: row.get_cell(column.name)
    render, default, empty = column.render, column.default, column.column.empty_values
    read = _reader(column)
    wants_value, wants_record = "value" in arguments, "record" in arguments

    def cell(row: Any) -> Any:
        value = read(row.record)
        if value in empty:
            return default
        given = {"value": value} if wants_value else {}
        if wants_record:
            given["record"] = row.record
        return render(**given)

    return cell


def _reader(column: BoundColumn) -> Cell:
    """A function from record to the value of the column's accessor; None where the path ends early."""
    path = column.accessor.bits

    def read(record: Any) -> Any:
        value = record
        for name in path:
            value = getattr(value, name, None)
            if callable(value):
                value = None if getattr(value, "alters_data", False) else value()
            if value is None:
                return None
        return value

    return read


def _shows_choice(table: tables.Table, column: BoundColumn) -> bool:
    """Whether django-tables2 would show a label instead of the value, and the column's function wants that."""
    arguments, _catch_all = signature(column.render)
    if "value" not in arguments:
        return False
    field = column.accessor.get_field(table.data.model) if table.data.model else None
    return bool(getattr(field, "choices", None))
