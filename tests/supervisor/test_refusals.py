"""What cannot run says so in one sentence, before anything is started."""

import socket
from pathlib import Path

import pytest

from tests.sandbox_process import free_port

from .console_process import WITHOUT_SANDBOX, ConsoleProcess, manage

pytestmark = pytest.mark.slow


def refused(data: Path, **env: str) -> str:
    """The sentence with which `run` ends."""
    answer = manage("run", OCADMIN_DATA_DIR=str(data), **({"PORT": str(free_port())} | env))
    assert answer.returncode == 1, answer.stdout
    assert "Traceback" not in answer.stderr + answer.stdout
    assert "sandbox ready" not in answer.stdout
    sentences = answer.stderr.strip().splitlines()
    assert len(sentences) == 1, answer.stderr
    return sentences[0]


def test_taken_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is taken by another program" in refused(tmp_path, PORT=str(port))
    assert not (tmp_path / "ocadmin.sqlite3").exists()


def test_second_run_on_the_same_data(console: ConsoleProcess, tmp_path: Path) -> None:
    text = refused(tmp_path / "data", **WITHOUT_SANDBOX)
    assert f"another console (process {console.process.pid}) runs on the data directory" in text
    assert console.get("/readyz")[0] == 200


def test_address_of_somebody_else(tmp_path: Path) -> None:
    assert "HOST is '192.0.2.1', which is not an address of this machine" in refused(tmp_path, HOST="192.0.2.1")
    assert "which is neither an address nor a name" in refused(tmp_path, HOST="no such host")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "postgres://me:hidden@127.0.0.1:9/none", "PostgreSQL, none at 127.0.0.1:9 cannot be used"),
        ("CELERY_BROKER_URL", "redis://:hidden@127.0.0.1:9/0", "does not answer"),
        ("CELERY_BROKER_URL", "memory://hidden", "CELERY_BROKER_URL is not usable"),
        ("OCADMIN_SANDBOX_URL", "http://127.0.0.1:9", "the sandbox at http://127.0.0.1:9 does not answer"),
        ("OCADMIN_CLIENT_SECRET", "hidden", "OCADMIN_CLIENT_SECRET is set, but OCADMIN_OPERATOR_URL is not"),
    ],
)
def test_what_does_not_answer(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    text = refused(tmp_path, **{name: value})
    assert sentence in text
    assert "hidden" not in text


def test_two_upstreams(tmp_path: Path) -> None:
    text = refused(tmp_path, OCADMIN_SANDBOX_URL="http://127.0.0.1:9", **WITHOUT_SANDBOX)
    assert "exclude each other" in text


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "ocadmin.sqlite3").write_text("this is no database " * 100)
    assert "cannot be used (file is not a database)" in refused(tmp_path, **WITHOUT_SANDBOX)
