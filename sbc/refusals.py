"""What an answer that is no success stands for: the one table from status and text to error (upstreams.md §9.6)."""

import json
import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from .errors import BadAnswer, BadCredentials, Busy, LowPrivilege, PlanMissing, Rejected, SBCError, TableFull
from .models import SBC

BUSY_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 3600.0


def refusal(sbc: SBC, status: int, headers: Mapping[str, str], body: bytes) -> SBCError:
    """The error for a status outside 2xx. A device tells its 400s apart by words only."""
    said = description(body)
    if status == 401:
        return BadCredentials(sbc.name)
    if status == 403:
        return LowPrivilege(sbc.name)
    if status in (409, 429, 503):
        return Busy(sbc.name, said=said, retry_after=_wait(headers))
    if status == 400:
        return _bad_request(sbc, said)
    if status == 404:
        return BadAnswer(sbc.name, _("404, nothing is there; check its REST address"))
    if 300 <= status < 400:
        return BadAnswer(sbc.name, _("it is a redirect (%d), which is not followed") % status)
    problem = _("status %(status)d, %(said)s") % {"status": status, "said": said or _("no reason given")}
    return BadAnswer(sbc.name, problem, retryable=status >= 500)


def _bad_request(sbc: SBC, said: str) -> SBCError:
    words = said.lower()
    if re.search(r"\bdial plan (?!rule\b).* not found", words):
        return PlanMissing(sbc.name, plan=sbc.dial_plan)
    if re.search(r"\bfull\b", words):
        return TableFull(sbc.name, said=said)
    return Rejected(sbc.name, said=said)


def description(body: bytes) -> str:
    """The device's sentence: `description` of a JSON object, else the first words of the text without tags."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", " ", body[:4000].decode("utf-8", "replace"))
    if isinstance(told, dict):
        told = told.get("description")
    words = " ".join(told.split()) if isinstance(told, str) else ""
    return words if len(words) <= 200 else f"{words[:199]}…"


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, else our own guess."""
    text = (headers.get("retry-after") or "").strip()
    return min(float(text), LONGEST_WAIT_SECONDS) if re.fullmatch(r"\d{1,9}", text) else BUSY_SECONDS
