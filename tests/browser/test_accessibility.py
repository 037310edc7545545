"""Every screen against the rules of WCAG 2.2 AA as axe knows them, in light and in dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from ocadmin.access.models import AuditEntry
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, PhoneNumber
from sbc import health
from sbc.errors import Offline
from sbc.models import SBC
from tests.factories import (
    CallingProfileFactory,
    LocationFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    SipConnectionFactory,
    TaskFactory,
    TaskItemFactory,
)

from .conftest import OpenPage

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
E164 = "+442079460958"
NUMBER = f"/numbers/{E164}/"

SCREENS = {
    "dashboard": "/",
    "numbers": "/numbers/",
    "numbers filtered": "/numbers/?status=0&q=44&acquired_after=2020-01-01&source=webapi",
    "numbers with errors": "/numbers/?status=bogus&page=x&sort=nothing",
    "numbers not found": "/numbers/?q=nobody",
    "numbers emergency": "/numbers/?tab=emergency",
    "numbers released": "/numbers/?tab=released",
    "number details": f"{NUMBER}?tab=details",
    "number emergency": f"{NUMBER}?tab=emergency",
    "number capabilities": f"{NUMBER}?tab=capabilities",
    "number routing": f"{NUMBER}?tab=routing",
    "number history": f"{NUMBER}?tab=history",
    "number tasks": f"{NUMBER}?tab=tasks",
    "number unknown": "/numbers/+44999/",
    "preferences": "/me/",
    "password": "/accounts/password/change/",
    "import": "/numbers/import/",
    "upload": "/numbers/upload/",
    "upload with errors": "/numbers/upload/?set=1",
    "upload customer": "/numbers/upload/?customer=nobody",
    "approvals": "/approvals/",
    "customers": "/customers/",
    "calling profiles": "/calling-profiles/",
    "emergency addresses": "/emergency-addresses/",
    "SBCs": "/sbcs/",
    "SBC to be added": "/sbcs/add/",
    "where a call goes": "/sbcs/where/?number=%2B442079460958",
    "drift": "/drift/",
    "tasks": "/tasks/",
    "REST interface": "/api/docs",
}


@pytest.fixture
def everything(db: None, contoso: Customer) -> PhoneNumber:
    """One of each, so that no screen is empty."""
    place = LocationFactory(civic_address__customer=contoso)
    profile = CallingProfileFactory()
    SipConnectionFactory(customer=contoso, calling_profile=profile)
    for status in Status:
        PhoneNumberFactory(customer=contoso, calling_profile=profile, status=status)
    ReleasedNumberFactory(customer=contoso)
    task = TaskFactory(state="running", total=10, done=4, title="Synchronise Contoso")
    TaskFactory(state="succeeded", finished_at=timezone.now())
    TaskItemFactory(task=task, key=E164, customer_ref=contoso.pk, state="succeeded")
    AuditEntry.objects.create(
        action="number.sync", channel="web", object_type="number", object_id=E164, customer_ref=contoso.pk,
        before={"status": 4}, after={"status": 0},
    )  # fmt: skip
    return PhoneNumberFactory(
        e164=E164, customer=contoso, calling_profile=profile, civic_address=place.civic_address, location=place
    )


def violations(page: Page) -> list[str]:
    """What axe finds in light and in dark, one line for each place."""
    lines = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=RULES).response["violations"]
        lines += [f"{scheme}: {rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
    return lines


def test_screens_of_an_sbc(open_page: OpenPage, everything: PhoneNumber) -> None:
    sbc = SBC.objects.get()
    health.note(sbc, health.Seen(error=Offline(sbc.name, reason="refused")))
    for part in ("", "edit/", "write/", "save/"):
        assert violations(open_page(f"/sbcs/{sbc.pk}/{part}")) == []


def test_screens(open_page: OpenPage, everything: PhoneNumber) -> None:
    page = open_page("/")
    found = {}
    for name, path in SCREENS.items():
        page.goto(path)
        if lines := violations(page):
            found[name] = lines
    assert found == {}


def test_plan_of_an_action(open_page: OpenPage, everything: PhoneNumber) -> None:
    page = open_page("/numbers/")
    page.get_by_label("All 6 that match").check()
    page.locator("#act-menu summary").click()
    assert violations(page) == []
    page.get_by_role("button", name="Approve removal").click()
    page.get_by_role("link", name=E164).click()
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/", "/numbers/", NUMBER, "/tasks/", "/numbers/import/"])
def test_narrow_screen_fits_and_has_no_violations(open_page: OpenPage, everything: PhoneNumber, path: str) -> None:
    page = open_page(path, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("link", name="Customers").first.is_visible()
    assert violations(page) == []


def test_open_menus(open_page: OpenPage, everything: PhoneNumber) -> None:
    page = open_page("/numbers/")
    page.get_by_text("Columns", exact=True).click()
    assert violations(page) == []
    page.get_by_text("Paste a list").click()
    assert violations(page) == []


def test_a_customer_is_put_on_hold(open_page: OpenPage, everything: PhoneNumber) -> None:
    page = open_page(everything.customer.get_absolute_url())
    page.get_by_text("Hold synchronisation").click()
    assert violations(page) == []
    page.get_by_label("Reason").fill("In dispute")
    page.get_by_role("button", name="Put on hold").click()
    page.get_by_role("button", name="Resume synchronisation").wait_for()
    assert violations(page) == []


def test_sign_in(open_page: OpenPage) -> None:
    page = open_page("/numbers/")
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    assert violations(page) == []
