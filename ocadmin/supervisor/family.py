"""All children together: their output in one place, restarts of the dead, and one orderly end."""

import selectors
import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import TextIO

from .child import Child, Command
from .problems import CannotRun

DEATHS = 5
WITHIN_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
ROUND_SECONDS = 0.5
GRACE_SECONDS = 8.0
LAST_GRACE_SECONDS = 3.0
SHOWN_LINES = 5


class Family:
    """The running children. One thread: everything happens inside `tend`."""

    def __init__(self, out: TextIO) -> None:
        self.children: list[Child] = []
        self._out = out
        self._selector = selectors.DefaultSelector()
        self._deaths: dict[str, deque[float]] = defaultdict(deque)
        self._due: list[tuple[float, Command]] = []

    def say(self, text: str, name: str = "run") -> None:
        """Write lines under a name."""
        for line in text.splitlines() or [""]:
            self._out.write(f"{name:<7} | {line}\n")
        self._out.flush()

    def start(self, command: Command) -> Child:
        """Start a child and watch it."""
        child = Child.start(command)
        self.children.append(child)
        self._selector.register(child.pipe, selectors.EVENT_READ, child)
        return child

    def tend(self, seconds: float = ROUND_SECONDS) -> None:
        """Wait up to `seconds` for output, pass it on, notice the dead, restart those whose pause is over.

        Raises CannotRun where a child has died too often.
        """
        self._listen(seconds)
        for child in [child for child in self.children if not child.alive]:
            self._bury(child)
        now = time.monotonic()
        for due in [due for due in self._due if due[0] <= now]:
            self._due.remove(due)
            self.start(due[1])

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Tend until the condition holds. False when it does not hold after `seconds`."""
        ends = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= ends:
                return False
            self.tend(0.05)
        return True

    def run_once(self, command: Command) -> int:
        """Run a command that ends by itself, tending the others meanwhile. Returns its exit code."""
        child = self.start(command)
        while child in self.children:
            self.tend()
        return child.process.returncode

    def stop(self) -> None:
        """End everything: first those that use the others, then the others. TERM, and KILL for who does not go."""
        self._due.clear()
        try:
            self._end([child for child in self.children if not child.command.last], GRACE_SECONDS)
            self._end(list(self.children), LAST_GRACE_SECONDS)
        finally:
            for child in self.children:
                child.kill_group()
            self.children.clear()

    def _end(self, children: list[Child], seconds: float) -> None:
        for child in children:
            child.send(signal.SIGTERM)
        ends = time.monotonic() + seconds
        while any(child.alive for child in children) and time.monotonic() < ends:
            self._listen(0.05)
        for child in children:
            if child.alive:
                self.say(f"{child.command.name} did not end within {seconds:.0f} s and is killed")
            self._remove(child)

    def _bury(self, child: Child) -> None:
        """A child has ended by itself: report it and plan its restart. Raises CannotRun when that is no use."""
        self._remove(child)
        name = child.command.name
        if child.command.once:
            return
        now = time.monotonic()
        deaths = self._deaths[name]
        deaths.append(now)
        while deaths[0] < now - WITHIN_SECONDS:
            deaths.popleft()
        if len(deaths) >= DEATHS:
            last = "\n".join(f"    {line}" for line in child.last_lines) or "    (it wrote nothing)"
            raise CannotRun(
                f"{name} {child.how_it_ended()}, for the {len(deaths)}th time within a minute. Its last lines:\n{last}"
            )
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (len(deaths) - 1), LONGEST_PAUSE_SECONDS)
        self.say(f"{name} {child.how_it_ended()}; it is started again in {pause:g} s. Its last lines:")
        for line in list(child.last_lines)[-SHOWN_LINES:] or ["(it wrote nothing)"]:
            self.say(f"    {line}")
        self._due.append((now + pause, child.command))

    def _remove(self, child: Child) -> None:
        """Forget a child, with what it left behind: its last output and its own children."""
        child.kill_group()
        child.process.wait()
        self._pass_on(child, child.read_rest())
        if child.pipe in self._selector.get_map():
            self._selector.unregister(child.pipe)
        if child.process.stdout is not None:
            child.process.stdout.close()
        self.children.remove(child)

    def _listen(self, seconds: float) -> None:
        """Wait up to `seconds` for output and pass it on."""
        for key, _events in self._selector.select(seconds):
            child: Child = key.data
            self._pass_on(child, child.read())
            if child.mute:
                self._selector.unregister(child.pipe)

    def _pass_on(self, child: Child, lines: list[str]) -> None:
        for line in [] if child.command.quiet else lines:
            self.say(line, child.command.name)
