"""The environment: what is unknown or malformed stops every process with one sentence that tells no secret."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocadmin.environment import BASE_DIR, Environment, read_database, read_environment, read_secret_key

OURS = ("OCADMIN_", "DATABASE_URL", "CELERY_BROKER_URL", "HOST", "PORT")
SECRET = "hunter2-not-to-be-seen"


def load(data: Path, code: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own and run `code` after it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [sys.executable, "-c", f"from ocadmin.settings import *; {code}"],
        cwd=BASE_DIR,
        env=clean | {"OCADMIN_DATA_DIR": str(data)} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def settings_of() -> None:
    """Reads the environment as settings.py does."""
    env = read_environment()
    read_secret_key(env)
    read_database(env)


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The sentence with which a process ends that is given these settings: what settings.py reads, in its order."""

    def read(**env: str) -> str:
        for name in [name for name in os.environ if name.startswith(OURS)]:
            monkeypatch.delenv(name)
        for name, value in ({"OCADMIN_DATA_DIR": str(tmp_path)} | env).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            settings_of()
        return str(ended.value.code)

    return read


def test_every_process_ends_with_the_sentence_and_nothing_else(tmp_path: Path) -> None:
    answer = load(tmp_path, DATABASE_URL=SECRET)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("ocadmin cannot start: the setting DATABASE_URL is not usable: ")
    assert len(answer.stderr.strip().splitlines()) == 1
    assert SECRET not in answer.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("OCADMIN_COLOUR", SECRET, "there is no setting called OCADMIN_COLOUR"),
        ("PORT", "eighty", "the setting PORT is 'eighty', but is not usable"),
        ("PORT", "70000", "the setting PORT is '70000', but is not usable"),
        ("DATABASE_URL", f"mysql://me:{SECRET}@db/oc", "the console runs on PostgreSQL or SQLite"),
        ("DATABASE_URL", f"postgres://me:{SECRET}@db:port/oc", "the setting DATABASE_URL is not usable"),
        ("DATABASE_URL", SECRET, "the setting DATABASE_URL is not usable"),
        ("OCADMIN_DEBUG", "perhaps", "the setting OCADMIN_DEBUG is 'perhaps', but is not usable"),
        ("OCADMIN_LOG_LEVEL", "LOUD", "use DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("OCADMIN_TIME_ZONE", "Mars/Olympus", "use a time zone name such as Europe/London"),
        ("OCADMIN_OPERATOR_URL", "ftp://operator", "use an address that starts with https:// or http://"),
        ("OCADMIN_SECRET_KEY", SECRET, "the setting OCADMIN_SECRET_KEY is not usable: use at least 32 characters"),
        ("OCADMIN_ADMIN_PASSWORD", "hunter2", "OCADMIN_ADMIN_PASSWORD is not usable: use at least 12 characters"),
        ("OCADMIN_ALLOWED_HOSTS", "https://console.example.net", "use host names without scheme, path or blank"),
        ("OCADMIN_ALLOWED_HOSTS", "localhost,console/path", "use host names without scheme, path or blank"),
        ("OCADMIN_ALLOWED_HOSTS", "localhost console", "use host names without scheme, path or blank"),
        ("OCADMIN_TRUSTED_ORIGINS", "console.example.net", "use origins that start with https:// or http://"),
        ("OCADMIN_OPERATOR_URL", "https://operator", "OCADMIN_OPERATOR_URL is set, but OCADMIN_OPERATOR_ID is not"),
        ("OCADMIN_PAGE_SIZE", "0", "the setting OCADMIN_PAGE_SIZE is '0', but is not usable"),
        ("OCADMIN_SYNC_BRAKE_PERCENT", "101", "the setting OCADMIN_SYNC_BRAKE_PERCENT is '101', but is not usable"),
    ],
)
def test_refused_in_one_sentence(refusal: Callable[..., str], name: str, value: str, sentence: str) -> None:
    told = refusal(**{name: value})
    assert told.startswith("ocadmin cannot start: ")
    assert sentence in told
    assert "\n" not in told
    assert SECRET not in told
    assert "hunter2" not in told


