"""What the environment may say, as checked values; a name or a value that makes no sense stops the process.

One sentence instead of a traceback, because a console that runs with half of its settings is worse than one that does
not run.
"""

import os
import re
import secrets
import sys
import warnings
import zoneinfo
from pathlib import Path
from typing import Annotated, NoReturn

import environ
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
# What a text, or each text of a list, has to match, and how to say so.
FORMS = {
    "secret_key": ("|.{32,}", "use at least 32 characters"),
    "admin_password": ("|.{12,}", "use at least 12 characters"),
    "log_level": ("(?i:DEBUG|INFO|WARNING|ERROR|CRITICAL)", "use DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    "allowed_hosts": (r"[^\s/]+", "use host names without scheme, path or blank, such as console.example.net"),
    "trusted_origins": (r"https?://\S+", "use origins that start with https:// or http://"),
}
REAL_ONLY = ("operator_id", "entra_tenant", "client_id", "client_secret")
API_TOKENS = ("api_jwt_issuer", "api_jwt_audience", "api_jwt_tenant", "api_jwt_jwks_url")


class Environment(BaseSettings):
    """What may be set from outside. Names carry the prefix OCADMIN_ unless an alias is given."""

    model_config = SettingsConfigDict(env_prefix="OCADMIN_", extra="ignore")

    debug: bool = False
    data_dir: Path = BASE_DIR / "var"
    secret_key: str = ""
    allowed_hosts: Annotated[list[str], NoDecode] = ["localhost", "127.0.0.1", "[::1]"]
    trusted_origins: Annotated[list[str], NoDecode] = []
    https: bool = False
    log_level: str = "INFO"
    admin_password: str = ""
    host: str = Field("127.0.0.1", validation_alias="HOST")
    port: int = Field(8000, ge=1, le=65535, validation_alias="PORT")
    database_url: str = Field("", validation_alias="DATABASE_URL")
    celery_broker_url: str = Field("", validation_alias="CELERY_BROKER_URL")
    time_zone: str = "UTC"

    # Microsoft. The operator API has no public specification: paths and scope are settings, see README.
    sandbox_url: str = ""
    operator_id: str = ""
    entra_url: str = "https://login.microsoftonline.com"
    entra_tenant: str = ""
    client_id: str = ""
    client_secret: str = ""
    operator_url: str = ""
    operator_scope: str = "eb63d611-525e-4a31-abd7-0cb33f679599/.default"
    graph_url: str = "https://graph.microsoft.com/v1.0"
    graph_scope: str = "https://graph.microsoft.com/.default"
    http_timeout: float = Field(20, gt=0, le=120)
    page_size: int = Field(1000, ge=1, le=1000)

    # Tokens of an Entra tenant for the REST interface; all four or none
    api_jwt_issuer: str = ""
    api_jwt_audience: str = ""
    api_jwt_tenant: str = ""
    api_jwt_jwks_url: str = ""

    # Work on numbers
    job_size: int = Field(1000, ge=1, le=1000)
    release_grace_seconds: int = Field(10, ge=0, le=86400)
    quarantine_days: int = Field(45, ge=0, le=3650)
    quarantine_countries: Annotated[dict[str, int], NoDecode] = {}

    # Import. A cell of Excel holds 32,767 characters.
    import_max_mb: int = Field(50, ge=1, le=500)
    import_max_rows: int = Field(100_000, ge=1, le=1_000_000)
    import_max_columns: int = Field(100, ge=1, le=16_384)
    import_max_field: int = Field(10_000, ge=1, le=32_767)

    # Export
    export_task_rows: int = Field(200_000, ge=1, le=100_000_000)

    # Files that people bring or fetch
    keep_files_hours: int = Field(24, ge=1, le=720)

    # SBCs
    sbc_health_seconds: int = Field(60, ge=0, le=86400)
    sbc_push_seconds: int = Field(300, ge=0, le=86400)

    # Synchronisation
    sync_minutes: int = Field(60, ge=0, le=10080)
    sync_brake_percent: float = Field(5, ge=0, le=100)
    sync_brake_minimum: int = Field(10, ge=0)

    @field_validator("allowed_hosts", "trusted_origins", mode="before")
    @classmethod
    def split_commas(cls, value: object) -> object:
        """Lists are written with commas, as people write them, not as JSON."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("quarantine_countries", mode="before")
    @classmethod
    def split_countries(cls, value: object) -> object:
        """Days by country are written GB=30,US=90."""
        if not isinstance(value, str):
            return value
        found = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            match = re.fullmatch(r"([A-Za-z]{2})\s*=\s*(\d{1,4})", part)
            if match is None or int(match[2]) > 3650:
                raise ValueError("use countries with days from 0 to 3650, such as GB=30,US=90")
            found[match[1].upper()] = int(match[2])
        return found

    @field_validator(*FORMS)
    @classmethod
    def in_form(cls, value: str | list[str], info: ValidationInfo) -> str | list[str]:
        """Only what FORMS allows."""
        pattern, rule = FORMS[info.field_name or ""]
        if not all(re.fullmatch(pattern, text, re.DOTALL) for text in ([value] if isinstance(value, str) else value)):
            raise ValueError(rule)
        return value

    @field_validator("time_zone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        """A name of the IANA time zone database."""
        if value not in zoneinfo.available_timezones():
            raise ValueError("use a time zone name such as Europe/London")
        return value

    @field_validator("sandbox_url", "entra_url", "operator_url", "graph_url", "api_jwt_jwks_url")
    @classmethod
    def web_address(cls, value: str) -> str:
        """An http(s) address without the trailing slash."""
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("use an address that starts with https:// or http://")
        return value.rstrip("/")


def refuse(problem: str) -> NoReturn:
    """Stop this process with one sentence instead of a traceback."""
    sys.exit(f"ocadmin cannot start: {problem}")


def read_environment() -> Environment:
    """The environment as checked values; exits with a sentence that names the variable, its value and the rule."""
    prefix = Environment.model_config["env_prefix"]
    known = {
        f"{prefix}{name}".upper() for name, field in Environment.model_fields.items() if not field.validation_alias
    }
    known.add("OCADMIN_REQUIRE_SERVICES")  # read by the tests only
    unknown = sorted(name for name in os.environ if name.startswith(prefix) and name not in known)
    if unknown:
        refuse(f"there is no setting called {unknown[0]}. The settings are listed in README.md.")
    try:
        env = Environment()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = field if field.isupper() else f"{prefix}{field}".upper()
        reason = first["msg"].removeprefix("Value error, ")
        shown = "" if "secret" in field or "password" in field else f" is {str(first['input'])!r}, but"
        refuse(f"the setting {name}{shown} is not usable: {reason}.")
    missing = [f"{prefix}{name}".upper() for name in REAL_ONLY if not getattr(env, name)]
    if env.operator_url and not env.sandbox_url and missing:
        refuse(f"OCADMIN_OPERATOR_URL is set, but {missing[0]} is not: Microsoft is reached with both.")
    names = {f"{prefix}{name}".upper(): bool(getattr(env, name)) for name in API_TOKENS}
    given, absent = ([name for name, there in names.items() if there == wanted] for wanted in (True, False))
    if given and absent:
        refuse(f"{given[0]} is set, but {absent[0]} is not: tokens of an Entra tenant are checked against all of them.")
    return env


def use_sandbox(env: Environment, url: str) -> None:
    """Let the stand-in at `url` speak for Microsoft: every upstream address points at it, and every page says so."""
    env.sandbox_url = url
    env.entra_url = f"{url}/login"
    env.operator_url = f"{url}/oc/v1"
    env.graph_url = f"{url}/graph/v1.0"
    env.graph_scope = "graph/.default"


def read_secret_key(env: Environment) -> str:
    """OCADMIN_SECRET_KEY, else the key kept in the data directory, made on the first start and readable by us only."""
    if env.secret_key:
        return env.secret_key
    path = env.data_dir / "secret_key"
    try:
        env.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"the data directory {env.data_dir} cannot be used: {error.strerror}.")
    if not path.exists():
        fresh = path.with_name(f"secret_key.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(fresh, path)  # atomic: of two first starts one wins, both read the same key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()


def read_database(env: Environment) -> dict:
    """Django's DATABASES["default"] from DATABASE_URL; the embedded default is SQLite in the data directory.

    SQLite: WAL with IMMEDIATE transactions, without which two writers end in "database is locked".
    PostgreSQL: psycopg's pool, which excludes persistent connections (CONN_MAX_AGE).
    """
    url = env.database_url or f"sqlite:///{env.data_dir / 'ocadmin.sqlite3'}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unknown schemes, and it shows the password; refused below
            config = environ.Env.db_url_config(url)
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        refuse(
            "the setting DATABASE_URL is not usable: write postgres://user:password@host:5432/name or sqlite:///path."
        )
    engine = str(config.get("ENGINE", ""))
    if engine.endswith("sqlite3"):
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864",
        }
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    elif engine.endswith("postgresql"):
        config["CONN_MAX_AGE"] = 0
        # Compiling a query takes longer than running it: a plan of 100,000 numbers 222 ms with JIT, 60 ms without.
        config["OPTIONS"] = {
            "options": "-c jit=off",
            **config.get("OPTIONS", {}),
            "pool": {"min_size": 1, "max_size": 10, "timeout": 20},
        }
    else:
        refuse("the setting DATABASE_URL is not usable: the console runs on PostgreSQL or SQLite.")
    return config
