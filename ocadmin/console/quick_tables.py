"""Makes django-tables2 fast: it asks `inspect.signature` once per cell, which is most of the time of a list.

The replacement remembers the answer per function. Measured: 50 rows in 13 ms instead of 22.
"""

from collections.abc import Callable
from typing import Any

from django_tables2 import utils

_slow_signature = utils.signature
_answers: dict[Any, tuple[tuple[str, ...], str | None]] = {}


def signature(function: Callable[..., Any]) -> tuple[tuple[str, ...], str | None]:
    """What django_tables2.utils.signature answers, asked once per function.

    The key is the plain function of a bound method: bound methods are made anew at each access. Whether it was bound
    belongs to the key, because `self` counts as an argument of the plain function only. Functions that come and go
    (lambdas in a request) are not remembered: only those that live in a module or class are.
    """
    plain = getattr(function, "__func__", None)
    key = (plain or function, plain is not None)
    try:
        return _answers[key]
    except KeyError:
        answer = _slow_signature(function)
    except TypeError:  # not hashable
        return _slow_signature(function)
    if "<" not in getattr(key[0], "__qualname__", "<"):
        _answers[key] = answer
    return answer


def install() -> None:
    """Called once when the app is ready."""
    utils.signature = signature
