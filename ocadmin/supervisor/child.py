"""One child process: started on a leash, read without waiting, remembered by its last lines."""

import ctypes
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
PR_SET_PDEATHSIG = 1
LAST_LINES = 20

# Loaded here, not in the child: between fork and exec as little as possible may happen.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(parent: int, number: int = signal.SIGKILL) -> bool:
    """Let the kernel send this process the signal `number` when its parent dies. Linux only, elsewhere nothing happens.

    `parent` is the process id that the caller believes to be its parent. False: it had died before, so that the
    signal will never come.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number)
    return os.getppid() == parent


def leash() -> Callable[[], None]:
    """What a child runs before its program: it dies with this process, even where this one is killed with -9."""
    parent = os.getpid()

    def tie() -> None:
        if not end_with_parent(parent):
            os._exit(1)

    return tie


@dataclass(frozen=True)
class Command:
    """What to run under which name.

    `once`: it ends by itself and is not started again. `last`: it ends after the others. `quiet`: its output is only
    shown when it has died.
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    once: bool = False
    last: bool = False
    quiet: bool = False
    fds: tuple[int, ...] = ()


@dataclass
class Child:
    """A started command. `mute`: it has closed its output, there is nothing more to wait for."""

    command: Command
    process: subprocess.Popen[bytes]
    mute: bool = False
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    _rest: bytes = b""

    @classmethod
    def start(cls, command: Command) -> "Child":
        """Start it in a session of its own, so that Ctrl-C at the terminal reaches the supervisor only."""
        process = subprocess.Popen(  # noqa: S603 - the commands are ours
            command.argv,
            env=command.env,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=command.fds,
            preexec_fn=leash(),  # safe: the supervisor has one thread
        )
        os.set_blocking(cls._pipe(process), False)
        return cls(command, process)

    @staticmethod
    def _pipe(process: subprocess.Popen[bytes]) -> int:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        return process.stdout.fileno()

    @property
    def pipe(self) -> int:
        """The file descriptor of its output."""
        return self._pipe(self.process)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self.process.poll() is None

    def read(self) -> list[str]:
        """The lines it has written since the last call; never waits. A line without an end is kept for later."""
        while True:
            try:
                chunk = os.read(self.pipe, 65536)
            except BlockingIOError:
                break
            if not chunk:
                self.mute = True
                break
            self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        return self._remember(lines)

    def read_rest(self) -> list[str]:
        """What is left when it has ended, an unfinished last line included."""
        lines = self.read()
        rest, self._rest = self._rest, b""
        return lines + self._remember([rest] if rest else [])

    def _remember(self, lines: list[bytes]) -> list[str]:
        texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
        self.last_lines.extend(text for text in texts if text.strip())
        return texts

    def how_it_ended(self) -> str:
        """Exit code or signal in words, for a sentence that starts with its name."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def send(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.alive:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """Kill whatever is left of it and of its own children."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # nothing is left (macOS says the latter about zombies)
            return
