"""The base of every table: a dash for what is empty, and nothing that is worked out per cell."""

import django_tables2 as tables
from django.utils.functional import lazy
from django.utils.safestring import SafeString

from . import html


class ListTable(tables.Table):
    """A table of a list. The first column names the row."""

    class Meta:
        default = lazy(html.none, SafeString)()
        orderable = True
