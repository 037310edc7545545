"""Sending jobs to Microsoft one after the other, while the next one is still being written down.

The requests leave from a thread of their own, which touches no database: an answer takes Microsoft as long as writing a
job down takes us, so that both go on at once.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ..microsoft.errors import MicrosoftError
from ..microsoft.operator_connect import Accepted, OperatorConnect
from ..models import UpstreamJob
from . import failures

Reply = Accepted | MicrosoftError | None


def send(client: OperatorConnect, kind: str, letters: Iterable[tuple[UpstreamJob, dict[str, Any]]]) -> list[Reply]:
    """What came back for each of `letters`, jobs with their requests; None for one that was not sent.

    After an error that is not about the job itself nothing more is sent, and no further letter is taken.
    """
    halt = threading.Event()
    replies: list[Future[Reply]] = []
    with ThreadPoolExecutor(1) as sender:
        for job, body in letters:
            replies.append(sender.submit(_send_one, client, kind, job, body, halt))
            if halt.is_set():
                break
    return [reply.result() for reply in replies]


def _send_one(
    client: OperatorConnect, kind: str, job: UpstreamJob, body: dict[str, Any], halt: threading.Event
) -> Reply:
    if halt.is_set():
        return None
    try:
        return client.start_job(kind, body, job.correlation_id)
    except MicrosoftError as error:
        if not isinstance(error, failures.REFUSALS) or failures.about_us(error):
            halt.set()
        return error
