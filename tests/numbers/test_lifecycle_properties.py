"""Whatever people, customers, devices and time do in whatever order: no number reaches a state that §5 forbids."""

import os
from functools import partial

import pytest
import stamina
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.numbers.properties.ledger import Spies
from tests.numbers.properties.machine import Scripts
from tests.numbers.properties.stage import Stage
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_no_order_of_events_breaks_the_lifecycle(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(sandbox, monkeypatch)
    more = int(os.environ.get("LIFECYCLE_SCRIPTS", 0))
    with stamina.set_testing(True, attempts=1):  # no real pauses for an SBC that does not answer
        run_state_machine_as_test(
            partial(Scripts, stage, Spies(monkeypatch)),
            settings=settings(
                derandomize=not more,
                max_examples=more or 20,
                stateful_step_count=50 if more else 30,
                phases=[Phase.generate, Phase.shrink] if not os.environ.get("LIFECYCLE_QUICK") else [Phase.generate],
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
