"""The same command on PostgreSQL and Redis."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from .conftest import TEST_DATABASE_URL, TEST_REDIS_URL, Start
from .console_process import WITHOUT_SANDBOX, below

pytestmark = [pytest.mark.slow, pytest.mark.services]


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of this test's own."""
    name = f"ocadmin_run_{os.getpid()}"
    try:
        admin = psycopg.connect(TEST_DATABASE_URL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL")
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(TEST_DATABASE_URL)._replace(path=f"/{name}"))
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def broker_url() -> str:
    """A Redis that answers."""
    try:
        redis.Redis.from_url(TEST_REDIS_URL, socket_connect_timeout=2).ping()
    except redis.RedisError:
        pytest.skip("no Redis")
    return TEST_REDIS_URL


def test_postgresql_and_redis(start: Start, database_url: str, broker_url: str) -> None:
    env = {"DATABASE_URL": database_url, "CELERY_BROKER_URL": broker_url, **WITHOUT_SANDBOX}
    console = start(**env).wait_ready()
    assert "PostgreSQL, ocadmin_run_" in console.output
    assert "given in CELERY_BROKER_URL" in console.output
    assert not any("unixsocket" in line for line in below(console.process.pid).values())
    assert console.get("/readyz")[1]["status"] == "ok"
    assert console.end() == 0
