"""The data directory and the address: both must be ours alone before anything is started."""

import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import IO

from .problems import CannotRun

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - recognised in order to warn


def lock(data_dir: Path) -> IO[str]:
    """Take the data directory for this process; the returned file has to stay open.

    The kernel lets go of the lock when the process ends, however it ends. Raises CannotRun where somebody has it.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = open(data_dir / "run.lock", "a+", encoding="utf-8")  # noqa: SIM115 - held while we run
    except OSError as error:
        raise CannotRun(f"the data directory {data_dir} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise CannotRun(
            f"another console (process {holder}) runs on the data directory {data_dir}. "
            "Stop that one, or name another directory in OCADMIN_DATA_DIR."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket for the web server, which inherits it: nobody can take the port between check and start.

    Raises CannotRun with the reason in one sentence.
    """
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise CannotRun(f"HOST is {host!r}, which is neither an address nor a name known to this machine.") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1)
    except OSError as error:
        listener.close()
        raise CannotRun(_why_not(host, port, error)) from None
    listener.set_inheritable(True)
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            other = port + 1 if port < 65535 else 8000
            return f"port {port} of {host} is taken by another program. Choose another one, such as PORT={other}."
        case errno.EACCES:
            return f"port {port} may only be used by the system's administrator. Choose a PORT above 1023."
        case errno.EADDRNOTAVAIL:
            return f"HOST is {host!r}, which is not an address of this machine."
        case _:
            return f"cannot listen on {host}:{port}: {error.strerror}."


def dial(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def in_url(host: str) -> str:
    """The host as it is written in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def allowed_hosts(host: str, given: list[str]) -> list[str]:
    """The names the children answer to: those given, and the one they listen on.

    For an address that means every interface: this machine's name and its outward address.
    """
    names = [socket.gethostname(), _outward_address()] if host in EVERYWHERE else [in_url(host)]
    return [*given, *(name for name in names if name and name not in given)]


def _outward_address() -> str:
    """The address this machine uses towards others, empty where it has no network. Sends nothing: UDP only looks up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def free_port() -> int:
    """A loopback TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether a loopback server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
