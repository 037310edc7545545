"""How often Python looks for cycles of dead objects, for processes that live long.

Its defaults walk through everything that a process has loaded while a file of a hundred thousand rows is judged: a
third of the time, to find nothing. What is loaded at the start is for ever, so it is left out; the rest is looked
through less often.
"""

import gc

THRESHOLDS = (50_000, 20, 50)


def settle() -> None:
    """Call once, when a worker has loaded everything."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
