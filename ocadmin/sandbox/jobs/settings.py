"""How long jobs take and how they behave, changeable through ``PUT /_sim/state``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exchange import Json, Refusal

if TYPE_CHECKING:
    from ..store import Store

# Virtual seconds, as upstreams.md 9.4 has them.
DURATIONS: dict[str, dict[str, float]] = {
    "uploads": {"pending": 2, "inProgress": 5, "perNumber": 0.005},
    "releases": {"pending": 2, "inProgress": 5, "perNumber": 0},
    "capability-updates": {"pending": 2, "inProgress": 5, "perNumber": 0},
    "location-updates": {"pending": 2, "inProgress": 5, "perNumber": 0},
    "unassign": {"pending": 1, "inProgress": 3, "perNumber": 0},
    "release-requests": {"approved": 5},
}
DEFAULTS: Json = {
    "durations": DURATIONS,
    "lag": 10,
    "hold": dict.fromkeys((kind for kind in DURATIONS if kind != "release-requests"), False),
    "expiry": 86_400,
    "retention": 7 * 86_400,
    "retryNewJobId": False,
    "magicSuffixes": True,
    "failures": {},
    "limits": {"perMinute": 0, "releases": 10, "releasesSeconds": 10},
}
_KEY = "jobs"
_LONGEST = 10**9


class JobSettings:
    """The settings in force; they are part of the world and go with it when it is reset."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> Json:
        """Every setting, changed or not."""
        changed: Json = self._store.setting(_KEY) or {}
        return {**DEFAULTS, **changed}

    def get(self, name: str) -> Any:
        """One setting of ``DEFAULTS``."""
        return self.all()[name]

    def duration(self, kind: str, phase: str) -> float:
        """Virtual seconds a phase lasts."""
        return float(self.all()["durations"][kind][phase])

    def change(self, body: Json) -> None:
        """Merge the settings found in ``body``; what is not understood is refused with 400."""
        values = self.all()
        for name in set(body) & set(DEFAULTS):
            values[name] = _merged(name, values[name], body[name])
        self._store.set_setting(_KEY, values)


def _merged(name: str, known: Any, given: Any) -> Any:
    if name == "durations":
        return _durations(known, given)
    if name == "failures":
        return _failures(known, given)
    if isinstance(known, bool):
        return _boolean(name, given)
    if isinstance(known, dict):
        parts = _parts(name, known, given)
        check = _boolean if name == "hold" else _whole if name == "limits" else _seconds
        return {**known, **{key: check(f"{name}.{key}", value) for key, value in parts.items()}}
    return _seconds(name, given)


def _durations(known: Json, given: Any) -> Json:
    """A number is meant for every phase: ``0`` makes a sandbox that answers at once."""
    if not isinstance(given, dict):
        given = dict.fromkeys(known, given)
    merged = dict(known)
    for kind, phases in _parts("durations", known, given).items():
        if not isinstance(phases, dict):
            phases = dict.fromkeys(known[kind], phases)
        checked = {
            phase: _seconds(f"durations.{kind}.{phase}", value)
            for phase, value in _parts(f"durations.{kind}", known[kind], phases).items()
        }
        merged[kind] = {**known[kind], **checked}
    return merged


def _failures(known: Json, given: Any) -> Json:
    """Number -> code with which its next jobs fail; null takes a number out again."""
    if not isinstance(given, dict):
        raise _refused("failures is an object of telephone numbers and error codes.")
    merged = {**known, **given}
    if not all(code is None or isinstance(code, str) for code in merged.values()):
        raise _refused("failures is an object of telephone numbers and error codes.")
    return {number: code for number, code in merged.items() if code}


def _parts(name: str, known: Json, given: Any) -> Json:
    if not isinstance(given, dict) or set(given) - set(known):
        raise _refused(f"{name} may contain {', '.join(known)}.")
    return given


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refused(f"{name} is true or false.")
    return value


def _whole(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _LONGEST:
        raise _refused(f"{name} is a whole number that is not negative.")
    return value


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise _refused(f"{name} is a number of seconds that is not negative.")
    return value


def _refused(text: str) -> Refusal:
    return Refusal(400, "InvalidState", text)
