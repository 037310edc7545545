"""F26, F27, F28: answers that make no sense, that change while they are read, or that say something new."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import ItemState, TaskState
from tests.numbers import passes
from tests.numbers.world import HARBOURLINE, World

from .scenes import (
    NEW,
    TRUNK,
    asked,
    counters,
    history,
    jobs,
    marks,
    number_page,
    once_each,
    outcomes,
    plan_of,
    release,
    standing,
    start_upload,
    tags,
    task_page,
    text,
)

pytestmark = pytest.mark.django_db

PAGE = "<html><head><style>b{}</style></head><body><b>Gateway</b> &amp; <i>more</i></body></html>"


# F26


@pytest.mark.failure("F26")
@pytest.mark.parametrize(
    ("action", "words", "requests"),
    [
        (
            {"status": 502, "body": PAGE, "contentType": "text/html"},
            "it failed itself (502, Gateway",
            ["send 502", "look up 200", "send 202", "follow 200"],
        ),
        (
            {"status": 200, "body": PAGE, "contentType": "text/html"},
            "the answer cannot be used (it is a web page, not JSON: Gateway",
            ["send 200", "look up 200", "send 202", "follow 200"],
        ),
        ({"truncate": True}, "it breaks off in the middle", ["send 202", "look up 200", "follow 200"]),
        (
            {"status": 202, "body": '{"jobId": [}'},
            "it is not JSON or only half of it",
            ["send 202", "look up 200", "send 202", "follow 200"],
        ),
    ],
    ids=["html-502", "html-200", "half", "not-json"],
)
def test_an_answer_that_is_no_answer_is_told_in_words_and_looked_after(
    world: World, alice_client: Client, action: dict[str, Any], words: str, requests: list[str]
) -> None:
    (number,) = world.numbers(1)
    world.sandbox.fault({"mount": "oc", "method": "POST", "path": "/releases"}, action)
    task = passes.advance(release())
    assert task.state == TaskState.WAITING
    seen = task_page(alice_client, task)
    assert words in seen
    assert "<" not in task.message
    assert "Traceback" not in seen
    assert standing(number)[0] == Status.RELEASE_REQUESTED
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert asked(world, "releases") == requests
    assert len(marks(world, "releases")) == 1
    assert once_each(world, "releases", [number.e164])
    assert jobs() == [("Complete", 1, 1, 0)]


@pytest.mark.failure("F26")
def test_a_web_page_from_an_sbc_is_told_in_words_too(world: World, alice_client: Client) -> None:
    world.route([])
    page = {"status": 502, "body": PAGE, "contentType": "text/html"}
    world.sandbox.fault({"mount": "sbc", "method": "GET", "path": "/status"}, page)
    task = passes.advance(start_upload(world, NEW))
    assert task.state == TaskState.WAITING
    assert "EMEA SP1 SBC: its answer cannot be used (status 502, Gateway" in task_page(alice_client, task)
    type(task).objects.update(cursor=task.cursor | {"waiting_for": {}})
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert tags(world, "saved") == {f"{e164}#": TRUNK for e164 in NEW}


# F27


@pytest.mark.failure("F27")
@pytest.mark.parametrize("hook", [{"delete": 2}, {"insert": 3}], ids=["delete", "insert"])
def test_a_list_that_moves_while_it_is_read_loses_and_repeats_nothing(
    world: World, alice_client: Client, monkeypatch: pytest.MonkeyPatch, hook: dict[str, int]
) -> None:
    """What stood on the page that is read next stands on the one before by then, or the other way round."""
    monkeypatch.setattr(settings.ENV, "page_size", 40)
    here, gone = world.numbers(2)
    world.sandbox.numbers(delete=[gone.e164])
    PhoneNumber.objects.update(status_changed_at="2026-01-01T00:00:00Z")
    world.sandbox.fault({"mount": "oc", "path": "skip=40"}, {"onRequest": hook | {"tenantId": str(HARBOURLINE)}})
    task = passes.synchronise(customers=[world.customer])
    assert (task.state, task.result["complete"]) == (TaskState.SUCCEEDED, True)
    tenants = {one["tenantId"]: one["numbers"] for one in world.sandbox.state()["tenants"]}
    listed = PhoneNumber.objects.exclude(pk=gone.pk)
    left_over = hook.get("delete", 0)  # read before they were deleted: the next pass takes them for missing
    assert listed.count() - tenants[str(HARBOURLINE)] in (0, left_over)
    assert standing(here)[0] == Status.ACTIVE
    assert standing(gone)[0] == Status.MARKED_FOR_REMOVAL
    assert PhoneNumber.objects.filter(status=Status.MARKED_FOR_REMOVAL, aslv_code=404).count() == 1
    assert task.result["pages"] > len(listed) / 40 + 1  # the list was read once more
    by_itself = [row["path"] for row in world.sandbox.requests()["value"] if "/telephone-numbers/" in row["path"]]
    assert any(path.endswith(gone.e164.removeprefix("+")) for path in by_itself)
    assert "1 marked for removal" in task_page(alice_client, task)
    assert "Marked for removal" in number_page(alice_client, gone.e164)


# F28


@pytest.mark.failure("F28")
def test_a_word_that_nobody_knows_is_shown_as_it_is_and_counts_as_assigned(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    world.at_microsoft([number], acquiredNumberStatus=0, assignmentStatus="FutureThing")
    task = passes.finish(release())  # here it still counts as unassigned: Microsoft is on the safe side too
    assert outcomes(task) == {number.e164: (ItemState.FAILED, "NumberAssigned")}
    assert world.device_prefixes() == {number.e164}

    passes.synchronise(numbers=[number.e164])
    assert standing(number)[0] == Status.ACTIVE
    assert (number.assignment_status, number.assigned) == ("FutureThing", True)
    assert history(number)[-1] == "sync.changed"
    for tab in ("details", "history"):
        assert "FutureThing" in number_page(alice_client, number.e164, tab)
    assert "FutureThing" in text(alice_client.get("/numbers/"))
    _address, plan = plan_of(alice_client, "release", [number])
    assert plan.context["plan"].will == 0
    assert "It is assigned." in text(plan)
    assert len(world.posts("/releases")) == 1
