""".NET ticks: the unit of asticks (get-numbers-v3.txt): tenths of a microsecond since the year 1."""

import datetime

_FIRST = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


def to_time(ticks: int | None) -> datetime.datetime | None:
    """The instant of a tick count, to the microsecond; None for None and for counts beyond the calendar."""
    if ticks is None:
        return None
    try:
        return _FIRST + datetime.timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None
