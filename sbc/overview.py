"""How all SBCs are, for the first page and for machines."""

from collections import Counter
from dataclasses import dataclass

from .models import SBC, State


@dataclass(frozen=True)
class Overview:
    """Counts by state, in the order of `State`, and the SBCs that need somebody."""

    counts: list[tuple[State, int]]
    troubled: list[SBC]


def read() -> Overview:
    """One query over all SBCs."""
    sbcs = list(SBC.objects.order_by("name"))
    counts = Counter(sbc.state for sbc in sbcs)
    fine = (State.ONLINE, State.UNKNOWN)
    return Overview(
        [(state, counts[state]) for state in State if counts[state]], [sbc for sbc in sbcs if sbc.state not in fine]
    )
