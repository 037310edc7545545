"""How long to wait before something that failed is tried again."""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SPREAD = 0.25
LONGEST_WAIT_SECONDS = 86_400


def growing(attempt: int, longest: float) -> float:
    """Seconds before the try after `attempt` failed ones: 2, 4, 8 … up to `longest`, each up to a quarter less or more.

    The quarter keeps tasks that were refused in the same moment from coming back in the same moment (upstreams.md §9.7,
    F02).
    """
    return spread(min(2.0 ** min(attempt, 20), longest))


def spread(seconds: float) -> float:
    """The pause, up to a quarter shorter or longer."""
    return seconds * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - nothing secret


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now that a Retry-After header (seconds or HTTP date) asks for, None without a readable one."""
    text = (headers.get("retry-after") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return min(float(text), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)
