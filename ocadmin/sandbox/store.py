"""Everything the sandbox remembers, in one SQLite file.

One connection is shared by all threads under one lock: a request is handled as a whole while the
lock is held, which makes every request atomic without further thought.  Write-ahead logging keeps
what was committed when the process is killed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .jobs.schema import SCHEMA as JOB_SCHEMA
from .sbc.schema import SCHEMA as SBC_SCHEMA

SCHEMA = """
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE document (
    kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE number (
    id INTEGER PRIMARY KEY, telephone_number TEXT NOT NULL, tenant INTEGER NOT NULL,
    status INTEGER NOT NULL, country TEXT NOT NULL, assignment TEXT, body TEXT NOT NULL
);
CREATE TABLE platform_number (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE token (
    token TEXT PRIMARY KEY, audience TEXT NOT NULL, tenant_id TEXT NOT NULL,
    client_id TEXT NOT NULL, roles TEXT NOT NULL, expires_at REAL NOT NULL
) WITHOUT ROWID;
"""

# The lists are read through these two alone: they hold every column that can be filtered on, so
# that skipping 900,000 rows never touches the rows themselves.
INDEXES = """
CREATE UNIQUE INDEX number_in_order
    ON number (telephone_number, tenant, status, country, assignment);
CREATE INDEX number_of_tenant
    ON number (tenant, telephone_number, status, country, assignment);
CREATE INDEX number_by_status ON number (status, telephone_number);
CREATE INDEX platform_number_of_tenant ON platform_number (tenant_id, status, id);
"""

Builder = Callable[[sqlite3.Connection], None]


def _merged(body: str, changes: str | None) -> str:
    """JSON objects laid over each other, for use in SQL; unlike json_patch it keeps nulls."""
    if changes is None:
        return body
    return json.dumps({**json.loads(body), **json.loads(changes)}, ensure_ascii=False)


class Store:
    """The database file and the connection to it."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "sandbox.sqlite3"
        self.lock = threading.RLock()
        self.version = 0
        self._documents: dict[str, dict[str, Any]] = {}
        self._connection: sqlite3.Connection | None = None
        if self.path.exists():
            self._open()

    @property
    def is_empty(self) -> bool:
        """True until a world has been built."""
        return self._connection is None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection; hold ``lock`` while using it."""
        if self._connection is None:
            raise RuntimeError("the sandbox has no world yet")
        return self._connection

    def _open(self) -> None:
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-65536")
        connection.create_function("merged", 2, _merged, deterministic=True)
        connection.executescript(JOB_SCHEMA + SBC_SCHEMA)
        self._connection = connection
        self.touch()
        self._documents.clear()

    def close(self) -> None:
        """Close the connection, which also folds the write-ahead log into the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rebuild(self, build: Builder) -> None:
        """Replace the whole world by what ``build`` writes; tokens are kept.

        The new world is written to a second file without journal and takes the place of the old one
        only when it is complete: fast, and a crash half way leaves the old world.
        """
        with self.lock:
            fresh = self.path.with_name("seeding.sqlite3")
            fresh.unlink(missing_ok=True)
            connection = sqlite3.connect(fresh, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode=OFF")
                connection.execute("PRAGMA synchronous=OFF")
                connection.executescript(SCHEMA + JOB_SCHEMA + SBC_SCHEMA)
                connection.execute("BEGIN")
                build(connection)
                self._copy_tokens(connection)
                connection.execute("COMMIT")
                connection.executescript(INDEXES)
            finally:
                connection.close()
            self.close()
            fresh.replace(self.path)
            self._open()

    def _copy_tokens(self, target: sqlite3.Connection) -> None:
        if self._connection is not None:
            rows = self._connection.execute("SELECT * FROM token")
            target.executemany("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?)", rows)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; may be nested, the outermost one commits."""
        with self.lock:
            connection = self.connection
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                self.touch()
                self._documents.clear()
                raise
            connection.execute("COMMIT")

    def touch(self) -> None:
        """Say that numbers have changed, so that what was learnt about pages is forgotten."""
        self.version += 1

    def setting(self, key: str) -> Any:
        """A remembered value, None when it was never set."""
        sql = "SELECT value FROM setting WHERE key = ?"
        row = self.connection.execute(sql, (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def set_setting(self, key: str, value: Any) -> None:
        """Remember a value that can be written as JSON."""
        sql = "INSERT OR REPLACE INTO setting VALUES (?, ?)"
        self.connection.execute(sql, (key, json.dumps(value)))

    def documents(self, kind: str) -> dict[str, Any]:
        """All documents of a kind by id, in their order; do not change them, use ``put``.

        Kinds: ``tenant``, ``profile``, ``address``, ``sbc``.
        """
        if kind not in self._documents:
            sql = "SELECT id, body FROM document WHERE kind = ? ORDER BY position"
            rows = self.connection.execute(sql, (kind,))
            self._documents[kind] = {key: json.loads(body) for key, body in rows}
        return self._documents[kind]

    def put(self, kind: str, key: str, body: dict[str, Any]) -> None:
        """Write a document; a new one takes the last place."""
        known = self.documents(kind)
        order = list(known).index(key) if key in known else len(known)
        sql = "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)"
        self.connection.execute(sql, (kind, key, order, json.dumps(body)))
        self._documents.pop(kind, None)

    def tenant_index(self, tenant_id: str) -> int | None:
        """The small number that stands for a tenant in the number table, None when unknown."""
        known = self.documents("tenant")
        return list(known).index(tenant_id) if tenant_id in known else None
