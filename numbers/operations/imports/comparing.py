"""A file that is only compared: where it says something else than we have. Texts are compared, nothing is looked up."""

from collections.abc import Callable, Collection, Mapping

from ...assignment import normalise
from ...countries import same_country
from ...lifecycle import Status
from ...models import RowOutcome
from .known_rows import Here
from .lines import Candidate

_NO_GUID = "00000000-0000-0000-0000-000000000000"
_OPERATOR_CONNECT = "operatorconnect"
_NO_LIST = "System."  # PowerShell's Export-Csv writes the type of a list instead of its words
# Teams' words for what a number may be assigned to, and ours (live-platform.md §5.3).
_TEAMS_CAPABILITIES = {
    "userassignment": "UserAssignment",
    "voiceapplicationassignment": "FirstPartyAppAssignment",
    "conferenceassignment": "ConferenceAssignment",
}

Compared = tuple[RowOutcome, dict[str, list[str]]]


def compare(candidate: Candidate, here: Here | None, columns: Collection[str]) -> Compared | None:
    """Whether a number of a file is as it is here, and column by column [here, in the file] where not.

    `columns` are those that the file has: an empty cell says "none". None for a number of another kind, such as Direct
    Routing, that is not here: it is none of ours.
    """
    cells = {**candidate.wish.raw, **candidate.told}
    if here is None:
        return None if of_other_kind(candidate) else (RowOutcome.MISSING_HERE, {})
    changes = {}
    for column, (now, same) in _COLUMNS.items():
        if column in columns:
            there, ours = cells.get(column, "").strip(), now(here)
            if not same(ours, there):
                changes[column] = [ours, there]
    return (RowOutcome.DIFFERS if changes else RowOutcome.UNCHANGED), changes


def of_other_kind(candidate: Candidate) -> bool:
    """Whether a line says that its number is none of Operator Connect."""
    kind = candidate.told.get("numberType", "").replace(" ", "").casefold()
    return bool(kind) and kind != _OPERATOR_CONNECT


def differing(told: Mapping[str, str], here: Here) -> list[str]:
    """Columns that a file cannot change and in which it says something else than is here."""
    found = []
    for column, text in told.items():
        if text and column in _COLUMNS:
            now, same = _COLUMNS[column]
            if not same(now(here), text):
                found.append(column)
    return found


def _guid(ours: str, there: str) -> bool:
    return ours == there.strip("{}").lower().replace(_NO_GUID, "")


def _word(ours: str, there: str) -> bool:
    return ours.casefold() == there.casefold()


def _assignment(ours: str, there: str) -> bool:
    return ours == (normalise(there) or "")


def _words(ours: str, there: str) -> bool:
    return set(filter(None, ours.split(";"))) == {word.strip() for word in _split(there)}


def _country(ours: str, there: str) -> bool:
    return ours == there or bool(ours and there and same_country(ours, there))


def _capabilities_of_teams(ours: str, there: str) -> bool:
    """Only those words that both sides know."""
    if there.startswith(_NO_LIST):
        return True
    told = {_TEAMS_CAPABILITIES.get(word.strip().casefold(), "") for word in _split(there)} - {""}
    return told == set(ours.split(";")) & set(_TEAMS_CAPABILITIES.values())


def _split(text: str) -> list[str]:
    return [part for part in text.replace(",", ";").replace("|", ";").strip("{}").split(";") if part.strip()]


def _text(value: object) -> str:
    return "" if value is None else str(value)


_COLUMNS: Mapping[str, tuple[Callable[[Here], str], Callable[[str, str], bool]]] = {
    "country": (lambda here: here.iso_country_code, _country),
    "callingProfileId": (lambda here: _text(here.calling_profile_id), _guid),
    "usage": (lambda here: here.usage, _word),
    "additionalUsage": (lambda here: ";".join(here.additional_usages), _words),
    "capabilities": (lambda here: ";".join(here.acquired_capabilities), _words),
    "teamsCapability": (lambda here: ";".join(here.acquired_capabilities), _capabilities_of_teams),
    "locationId": (lambda here: _text(here.location_id), _guid),
    "civicAddressId": (lambda here: _text(here.civic_address_id), _guid),
    "assignment": (lambda here: here.assignment_status or "", _assignment),
    "assignedTo": (lambda here: here.assignment_target_id, _word),
    "activationState": (lambda here: here.activation_state, _word),
    "status": (lambda here: Status(here.status).name.replace("_", ""), _word),
    "source": (lambda here: here.source, _word),
}
