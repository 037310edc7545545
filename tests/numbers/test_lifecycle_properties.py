"""Whatever people, customers, devices and time do in whatever order: no number reaches a state that §5 forbids.

Not by hypothesis: most of what its generator makes of such long scripts are near copies of each other.
"""

import random
import re
from collections.abc import Callable

import pytest
import stamina

from tests.numbers.properties.ending import Ending
from tests.numbers.properties.ledger import Spies
from tests.numbers.properties.play import Play
from tests.numbers.properties.scripts import Script, script, shortest
from tests.numbers.properties.stage import Stage
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

BUNDLES, SCRIPTS, STEPS = 2, 6, 40

Fault = tuple[str, list[str]]  # what was wrong, and what happened before


@pytest.fixture
def play(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], Fault | None]:
    """Plays a script to its end; says what was wrong."""
    stage, spies = Stage(sandbox, monkeypatch), Spies(monkeypatch)

    def on_stage(script: Script) -> Fault | None:
        random.seed(0)  # the pauses
        told = Play(stage, spies)
        with stage.script(), stamina.set_testing(True, attempts=1):  # no real pauses where nobody answers
            try:
                told.run(script)
                Ending(told).check()
            except Exception as error:
                return f"{type(error).__name__}: {error}", told.told
        return None

    return on_stage


@pytest.mark.parametrize("bundle", range(BUNDLES))
def test_no_order_of_events_breaks_the_lifecycle(play: Callable[[Script], Fault | None], bundle: int) -> None:
    for seed in range(bundle * SCRIPTS, (bundle + 1) * SCRIPTS):
        steps = script(seed, STEPS)
        fault = play(steps)
        if fault is not None:
            least = shortest(steps, lambda steps, kind=_kind(fault): _kind(play(steps)) == kind)
            what, told = play(least) or fault
            pytest.fail("\n".join([f"script {seed}: {what}", *told]), pytrace=False)


def _kind(fault: Fault | None) -> str:
    """What was wrong, whichever number it was."""
    return re.sub(r"[0-9]+", "", fault[0]) if fault is not None else ""
