"""Files of exports that are prepared in the background: where they lie, until when, and which rows go into them.

Which rows, and in which order, is written down when the person asks: what the list showed then. What the rows say is
read as the file is written.
"""

import datetime
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from ocadmin.access.principal import Scope
from ocadmin.console import private_files

FOLDER = "exports"
SOME = 50_000
_ID = "q"  # eight bytes


@dataclass(frozen=True)
class Prepared:
    """The files of one task: `uid` is its correlation id, `suffix` the kind of file."""

    uid: str
    suffix: str

    @property
    def keys(self) -> Path:
        """The ids of the rows, in order."""
        return self._path("keys")

    @property
    def part(self) -> Path:
        """The lines that are written so far."""
        return self._path("part")

    @property
    def file(self) -> Path:
        """What the person gets."""
        return self._path(self.suffix)

    @property
    def until(self) -> datetime.datetime | None:
        """Until when the file is kept; None where it is not there, or its time is over."""
        try:
            made = datetime.datetime.fromtimestamp(self.file.stat().st_mtime, datetime.UTC)
        except FileNotFoundError:
            return None
        until = made + datetime.timedelta(hours=settings.ENV.keep_files_hours)
        return until if until > timezone.now() else None

    def keep_keys(self, keys: Iterable[int]) -> int:
        """Write the ids down. Returns how many there are."""
        count = 0
        rest = iter(keys)
        with self.keys.open("wb") as file:
            while some := array(_ID, islice(rest, SOME)):
                some.tofile(file)
                count += len(some)
        return count

    def read_keys(self, position: int, count: int) -> list[int]:
        """Some of the ids. Raises FileNotFoundError where the file was deleted."""
        some = array(_ID)
        with self.keys.open("rb") as file:
            file.seek(position * some.itemsize)
            some.frombytes(file.read(count * some.itemsize))
        return some.tolist()

    def forget(self, *, file: bool = True) -> None:
        """Delete what was needed on the way, and the file itself."""
        for path in (self.keys, self.part, *([self.file] if file else [])):
            path.unlink(missing_ok=True)

    def _path(self, suffix: str) -> Path:
        return private_files.folder(FOLDER) / f"{self.uid}.{suffix}"


def noted(scope: Scope) -> dict[str, Any]:
    """A scope as a task's parameters can hold it."""
    return {
        "everything": scope.everything,
        "channels": sorted(scope.channels),
        "customers": sorted(scope.customers),
    }


def still_reaches(scope: Scope, before: dict[str, Any]) -> bool:
    """Whether a scope reaches all that was noted."""
    if scope.everything:
        return True
    return not before["everything"] and (
        scope.channels >= set(before["channels"]) and scope.customers >= set(before["customers"])
    )
