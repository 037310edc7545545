"""What webhooks carry. The room that knows numbers says it when it is ready: this room may not ask it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from ocadmin.access.models import AuditEntry


@dataclass(frozen=True)
class Source:
    """Entries of the audit trail about objects of `kind`.

    `type`: what a message is called; `families`: beginnings of actions to what they are called, for those who want
    some kinds of changes only; `described`: entries as JSON objects, in the same order.
    """

    kind: str
    type: str
    families: Mapping[str, str | Promise]
    described: Callable[[Sequence[AuditEntry]], list[dict[str, Any]]]


_sources: list[Source] = []


def register(source: Source) -> None:
    """Name the source. There is one."""
    _sources[:] = [source]


def source() -> Source:
    """The source."""
    return _sources[0]
