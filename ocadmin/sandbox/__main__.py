"""``python -m ocadmin.sandbox``: read the arguments, start, and stop cleanly."""

from __future__ import annotations

import argparse
import fcntl
import ipaddress
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from .seeds import SEEDS
from .server import SandboxServer
from .world import Options, World


class Parser(argparse.ArgumentParser):
    """Refuses with one sentence instead of the usage text."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for any argument it cannot use."""
        refuse(message)


def refuse(message: str) -> NoReturn:
    """Say on standard error why nothing was started; exit code 2."""
    print(f"sandbox: {message}", file=sys.stderr)
    raise SystemExit(2)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Arguments, with SIM_* environment variables as their defaults."""
    env = os.environ.get
    parser = Parser(prog="python -m ocadmin.sandbox", description=__doc__, allow_abbrev=False)
    parser.add_argument("--host", default=env("SIM_HOST", "127.0.0.1"), help="loopback only")
    parser.add_argument("--port", default=env("SIM_PORT", "8901"), help="0 picks a free one")
    parser.add_argument("--data", default=env("SIM_DATA"), help="directory for the state")
    parser.add_argument("--seed", default=env("SIM_SEED", "demo"), help=", ".join(SEEDS))
    parser.add_argument("--numbers", default=env("SIM_NUMBERS", "50000"), help="with large")
    parser.add_argument("--token-life", default=env("SIM_TOKEN_LIFE", "3599"), help="seconds")
    parser.add_argument(
        "--control", action=argparse.BooleanOptionalAction, default=None, help="serve /_sim"
    )
    return parser.parse_args(arguments)


def whole(text: str, name: str, low: int, high: int) -> int:
    """A whole number within limits, or a refusal to start."""
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        refuse(f"--{name} must be a whole number from {low} to {high}, not '{text}'")
    return int(text)


def loopback(host: str) -> str:
    """The address to listen on; the sandbox must not be reachable from elsewhere."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        refuse(f"--host must be a loopback address such as 127.0.0.1, not '{host}'")
    if not address.is_loopback:
        refuse(f"--host must be a loopback address such as 127.0.0.1, not '{host}'")
    return host


def control_wanted(flag: bool | None) -> bool:
    """The flag decides; without it SIM_CONTROL does."""
    value = os.environ.get("SIM_CONTROL", "0")
    if value not in ("", "0", "1"):
        refuse(f"SIM_CONTROL must be 0 or 1, not '{value}'")
    return value == "1" if flag is None else flag


def data_directory(text: str | None) -> tuple[Path, IO[str]]:
    """The directory, created if need be, and the open file whose lock makes it ours alone."""
    if not text:
        refuse("--data DIR is required: it names the directory that holds the state")
    directory = Path(text)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = open(directory / "sandbox.lock", "w")  # noqa: SIM115 - held while we run
    except OSError as error:
        refuse(f"--data '{text}' cannot be used: {error.strerror}")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        refuse(f"--data '{text}' is in use by another sandbox")
    return directory, lock


def listen(host: str, port: int) -> SandboxServer:
    """A server that holds the port, or a refusal to start."""
    try:
        return SandboxServer(host, port)
    except OSError as error:
        refuse(f"cannot listen on {host}:{port}: {error.strerror or error}")


def open_world(directory: Path, options: Options) -> World:
    """The stored world, or a new one; says so when a different seed was asked for."""
    world = World(directory, options)
    stored = world.store.setting("seed")
    if stored != options.seed:
        note = f"sandbox: keeping the '{stored}' world found in {directory}; --seed is ignored"
        print(note, file=sys.stderr)
    return world


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT."""
    given = parse(arguments)
    host, port = loopback(given.host), whole(given.port, "port", 0, 65_535)
    if given.seed not in SEEDS:
        refuse(f"--seed must be one of {', '.join(SEEDS)}, not '{given.seed}'")
    options = Options(
        seed=given.seed,
        numbers=whole(given.numbers, "numbers", 0, 5_000_000),
        token_life=whole(given.token_life, "token-life", 1, 86_400),
        control=control_wanted(given.control),
        **Options.credentials_from_environment(),
    )
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    directory, lock = data_directory(given.data)
    with lock, listen(host, port) as server:
        try:
            server.world = open_world(directory, options)
        except Exception as error:  # any damaged file ends here, in one sentence
            refuse(f"--data '{directory}' cannot be read: {error}")
        _run(server)
    return 0


def _run(server: SandboxServer) -> None:
    """Serve until a signal; ``shutdown`` must come from another thread than ``serve_forever``."""

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"sandbox ready on http://{server.address}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.world.close()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """A signal before the server runs: a half-written world is simply written again next time."""
    raise SystemExit(0)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Threads of open connections are abandoned, not joined.
    os._exit(code)
