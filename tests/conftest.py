"""Fixtures for every test: three people, a sandbox that speaks for Microsoft, and the services that may be missing."""

import os
from collections.abc import Generator, Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as properties
from pytest_django.plugin import DjangoDbBlocker

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.environment import use_sandbox
from ocadmin.numbers.models import Customer
from ocadmin.tasks import run, services

from .factories import CustomerFactory, UserFactory, grant
from .sandbox_process import Sandbox

run.SQLITE_PAUSE_SECONDS = 0.0  # no web writer waits here
services.QUICK_SECONDS = 0.0  # no worker runs that could be quick

# How fast a machine is says nothing about a property.
properties.register_profile("ocadmin", deadline=None, suppress_health_check=[HealthCheck.too_slow])
properties.load_profile("ocadmin")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """SBCs of the sandbox have ids of their own (11 to 13), which PostgreSQL's counter does not know of."""
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE sbc_sbc ALTER COLUMN id RESTART WITH 1000")


@pytest.fixture
def contoso(db: None) -> Customer:
    """Bob's customer."""
    return CustomerFactory(full_name="Contoso")


@pytest.fixture
def alice(db: None) -> User:
    """Admin of the whole system."""
    return grant(UserFactory(username="alice"), Role.ADMIN)


@pytest.fixture
def bob(contoso: Customer) -> User:
    """Operator for Contoso only."""
    return grant(UserFactory(username="bob"), Role.OPERATOR, customer=contoso)


@pytest.fixture
def charlie(db: None) -> User:
    """Can sign in, has no role: must be refused everywhere."""
    return UserFactory(username="charlie")


@pytest.fixture
def alice_client(alice: User) -> Client:
    """A browser session of Alice's."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bob_client(bob: User) -> Client:
    """A browser session of Bob's."""
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def charlie_client(charlie: User) -> Client:
    """A browser session of Charlie's."""
    client = Client()
    client.force_login(charlie)
    return client


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox per test process."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox with its demo data, and the settings pointing at it."""
    state = sandbox_process.reset("demo")
    state = sandbox_process.state()
    for name in ("sandbox_url", "entra_url", "operator_url", "graph_url", "graph_scope"):
        monkeypatch.setattr(settings.ENV, name, getattr(settings.ENV, name))
    monkeypatch.setattr(settings.ENV, "operator_id", state["operatorId"])
    monkeypatch.setattr(settings.ENV, "entra_tenant", state["directoryTenantId"])
    monkeypatch.setattr(settings.ENV, "client_id", "console")
    monkeypatch.setattr(settings.ENV, "client_secret", "sandbox-only-secret")
    use_sandbox(settings.ENV, sandbox_process.url)
    return sandbox_process


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that ask the database: another database may answer them differently."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        case = getattr(item, "cls", None)
        if (
            item.get_closest_marker("django_db")
            or fixtures & {"db", "transactional_db", "live_server"}
            or (case is not None and issubclass(case, TransactionTestCase))
        ):
            item.add_marker(pytest.mark.database)


def _not_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With OCADMIN_REQUIRE_SERVICES=1 a test that is skipped is a test that failed: the service has to be there."""
    if report.outcome == "skipped" and os.environ.get("OCADMIN_REQUIRE_SERVICES") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}: OCADMIN_REQUIRE_SERVICES=1 does not allow to skip"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skipped tests."""
    report = yield
    _not_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skipped files."""
    report = yield
    _not_skipped(report)
    return report
