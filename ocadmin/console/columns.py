"""Columns that tables of several rooms use."""

from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.html import format_html
from django.utils.safestring import SafeString

from . import html


def count_text(count: int, url: str = "") -> SafeString | str:
    """A count with separators, linked where a URL is given; a dash for zero, so that the eye finds the others."""
    if not count:
        return html.none("0")
    return format_html('<a href="{}">{}</a>', url, intcomma(count)) if url else intcomma(count)


def tags(words: list[Any]) -> SafeString:
    """Short words side by side; a dash for none."""
    return html.join([format_html('<span class="tag">{}</span>', word) for word in words]) if words else html.none()


class CountColumn(tables.Column):
    """A count, to the right. `url` makes the address of the list of exactly those out of the row."""

    def __init__(self, *args: Any, url: Callable[[Any], str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, attrs={"td": {"class": "num"}}, **kwargs)
        self.url = url

    def render(self, value: int, record: Any) -> SafeString | str:
        """The cell."""
        return count_text(value, self.url(record) if self.url else "")


class TagsColumn(tables.Column):
    """A list of short words."""

    def render(self, value: list[Any]) -> SafeString:
        """The cell."""
        return tags(value)


class MomentColumn(tables.Column):
    """A time in the person's zone."""

    def __init__(self, *args: Any, pattern: str = "j M Y, H:i", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pattern = pattern

    def render(self, value: Any) -> SafeString:
        """The cell."""
        return html.moment(value, self.pattern)


class IdColumn(tables.Column):
    """A GUID: its first block, the rest in the title and on the copy button."""

    def render(self, value: Any) -> SafeString:
        """The cell."""
        return html.short_id(value)
