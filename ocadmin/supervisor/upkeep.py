"""What is done in this process before the others start: database, static files."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from .problems import CannotRun

SECONDS_TO_ANSWER = 5


def open_database() -> None:
    """Connect, without a pool: its threads must not exist when children are forked. Raises CannotRun."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "postgresql":
        options.pop("pool", None)
        options.setdefault("connect_timeout", SECONDS_TO_ANSWER)
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise CannotRun(f"{describe_database()} cannot be used ({_reason(error)}). Check DATABASE_URL.") from None


def describe_database() -> str:
    """The database in words, without its password."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"SQLite, {config['NAME']}"
    port = f":{config['PORT']}" if config["PORT"] else ""
    return f"PostgreSQL, {config['NAME']} at {config['HOST'] or 'the local socket'}{port}"


def migrate() -> int:
    """Bring the database to this version. Returns how many migrations were applied. Raises CannotRun."""
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise CannotRun(f"{describe_database()} cannot be migrated ({_reason(error)}).") from None
    return len(plan)


def collect_static(data_dir: Path) -> bool:
    """Collect the static files where one of them has changed since the last time. True when it was done."""
    mark = data_dir / "static.fingerprint"
    now = _fingerprint()
    if mark.exists() and mark.read_text() == now and (data_dir / "static" / "staticfiles.json").exists():
        return False
    call_command("collectstatic", verbosity=0, interactive=False)
    mark.write_text(now)
    return True


def _fingerprint() -> str:
    """Name, size and time of every static file."""
    digest = hashlib.sha256()
    for name, path in sorted(_static_files()):
        found = path.stat()
        digest.update(f"{name}\0{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _static_files() -> Iterator[tuple[str, Path]]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield f"{getattr(storage, 'prefix', None) or ''}/{name}", Path(storage.path(name))


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
