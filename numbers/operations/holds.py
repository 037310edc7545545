"""Who is left alone for a while: a customer's tenant, or the operator's side, that asked for it or does not answer.

Kept in the task's cursor, so that a pause outlives the worker; the numbers of the other customers go on meanwhile.
"""

from django.utils import timezone

from ocadmin.tasks.run import Run

from ..microsoft.errors import MicrosoftError
from . import failures

OPERATOR = "operator"  # beside the customers, who go by their row ids
MOST_TRIES = 100


def now() -> float:
    """Seconds since 1970."""
    return timezone.now().timestamp()


def hold(run: Run, who: str, error: MicrosoftError, attempts: int = 0) -> int:
    """Leave somebody alone exactly as long as the error says, else longer each time. Returns how often in a row.

    `attempts` are those made before, where they count more. Inside `run.commit()`.
    """
    known = run.cursor.setdefault("held", {})
    tries = int(known.get(who, {}).get("tries", 0)) + 1
    pause = failures.patient(error, max(tries, attempts) - 1).seconds or 0.0
    known[who] = {"until": now() + pause, "tries": tries, "why": error.message}
    return tries


def end(run: Run, who: str) -> None:
    """They have answered. Inside `run.commit()`."""
    run.cursor.get("held", {}).pop(who, None)


def until(run: Run, who: str) -> tuple[float, str]:
    """When they may be asked again and why not before; (0, "") where nothing speaks against it."""
    known = run.cursor.get("held", {}).get(who)
    return (float(known["until"]), str(known["why"])) if known else (0.0, "")


def held_customers(run: Run) -> list[int]:
    """Row ids of the customers that are left alone now."""
    names = [who for who in run.cursor.get("held", {}) if who != OPERATOR]
    return [int(who) for who in names if until(run, who)[0] > now()]
