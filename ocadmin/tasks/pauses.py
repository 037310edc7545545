"""How long to wait before something that failed is tried again, where nobody has named a time."""

import random

SPREAD = 0.25


def growing(attempt: int, longest: float) -> float:
    """Seconds before the try after `attempt` failed ones: 2, 4, 8 … up to `longest`, each up to a quarter less or more.

    The quarter keeps tasks that were refused in the same moment from coming back in the same moment (upstreams.md §9.7,
    F02).
    """
    seconds = min(2.0 ** min(attempt, 20), longest)
    return seconds * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - nothing secret
