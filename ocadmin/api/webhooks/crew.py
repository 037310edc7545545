"""The threads that send, in the worker process beside those of Celery: a receiver that hangs costs no task its thread.

Threads come when something is due and go when nothing is. They die with their process, and leases bring back what they
held. Webhooks that failed last time get half of them at most, so that dead receivers never keep the others waiting.
"""

import logging
import threading

from django.db import connections

from . import sending

MOST = 6
MOST_FAILING = 3

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_busy: dict[int, bool] = {}  # webhook to whether it failed last time
_threads: set[threading.Thread] = set()
_calls = 0


def call() -> None:
    """Let as many threads work as there are webhooks to send for."""
    global _calls
    sending.free_the_dead()
    with _lock:
        _calls += 1
    for _place in range(min(MOST, sending.due().count())):
        with _lock:
            if len(_threads) >= MOST:
                return
            thread = threading.Thread(target=_work, name="webhooks", daemon=True)
            _threads.add(thread)
            thread.start()


def _work() -> None:
    try:
        while (pk := _next_or_leave()) is not None:
            try:
                sending.advance(pk)
            finally:
                with _lock:
                    _busy.pop(pk, None)
    except Exception:
        logger.exception("a thread that sends webhooks has ended; the next one goes on")
    finally:
        with _lock:
            _threads.discard(threading.current_thread())
        connections.close_all()


def _next_or_leave() -> int | None:
    """As `_next`. A thread that goes is gone before the next call counts who is there, or looks again after it."""
    while True:
        calls = _calls
        if (pk := _next()) is not None:
            return pk
        with _lock:
            if calls == _calls:
                _threads.discard(threading.current_thread())
                return None


def _next() -> int | None:
    """The webhook to send for next, noted as busy; None where all that are due are busy."""
    waiting = list(sending.due().values_list("pk", "failures")[: 4 * MOST])
    with _lock:
        for pk, failures in waiting:
            if pk in _busy or (failures and sum(_busy.values()) >= MOST_FAILING):
                continue
            _busy[pk] = bool(failures)
            return int(pk)
    return None
