"""The first start makes everything, the second finds it."""

import signal
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from ocadmin.access.models import User
from ocadmin.management.commands.create_administrator import describe, ensure_administrator
from tests.sandbox_process import Sandbox

from .conftest import Start
from .console_process import WITHOUT_SANDBOX, ConsoleProcess, below, manage, processes, wait_for

pytestmark = pytest.mark.slow


def sign_in(console: ConsoleProcess, username: str, password: str) -> str:
    """The address at which a browser ends after the sign-in form."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{console.url}/accounts/login/"
    browser.open(page, timeout=20).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"login": username, "password": password, "csrfmiddlewaretoken": token, "next": "/metrics"}
    request = urllib.request.Request(page, urllib.parse.urlencode(form).encode(), {"Referer": page})
    return browser.open(request, timeout=20).url


def test_the_demonstration(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing set: sandbox, numbers, a first synchronisation, an administrator; and all of it kept."""
    first = start().wait_ready()
    assert "SIMULATED" in first.output
    assert "generated; shown only now" in first.output
    login = next(line for line in first.lines if "sign in" in line).split("sign in")[1].split()
    assert sign_in(first, login[0], login[2]).endswith("/metrics")
    wait_for(lambda: "ocadmin_last_sync_age_seconds" in metrics(first), "the first synchronisation", 60)
    held = numbers_in(metrics(first))
    assert held > 100
    assert first.end() == 0

    began = time.monotonic()
    second = start().wait_ready()
    seconds = time.monotonic() - began
    assert "static files collected" not in second.output
    assert "migrations applied" not in second.output
    assert "generated" not in second.output
    assert numbers_in(metrics(second)) == held
    assert sign_in(second, login[0], login[2]).endswith("/metrics")
    children = below(second.process.pid)
    assert second.end(signal.SIGINT) == 0
    assert not set(children) & set(processes())
    with capsys.disabled():
        print(f"\nsecond start: ready after {seconds:.1f} s")  # noqa: T201 - told, not asserted: machines differ


def metrics(console: ConsoleProcess) -> str:
    with urllib.request.urlopen(f"{console.url}/metrics", timeout=10) as answer:
        return answer.read().decode()


def numbers_in(text: str) -> float:
    """All numbers but those that the clean-up takes away at some time."""
    lines = [line for line in text.splitlines() if line.startswith("ocadmin_numbers{")]
    return sum(float(line.split()[-1]) for line in lines if "ready_for_removal" not in line)


def test_without_sandbox(console: ConsoleProcess) -> None:
    """A real Microsoft is named: no sandbox is started, and everything else is ready."""
    assert "SIMULATED" not in console.output
    assert not any("ocadmin.sandbox" in line for line in below(console.process.pid).values())
    status, ready = console.get("/readyz")
    assert status == 200
    assert ready == {
        "status": "ok",
        "parts": {"database": {"ok": True}, "broker": {"ok": True}, "worker": {"ok": True}},
    }


def test_what_may_be_chosen(start: Start, tmp_path: Path) -> None:
    """A password, an address, and where the data are: unix sockets have short names only, and blanks and per cents must
    survive the broker's address."""
    data = tmp_path / "with blank, 100%25 and ü" / ("long" * 20)
    chosen = {"HOST": "0.0.0.0", "OCADMIN_ADMIN_PASSWORD": "Correct-Horse-9"}  # noqa: S104
    console = start(data=data, **chosen, **WITHOUT_SANDBOX).wait_ready()
    assert console.get("/readyz")[1]["status"] == "ok"
    assert "warning: HOST=0.0.0.0 answers on every network" in console.output
    assert "Correct-Horse-9" not in console.output
    assert "password from OCADMIN_ADMIN_PASSWORD" in console.output
    assert sign_in(console, "admin", "Correct-Horse-9").endswith("/metrics")


def test_a_sandbox_that_runs_elsewhere(start: Start, sandbox_process: Sandbox) -> None:
    """It is used as it is: no second one is started."""
    console = start(OCADMIN_SANDBOX_URL=sandbox_process.url).wait_ready()
    assert f"played by the sandbox at {sandbox_process.url}" in console.output
    assert "first synchronisation" in console.output
    assert not any("ocadmin.sandbox" in line for line in below(console.process.pid).values())


def test_load_demo_needs_a_sandbox(tmp_path: Path) -> None:
    answer = manage("load_demo", OCADMIN_DATA_DIR=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.strip().endswith("OCADMIN_SANDBOX_URL is not set: the demonstration data come from a sandbox.")


@pytest.mark.django_db
class TestAdministrator:
    def test_is_made_once(self) -> None:
        made = ensure_administrator()
        user = User.objects.get()
        assert (user.username, user.is_superuser, user.is_staff) == ("admin", True, True)
        assert user.check_password(made.generated_password)
        assert user.memberships.get().role == "admin"
        assert ensure_administrator().username == ""
        assert User.objects.count() == 1

    def test_a_weak_password_of_ones_own_is_taken_and_told(
        self, settings: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings.ENV, "admin_password", "admin")
        made = ensure_administrator()
        assert User.objects.get().check_password("admin")
        assert "weak" in describe(made)
        assert made.generated_password == ""
