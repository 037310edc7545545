"""The task monitor and the pages around numbers in a real browser: live parts, keyboard, no scripts, rules of axe."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ocadmin.numbers.models import ConnectionState, Customer
from ocadmin.tasks.models import ItemState, Task, TaskState
from sbc.models import DialPlanRule
from tests.factories import (
    CallingProfileFactory,
    LocationFactory,
    PhoneNumberFactory,
    SBCFactory,
    SipConnectionFactory,
    TaskFactory,
    TaskItemFactory,
    TrunkFactory,
)
from tests.tasks.operations import Counting, registered

from .conftest import OpenPage
from .test_accessibility import violations

PHONE = {"width": 390, "height": 844}
QUESTION = {"text": "Mark 412 numbers for removal?", "choices": {"mark": "Mark them", "skip": "Leave them"}}


@pytest.fixture(autouse=True)
def counting() -> Iterator[None]:
    with registered(Counting()):
        yield


@pytest.fixture
def running(transactional_db: None) -> Task:
    """A task that has done 40 of 100 numbers, two of which failed."""
    task = TaskFactory(
        kind="counting",
        state=TaskState.RUNNING,
        total=100,
        done=40,
        succeeded=38,
        failed=2,
        started_at=timezone.now(),
        step="Counting",
    )
    TaskItemFactory.create_batch(2, task=task, state=ItemState.FAILED, code="late", message="No answer in time.")
    TaskItemFactory.create_batch(3, task=task, state=ItemState.SUCCEEDED)
    return task


def change(task: Task, **fields: object) -> None:
    """What a worker would do meanwhile."""
    Task.objects.filter(pk=task.pk).update(**fields)


def test_progress_renews_itself_and_leaves_the_person_alone(
    open_page: OpenPage, running: Task, troubles: list[str]
) -> None:
    page = open_page(f"/tasks/{running.pk}/")
    page.get_by_role("link", name="Failed 2").click()
    expect(page).to_have_url(f"{page.url.split('/tasks')[0]}/tasks/{running.pk}/?state=failed")
    page.get_by_role("searchbox", name="Part of a number").fill("half a wor")
    page.locator("#outcome-all").focus()
    page.evaluate("window.sameDocument = true")
    change(running, done=60, succeeded=58)
    expect(page.locator("#task-live")).to_contain_text("60 of 100")
    expect(page.locator("#task-announce")).to_have_text("Running, 50 percent done, some numbers have failed")
    expect(page.locator("#outcome-all")).to_be_focused()
    expect(page.locator("#outcome-failed")).to_have_attribute("aria-current", "page")
    expect(page.locator("#task-rows tbody tr")).to_have_count(2)
    assert page.get_by_role("searchbox", name="Part of a number").input_value() == "half a wor"
    assert page.evaluate("window.sameDocument")
    assert troubles == []


def test_the_end_is_shown_by_itself_and_the_asking_stops(open_page: OpenPage, running: Task) -> None:
    page = open_page(f"/tasks/{running.pk}/")
    change(running, state=TaskState.PARTIAL, finished_at=timezone.now(), message="All over.", result={"counted": 98})
    expect(page.locator("#task-live")).to_contain_text("All over.")
    expect(page.get_by_role("button", name="Retry 2 failed numbers")).to_be_visible()
    expect(page.locator("#task-result")).to_contain_text("Counted")
    expect(page.locator("#task-announce")).to_have_text("Partly succeeded")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert asked == []


def test_a_question_appears_by_itself_and_is_answered(open_page: OpenPage, running: Task) -> None:
    page = open_page(f"/tasks/{running.pk}/")
    change(running, state=TaskState.ASKING, question=QUESTION)
    expect(page.get_by_role("heading", name="This task waits for your decision")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Leave them").click()
    expect(page.get_by_text("Your decision is recorded.")).to_be_visible()
    running.refresh_from_db()
    assert running.cursor["answer"] == "skip"


def test_cancelling_says_first_what_it_does(open_page: OpenPage, running: Task) -> None:
    page = open_page(f"/tasks/{running.pk}/")
    page.locator("#cancel-menu summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("cannot be called back")).to_be_visible()
    assert violations(page) == []
    change(running, done=55)
    expect(page.locator("#task-live")).to_contain_text("55 of 100")
    page.get_by_role("button", name="Cancel this task").click()
    expect(page.locator("#task-live")).to_contain_text("Cancelling: the task stops after")
    expect(page.get_by_text("It is being cancelled already.")).to_be_visible()


def test_works_without_scripts(open_page: OpenPage, running: Task) -> None:
    page = open_page(f"/tasks/{running.pk}/", java_script_enabled=False)
    page.get_by_role("link", name="Failed 2").click()
    expect(page.locator("#task-rows tbody tr")).to_have_count(2)
    page.get_by_role("searchbox", name="Part of a number").fill("no such")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("No number of this task matches")).to_be_visible()
    page.locator("#cancel-menu summary").click()
    page.get_by_role("button", name="Cancel this task").click()
    expect(page.locator("#task-live")).to_contain_text("Cancelling")


def test_who_signs_out_elsewhere_is_led_to_the_sign_in(open_page: OpenPage, running: Task) -> None:
    page = open_page(f"/tasks/{running.pk}/")
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert f"next=/tasks/{running.pk}/" in page.url


@pytest.fixture
def screens(transactional_db: None, contoso: Customer, running: Task) -> dict[str, str]:
    """Addresses of pages with something of everything on them."""
    Customer.objects.filter(pk=contoso.pk).update(connection=ConnectionState.NOT_CONNECTED)
    sbc = SBCFactory()
    DialPlanRule.objects.create(sbc=sbc, prefix="+4420", tag="oc", present=False)
    profile = CallingProfileFactory(offer_types=["Calling"], emergency_dial_strings=["112"])
    TrunkFactory(profile=profile, sbc=sbc)
    SipConnectionFactory(customer=contoso, calling_profile=profile, sbc=sbc)
    place = LocationFactory(civic_address__customer=contoso)
    PhoneNumberFactory(customer=contoso, calling_profile=profile, location=place, civic_address=place.civic_address)
    ended = TaskFactory(
        kind="counting", state=TaskState.FAILED, finished_at=timezone.now(), message="No.", result={"new": 1, "x": [1]}
    )
    return {
        "running task": f"/tasks/{running.pk}/",
        "failed task": f"/tasks/{ended.pk}/",
        "asking task": f"/tasks/{TaskFactory(kind='counting', state=TaskState.ASKING, question=QUESTION).pk}/",
        "customer": contoso.get_absolute_url(),
        "calling profile": profile.get_absolute_url(),
        "emergency address": place.civic_address.get_absolute_url(),
        "SBC": f"/sbcs/{sbc.pk}/",
        "use of an SBC": f"/sbcs/{sbc.pk}/usage/",
    }


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["wide", "phone"])
def test_pages_keep_the_rules_of_axe(
    open_page: OpenPage, screens: dict[str, str], options: dict[str, object], troubles: list[str]
) -> None:
    page = open_page("/", **options)
    for name, path in screens.items():
        page.goto(path)
        page.wait_for_load_state("networkidle" if name == "SBC" else "load")
        assert (name, violations(page)) == (name, [])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert troubles == []


def test_the_use_of_an_sbc_is_fetched_after_the_page(open_page: OpenPage, screens: dict[str, str]) -> None:
    page = open_page(screens["SBC"])
    expect(page.get_by_role("heading", name="Trunks that end here")).to_be_visible()
    expect(page.get_by_role("link", name="Contoso")).to_be_visible()
