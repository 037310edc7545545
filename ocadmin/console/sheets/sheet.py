"""What was found out about a file, how much of one is read, and the end of those that cannot be."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.conf import settings

MEGABYTE = 1_000_000
CSV = "csv"
XLSX = "xlsx"


class Unreadable(Exception):
    """The whole file cannot be used. `code` is for programs; `sentence` says what, where and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Limits:
    """How much of a file is read: its bytes, its rows without the header, its columns, the characters of one cell."""

    bytes: int
    rows: int
    columns: int
    field: int

    @classmethod
    def of_settings(cls) -> Self:
        """What the environment allows."""
        env = settings.ENV
        return cls(env.import_max_mb * MEGABYTE, env.import_max_rows, env.import_max_columns, env.import_max_field)


@dataclass(frozen=True)
class Sheet:
    """How a file is to be read: found out once by `open_sheet`, kept as JSON, used by `rows` as often as wanted."""

    kind: str  # CSV or XLSX
    encoding: str  # Python's name of it; empty for XLSX
    delimiter: str  # one character; empty for XLSX
    name: str  # of the worksheet; empty for CSV
    headers: list[str]  # stripped; empty and repeated ones stay
    header_line: int  # the line, or row of the worksheet, in which the header begins, from 1
    notes: list[str] = field(default_factory=list)  # sentences that people should know

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """From what `as_dict` gave."""
        return cls(**stored)
