"""The sandbox's own time, so that tests need not wait for real minutes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Protocol


class Settings(Protocol):
    """Where the clock remembers itself between two starts."""

    def setting(self, key: str) -> Any:
        """A remembered value, None when it was never set."""

    def set_setting(self, key: str, value: Any) -> None:
        """Remember a value that can be written as JSON."""


class Clock:
    """Virtual time in seconds since 1970.

    In ``real`` mode it runs ``speed`` times as fast as the wall clock; in ``manual`` mode it stands
    still until it is advanced.  Both survive a restart: what is stored is an anchor (a pair of real
    and virtual time), so that a real clock also counts the time during which nothing ran.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.load()

    def load(self) -> None:
        """Read the stored state; without one, follow the wall clock."""
        state = self._settings.setting("clock") or {}
        self.mode: str = state.get("mode", "real")
        self.speed: float = state.get("speed", 1.0)
        self._real: float = state.get("real", 0.0)
        self._virtual: float = state.get("virtual", 0.0)

    def now(self) -> float:
        """Virtual seconds since 1970, UTC."""
        if self.mode == "manual":
            return self._virtual
        return self._virtual + (time.time() - self._real) * self.speed

    def set(self, mode: str, speed: float, at: float | None = None) -> None:
        """Change mode and speed; ``at`` (virtual seconds) moves the hands, None leaves them."""
        virtual = self.now() if at is None else at
        self.mode, self.speed = mode, speed
        self._anchor(virtual)

    def advance(self, seconds: float) -> None:
        """Move forward by virtual seconds, in either mode."""
        self._anchor(self.now() + seconds)

    def _anchor(self, virtual: float) -> None:
        self._real, self._virtual = time.time(), virtual
        state = {"mode": self.mode, "speed": self.speed, "real": self._real, "virtual": virtual}
        self._settings.set_setting("clock", state)

    def stamp(self) -> str:
        """Now as ISO-8601 with ``Z`` and whole seconds."""
        return iso(self.now())

    def describe(self) -> dict[str, Any]:
        """State for the control plane."""
        return {"mode": self.mode, "speed": self.speed, "now": self.stamp()}


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO-8601 with ``Z`` and whole seconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
