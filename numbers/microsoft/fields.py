"""Reading single values out of Microsoft's records: tolerant where it is harmless, exact where it would corrupt ours.

Unknown fields are not read, unknown words are kept. Every function raises Unusable with the field's name.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

NO_GUID = uuid.UUID(int=0)
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
# What PostgreSQL cannot store, or what would garble a screen: control characters and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

Record = Mapping[str, Any]


class Unusable(ValueError):
    """A field that is missing or cannot be stored. The text names the field and what is wrong with it."""


def text(record: Record, name: str, limit: int, *, required: bool = False, cut: bool = False) -> str:
    """A text of at most `limit` characters, "" for null. With `cut` a longer one is shortened instead of refused."""
    value = record.get(name)
    if value is None or value == "":
        if required:
            raise Unusable(_("%s is missing") % name)
        return ""
    if not isinstance(value, str):
        raise Unusable(_("%s is not a text") % name)
    if _UNSTORABLE.search(value):
        raise Unusable(_("%s holds characters that cannot be stored") % name)
    if len(value) > limit:
        if not cut:
            raise Unusable(_("%(name)s is longer than %(limit)d characters") % {"name": name, "limit": limit})
        return f"{value[: limit - 1]}…"
    return value


def e164(record: Record, name: str) -> str:
    """A plus sign and 2 to 15 digits."""
    value = text(record, name, 200, required=True)
    if not _E164.fullmatch(value):
        raise Unusable(_("%(name)s “%(value)s” is not E.164") % {"name": name, "value": value[:40]})
    return value


def guid(record: Record, name: str) -> uuid.UUID | None:
    """A GUID; null, "" and the all-zero GUID are None (upstreams.md §0, 9)."""
    value = record.get(name)
    if value is None or value == "":
        return None
    try:
        found = uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise Unusable(_("%s is not a GUID") % name) from None
    return None if found == NO_GUID else found


def required_guid(record: Record, name: str) -> uuid.UUID:
    """A GUID that must be there."""
    value = guid(record, name)
    if value is None:
        raise Unusable(_("%s is missing") % name)
    return value


def moment(record: Record, name: str) -> datetime | None:
    """A time with zone (UTC where none is written), cut to microseconds: Microsoft writes seven digits.

    Null, "" and .NET's empty date (year 1) are None.
    """
    value = record.get(name)
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.year == 1:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise Unusable(_("%s is not a time") % name) from None


def country(record: Record, name: str, limit: int, *, required: bool = False) -> str:
    """An ISO country code in capitals; "UK", which Microsoft's own example has, is GB (upstreams.md §1.2)."""
    return iso(text(record, name, limit, required=required))


def iso(code: str) -> str:
    """The code in capitals, "UK" as GB."""
    code = code.strip().upper()
    return "GB" if code == "UK" else code


def words(record: Record, name: str) -> list[str] | None:
    """A list of texts, None for null."""
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Unusable(_("%s is not a list of texts") % name)
    if any(_UNSTORABLE.search(one) for one in value):
        raise Unusable(_("%s holds characters that cannot be stored") % name)
    return value


def objects(record: Record, name: str) -> list[dict[str, Any]]:
    """A list of objects, [] for null."""
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unusable(_("%s is not a list of objects") % name)
    return value


def truth(record: Record, name: str) -> bool | None:
    """True, False, or None for null."""
    value = record.get(name)
    if value is not None and not isinstance(value, bool):
        raise Unusable(_("%s is neither true nor false") % name)
    return value


def small_number(record: Record, name: str) -> int | None:
    """A whole number that fits a small column (0 to 32767), None for null."""
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 32767:
        raise Unusable(_("%s is not a small whole number") % name)
    return value


def coordinate(record: Record, name: str, limit: int) -> str:
    """A latitude or longitude as text; some interfaces write a number."""
    value = record.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)[:limit]
    return text(record, name, limit)


def storable(value: Any) -> Any:
    """A JSON value in which every text can be stored: characters that cannot be are replaced."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(key): storable(one) for key, one in value.items()}
    return value


def shown(value: str) -> str:
    """A text from a broken record, short and safe to show."""
    return storable(value)[:40]
