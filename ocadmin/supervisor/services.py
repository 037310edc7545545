"""The processes of the console, as command lines."""

import os
import sys
from pathlib import Path

from . import broker
from .child import Command
from .upstream import Sandbox

PRIVATE = ("OCADMIN_", "DATABASE_URL", "CELERY_BROKER_URL")


def environment(more: dict[str, str]) -> dict[str, str]:
    """Our environment with `more`, for processes of the console."""
    return os.environ | {"PYTHONUNBUFFERED": "1"} | more


def foreign_environment() -> dict[str, str]:
    """Our environment without the console's settings and secrets, for processes that have no business with them."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}


def broker_server(binary: str, socket: Path, data_dir: Path) -> Command:
    """The embedded broker. Its greetings fill a screen and cannot be switched off, so it is quiet."""
    return Command("broker", broker.argv(binary, socket, data_dir), foreign_environment(), last=True, quiet=True)


def sandbox_server(sandbox: Sandbox, data_dir: Path) -> Command:
    """The stand-in for Microsoft and the SBCs."""
    env = foreign_environment() | {"PYTHONUNBUFFERED": "1"}
    return Command("sandbox", sandbox.argv(data_dir), env, last=True)


def worker(env: dict[str, str]) -> Command:
    """The Celery worker. Threads: its work is waiting for HTTP and for the database, slices are bounded by the engine
    so that no hard time limit is needed, and four threads take 120 MB less than four processes.
    """
    options = ["--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    # Seven lines about running as root at every start; start.py says it in one.
    env = env | {"PYTHONWARNINGS": "ignore::UserWarning:celery.platforms"}
    return Command("worker", [*_celery("worker"), *options], env)


def beat(env: dict[str, str]) -> Command:
    """Celery's clock."""
    return Command("beat", _celery("beat"), env)


def web(env: dict[str, str], descriptor: int) -> Command:
    """The web server, on a socket that the supervisor holds: a restart refuses nobody.

    The application is loaded once, before the two worker processes are forked: less memory, and an error in it ends
    the server at once.
    """
    options = {
        "config": "python:ocadmin.supervisor.gunicorn_config",
        "bind": f"fd://{descriptor}",
        "worker-class": "gthread",
        "workers": "2",
        "threads": "4",
        "graceful-timeout": "5",
        "timeout": "60",
        "log-level": "warning",
    }
    pairs = [part for name, value in options.items() for part in (f"--{name}", value)]
    argv = [sys.executable, "-m", "gunicorn", "ocadmin.wsgi", "--preload", *pairs]
    return Command("web", argv, env, fds=(descriptor,))


def load_demo(env: dict[str, str]) -> Command:
    """The demonstration data, on the first start with the sandbox."""
    return Command("demo", [sys.executable, "manage.py", "load_demo"], env, once=True)


def _celery(program: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "ocadmin.celery", "--quiet", program]
