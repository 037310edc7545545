"""The base of every table: a dash for what is empty, and nothing that is worked out per cell."""

from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.utils.functional import lazy
from django.utils.safestring import SafeString

from . import html


class ListTable(tables.Table):
    """A table of a list. The first column names the row."""

    tick: Callable[[Any], SafeString] | None = None  # draws the box that selects a row, where rows can be selected

    @property
    def selectable(self) -> bool:
        """Whether rows can be selected for an action."""
        return self.tick is not None

    class Meta:
        default = lazy(html.none, SafeString)()
        orderable = True
