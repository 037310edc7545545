"""Small pieces of HTML that tables and templates share. Plain functions, because a list calls them a thousand times."""

import datetime
import re
import uuid
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


@lru_cache(maxsize=8192)
def reading_form(e164: str) -> str:
    """ "+44 20 7946 0958" for "+442079460958"; any other text, and what the library cannot read, as it came."""
    if not _E164.fullmatch(e164):  # the library would drop the letters of a damaged number
        return e164
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def none(text: str = "") -> SafeString:
    """A dash for the eye and a word for a screen reader ("none" unless `text` says more)."""
    return _none(text, get_language())


@lru_cache(maxsize=256)
def _none(text: str, _language: str | None) -> SafeString:
    return format_html(
        '<span class="none"><span aria-hidden="true">–</span><span class="sr">{}</span></span>', text or _("none")
    )


def copy_button(value: object) -> SafeString:
    """A button that copies `value`; static/console.js does the copying, and without scripts it is not shown."""
    return _copy_button(str(value), get_language())


@lru_cache(maxsize=4096)
def _copy_button(value: str, _language: str | None) -> SafeString:
    label = _("Copy %s") % value
    return format_html('<button type="button" class="copy" data-copy="{}" aria-label="{}"></button>', value, label)


def number(e164: str, url: str = "") -> SafeString:
    """The number for reading, linked where a URL is given, with a button that copies E.164."""
    shown = format_html('<a href="{}">{}</a>', url, reading_form(e164)) if url else reading_form(e164)
    return format_html('<span class="number">{}{}</span>', shown, copy_button(e164))


def short_id(value: uuid.UUID | str | None, url: str = "") -> SafeString:
    """The first block of a GUID, the whole of it in the title and on the copy button; a dash for None."""
    return _short_id(str(value), url, get_language()) if value else none()


@lru_cache(maxsize=4096)
def _short_id(text: str, url: str, _language: str | None) -> SafeString:
    shown = format_html('<span class="id" title="{}">{}…</span>', text, text[:8])
    if url:
        shown = format_html('<a href="{}">{}</a>', url, shown)
    return format_html("{}{}", shown, copy_button(text))


def tick(key: str, label: str) -> SafeString:
    """The cell with the box that selects a row for the form #act; `label` names the row to a screen reader."""
    return format_html(
        '<td class="tick"><input type="checkbox" name="row" value="{}" form="act" aria-label="{}"></td>',
        key,
        _("Select %s") % label,
    )


def pill(text: object, tone: str = "") -> SafeString:
    """A status word with a dot. Tones: green, blue, amber, red, violet, or none for grey."""
    return (
        format_html('<span class="pill {}">{}</span>', tone, text)
        if tone
        else format_html('<span class="pill">{}</span>', text)
    )


def moment(value: datetime.datetime | None, pattern: str = "j M Y, H:i") -> SafeString:
    """A time in the person's zone, the exact UTC in its title; a dash for None."""
    if value is None:
        return none()
    utc = value.astimezone(datetime.UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.isoformat(),
        utc.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip("."),
        date_format(timezone.localtime(value), pattern),
    )


def link(text: object, url: str) -> SafeString:
    """A link; a dash where there is no text."""
    return format_html('<a href="{}">{}</a>', url, text) if text else none()


def clipped(text: object, title: str) -> SafeString:
    """A long text cut at the width of its column; the whole of it in the title."""
    return format_html('<span class="clip" title="{}">{}</span>', title, text)


def join(parts: Iterable[str], separator: str = " ") -> SafeString:
    """The parts one after another, each escaped unless it is HTML already."""
    return mark_safe(separator.join(conditional_escape(part) for part in parts))  # noqa: S308  each part is escaped


def tags(words: list[str]) -> SafeString:
    """Words as small labels."""
    return join([format_html('<span class="tag">{}</span>', word) for word in words])