def test_a_data_directory_that_cannot_be(refusal: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(OCADMIN_DATA_DIR=str(tmp_path / "file" / "data")) == (
        f"ocadmin cannot start: the data directory {tmp_path}/file/data cannot be used: Not a directory."
    )


def test_lists_are_written_with_commas(tmp_path: Path) -> None:
    answer = load(tmp_path, "print(ALLOWED_HOSTS)", OCADMIN_ALLOWED_HOSTS="console.example.net, 10.0.0.1,")
    assert answer.stdout.strip() == "['console.example.net', '10.0.0.1']"


MICROSOFT = {f"OCADMIN_{name}": SECRET for name in ("OPERATOR_ID", "ENTRA_TENANT", "CLIENT_ID", "CLIENT_SECRET")} | {
    "OCADMIN_OPERATOR_URL": "https://operator.example"
}


@pytest.mark.parametrize("name", ["OPERATOR_ID", "ENTRA_TENANT", "CLIENT_ID", "CLIENT_SECRET"])
def test_microsoft_needs_all_of_them(refusal: Callable[..., str], name: str) -> None:
    told = refusal(**MICROSOFT | {f"OCADMIN_{name}": ""})
    assert f"OCADMIN_OPERATOR_URL is set, but OCADMIN_{name} is not" in told
    assert SECRET not in told


def test_what_is_well_formed_is_taken(tmp_path: Path) -> None:
    given = MICROSOFT | {
        "OCADMIN_SECRET_KEY": "k" * 32,
        "OCADMIN_ADMIN_PASSWORD": "p" * 12,
        "OCADMIN_LOG_LEVEL": "warning",
        "OCADMIN_ALLOWED_HOSTS": ".example.net,*,[::1]",
        "OCADMIN_TRUSTED_ORIGINS": "https://console.example.net,http://localhost:8000",
    }
    answer = load(tmp_path, "print(ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS)", **given)
    assert answer.stdout.strip() == (
        "['.example.net', '*', '[::1]'] ['https://console.example.net', 'http://localhost:8000']"
    ), answer.stderr


def test_the_defaults_need_nothing(tmp_path: Path) -> None:
    answer = load(tmp_path, "print(DATABASES['default']['ENGINE'], DEBUG, ENV.port)")
    assert answer.stdout.split() == ["django.db.backends.sqlite3", "False", "8000"], answer.stderr


def test_the_secret_key_is_made_once_and_for_us_only(tmp_path: Path) -> None:
    first = load(tmp_path, "print(SECRET_KEY)").stdout
    assert len(first.strip()) > 50
    assert load(tmp_path, "print(SECRET_KEY)").stdout == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_sandbox_speaks_for_every_upstream(tmp_path: Path) -> None:
    """No address of the real Microsoft is left when the upstreams are simulated."""
    answer = load(
        tmp_path,
        "print(ENV.entra_url, ENV.operator_url, ENV.graph_url)",
        OCADMIN_SANDBOX_URL="http://127.0.0.1:9/",
        OCADMIN_OPERATOR_URL="https://operator.example",
    )
    assert answer.stdout.split() == [
        "http://127.0.0.1:9/login",
        "http://127.0.0.1:9/oc/v1",
        "http://127.0.0.1:9/graph/v1.0",
    ]


def test_readme_lists_every_setting_with_its_default() -> None:
    """The table of README.md and the class are one truth."""
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", (BASE_DIR / "README.md").read_text(), re.MULTILINE))
    expected = {}
    for name, field in Environment.model_fields.items():
        alias = field.validation_alias
        expected[str(alias) if alias else f"OCADMIN_{name}".upper()] = field.default
    assert sorted(table) == sorted(expected)
    for name, default in expected.items():
        if isinstance(default, bool | int | float) or (isinstance(default, str) and default):
            assert str(default).lower() in table[name].lower(), name
