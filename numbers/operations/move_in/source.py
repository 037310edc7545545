"""Where the records come from: a file of V3 JSON, or the interface itself, walked page by page."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from ...microsoft import entra, http
from ...microsoft.errors import Asked, BadAnswer

PAGE_SIZE = 200


class MoveInRefused(Exception):
    """Nothing was loaded. The text says what was wrong, where, and what to do."""


def from_file(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file: a page as get-numbers-v3.txt describes it, or a bare list (V2).

    Raises MoveInRefused for a file that is missing, cut off, no JSON, or something else.
    """
    try:
        body = json.loads(path.read_bytes())
    except OSError as error:
        raise MoveInRefused(
            _("%(path)s cannot be read: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from None
    except (ValueError, RecursionError) as error:
        text = _("%(path)s is not whole JSON (%(reason)s). It may be cut off: save it again and repeat the command.")
        raise MoveInRefused(text % {"path": path, "reason": error}) from None
    records = body.get("data") if isinstance(body, dict) else body
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        text = _("%(path)s holds no list of numbers: expected a page with “data”, or a list of objects.")
        raise MoveInRefused(text % {"path": path})
    total = body.get("totalRecords") if isinstance(body, dict) else None
    if isinstance(total, int) and total != len(records):
        text = _(
            "%(path)s is one page of several: it holds %(n)d of %(total)d numbers. Load it by its address instead."
        )
        if total < len(records):
            text = _("%(path)s announces %(total)d numbers and holds %(n)d. Save it again and repeat the command.")
        raise MoveInRefused(text % {"path": path, "n": len(records), "total": total})
    yield from records


def renewing_token(url: str, client_id: str, client_secret: str, scope: str) -> Callable[[], str]:
    """A function that gives a bearer token of the token endpoint `url`, a new one before the old one ends."""
    asked = Asked(_("the other platform"), _("a token"))
    tokens: list[entra.Token] = []

    def current() -> str:
        if not tokens or time.monotonic() >= tokens[-1].renew_at:
            tokens[:] = [entra.fetch(url, client_id, client_secret, scope, asked)]
        return tokens[0].text

    return current


def from_url(url: str, get_token: Callable[[], str], progress: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    """The records of all pages of a V3 interface at `url`, asked for with a bearer token.

    `progress(read, total)` is called after each page. Raises the errors of numbers/microsoft/errors.py.
    """
    asked = Asked(_("the other platform"), _("its numbers"))
    page, pages, total, read = 1, 1, 0, 0
    while page <= pages:
        params = {"pageNumber": str(page), "pageSize": str(PAGE_SIZE)}
        answer = http.check(http.send("GET", url, asked=asked, token=get_token(), params=params), asked)
        body = answer.json(asked)
        records, last, announced = body.get("data"), body.get("totalPages"), body.get("totalRecords")
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise BadAnswer(asked, _("a list of objects called “data” was expected"), **answer.ids)
        if not isinstance(last, int) or not isinstance(announced, int) or body.get("currentPage") != page:
            raise BadAnswer(asked, _("it does not say which page of how many it is"), **answer.ids)
        pages, total = last, announced
        yield from records
        read += len(records)
        progress(read, total)
        page += 1
    if read != total:
        raise BadAnswer(asked, _("it announced %(total)d numbers and sent %(n)d") % {"total": total, "n": read})
