"""F08, F09, F10: Microsoft does not know us, or does not let us."""

import pytest
from django.conf import settings
from django.test import Client

from ocadmin.numbers.lifecycle import Status
from ocadmin.tasks.models import ItemState, TaskState
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    asked,
    counters,
    history,
    jobs,
    message_of,
    number_page,
    once_each,
    outcomes,
    page,
    release,
    standing,
    task_page,
    warm,
)

pytestmark = pytest.mark.django_db


def tokens(world: World) -> list[int]:
    """How the requests for tokens were answered so far."""
    return [row["status"] for row in world.sandbox.requests()["value"] if row["mount"] == "login"]


@pytest.mark.failure("F08")
def test_a_token_that_has_ended_is_renewed_once_and_nobody_notices(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    warm()
    world.sandbox.call("DELETE", "/tokens")
    before = len(tokens(world))
    task = passes.finish(release())
    assert asked(world, "releases") == ["send 401", "send 202", "follow 200"]
    assert tokens(world)[before:] == [200]
    assert once_each(world, "releases", [number.e164])
    assert (counters(task), jobs()) == ((TaskState.SUCCEEDED, 1, 0), [("Complete", 1, 1, 0)])
    assert "token" not in task_page(alice_client, task)


@pytest.mark.failure("F08")
def test_a_fresh_token_that_is_rejected_too_ends_the_task(world: World, alice_client: Client) -> None:
    """Renewing again and again would never end."""
    (number,) = world.numbers(1)
    world.sandbox.fault({"mount": "oc", "path": "/releases"}, {"status": 401}, times=1000)
    task = passes.finish(release())
    assert asked(world, "releases") == ["send 401", "send 401"]
    assert (counters(task), task.error_code) == ((TaskState.FAILED, 0, 1), "token_rejected")
    assert outcomes(task) == {number.e164: (ItemState.FAILED, "token_rejected")}
    assert "it rejected a fresh token as well" in task_page(alice_client, task)
    assert standing(number) == (Status.ACTIVE, message_of(task, number))


@pytest.mark.failure("F09")
def test_the_missing_role_is_named(world: World, alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = world.numbers(1)
    with monkeypatch.context() as stranger:
        stranger.setattr(settings.ENV, "client_id", "noroles")
        task = passes.finish(release())
    assert (counters(task), task.error_code) == ((TaskState.FAILED, 0, 1), "forbidden")
    words = "our application lacks the role NumberManagement.Write; grant it in Entra and try again."
    assert words in task_page(alice_client, task)
    assert words in number_page(alice_client, number.e164)  # why it is active again
    assert standing(number)[0] == Status.ACTIVE
    assert history(number) == ["release.requested", "release.failed"]
    assert asked(world, "releases") == ["send 403"]
    assert [status for status, *_counts in jobs()] == ["Refused"]
    again = passes.finish(release())
    assert counters(again) == (TaskState.SUCCEEDED, 1, 0)


@pytest.mark.failure("F10")
@pytest.mark.parametrize(
    ("setting", "value", "code", "words"),
    [
        ("client_secret", "guess-4711", "wrong_secret", "the client secret is wrong;"),
        ("client_id", "expired", "expired_secret", "the client secret has expired;"),
    ],
)
def test_a_secret_that_is_not_accepted_is_told_and_never_shown(
    world: World,
    alice_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    code: str,
    words: str,
) -> None:
    (number,) = world.numbers(1)
    before = len(tokens(world))
    with monkeypatch.context() as wrong:
        wrong.setattr(settings.ENV, setting, value)
        task = passes.finish(release())
    assert tokens(world)[before:] == [401]  # not tried again: that locks out
    assert asked(world, "releases") == []
    assert (counters(task), task.error_code) == ((TaskState.FAILED, 0, 1), code)
    assert outcomes(task) == {number.e164: (ItemState.FAILED, code)}
    assert standing(number) == (Status.ACTIVE, task.message)
    for seen in (task_page(alice_client, task), number_page(alice_client, number.e164)):
        assert words in seen
        assert "OCADMIN_CLIENT_SECRET" in seen
        assert "guess-4711" not in seen
    assert words in page(alice_client, "/")  # the first thing that people see
