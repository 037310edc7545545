"""Timing, and one line for each figure."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """A measured ratio and the highest one that is allowed. Times are in seconds, the median of several rounds."""

    name: str
    ours: float
    floor: float
    limit: float

    @property
    def ratio(self) -> float:
        """How many times the floor."""
        return self.ours / self.floor

    @property
    def kept(self) -> bool:
        """Whether it is within the limit."""
        return self.ratio <= self.limit

    def line(self) -> str:
        """For people."""
        word = "ok" if self.kept else "TOO SLOW"
        times = f"{self.ours * 1000:9.1f} ms / {self.floor * 1000:9.1f} ms"
        return f"{self.name:58} {times} = {self.ratio:5.2f} (at most {self.limit:g})  {word}"


@dataclass(frozen=True)
class Amount:
    """A measured amount, in a unit, and the highest one that is allowed: for what has no floor beside it."""

    name: str
    amount: float
    unit: str
    limit: float

    @property
    def kept(self) -> bool:
        """Whether it is within the limit."""
        return self.amount <= self.limit

    def line(self) -> str:
        """For people."""
        word = "ok" if self.kept else "TOO MUCH"
        return f"{self.name:58} {self.amount:9.2f} {self.unit:30} (at most {self.limit:g} {self.unit})  {word}"


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternating(
    ours: Callable[[], object], floor: Callable[[], object], *, before: Callable[[], object] = lambda: None
) -> tuple[float, float]:
    """Medians of both, measured in turn so that a busy moment meets both; `before` runs ahead of each, untimed."""
    mine, bare = [], []
    for _round in range(ROUNDS):
        before()
        bare.append(seconds(floor))
        before()
        mine.append(seconds(ours))
    return statistics.median(mine), statistics.median(bare)
