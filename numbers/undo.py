"""What takes a change of a number back: another action, which goes over its own plan; or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from ocadmin.access.models import AuditEntry

from .capabilities import USAGES
from .history import plain
from .models import PhoneNumber


@dataclass(frozen=True)
class Undo:
    """The action (its kind) that takes a change back, and what its form has to say: field to value or values."""

    kind: str
    params: Mapping[str, Any]


def of(entry: AuditEntry) -> Undo | None:
    """What takes the change of an entry about a number back, as far as the entry tells; None where nothing does.

    Whether it is still possible is judged by the plan of that action.
    """
    match entry.action:
        case "release.requested":
            return Undo("withdraw", {})
        case "location.changed":
            return _location(entry.before, entry.after)
        case "capabilities.changed":
            return _capabilities(entry.before, entry.after)
    return None


def still(entry: AuditEntry, number: PhoneNumber) -> bool:
    """Whether the number's settings still are what the entry made of them."""
    return all(_same(getattr(number, name), entry.after[name]) for name in _SETTINGS if name in entry.after)


def why_not(entry: AuditEntry) -> str:
    """Why nothing takes the change back, and what may be done instead; for entries without an undo."""
    return str(_WHY_NOT.get(entry.action) or _WHY_NOT_ROOM.get(entry.action.partition(".")[0]) or _NOTHING)


def _location(before: Mapping[str, Any], after: Mapping[str, Any]) -> Undo | None:
    """The location before. An address without a location cannot be given back: locations are what is chosen."""
    if before.get("location_id") is None and before.get("civic_address_id") is not None:
        return None
    params = {"location": before.get("location_id") or "clear"}
    allowed, allows = (one.get("allow_tenant_address_update") for one in (before, after))
    if allowed is not None and allowed != allows:
        params["may_change"] = "yes" if allowed else "no"
    return Undo("relocate", params)


def _capabilities(before: Mapping[str, Any], after: Mapping[str, Any]) -> Undo | None:
    """What was taken away is given back, and the other way round."""
    had, has = (one.get("acquired_capabilities") or [] for one in (before, after))
    add = [word for word in USAGES if word in had and word not in has]
    remove = [word for word in USAGES if word in has and word not in had]
    return Undo("capabilities", {"add": add, "remove": remove}) if add or remove else None


def _same(value: Any, told: Any) -> bool:
    """Whether a value is the one that an entry tells; lists count as sets."""
    if isinstance(value, list) or isinstance(told, list):
        return set(value or ()) == set(told or ())
    return bool(plain(value) == told)


_SETTINGS = ("location_id", "civic_address_id", "acquired_capabilities")
_NOTHING = gettext_lazy("There is no action that takes this back.")
_GONE = gettext_lazy(
    "A number that was released cannot be called back. It may be uploaded again: to the same customer at once, to "
    "another one after its quarantine."
)
_WHY_NOT: dict[str, str | Promise] = {
    "release.completed": _GONE,
    "release.failed": gettext_lazy("Nothing was changed, so there is nothing to undo."),
    "release.withdrawn": gettext_lazy("To release the number after all, request its release again."),
    "location.changed": gettext_lazy("It had an address without a location before. Choose a location of that address."),
    "removal.approve": gettext_lazy("The customer has deleted the number, and an approval cannot be taken back."),
    "removal.clear": gettext_lazy(
        "The number is marked again only when Microsoft has listed it as active once more and it goes missing anew, or "
        "the customer asks anew to remove it."
    ),
    "removal.completed": _GONE,
    "sync.released": _GONE,
    "unassign.completed": gettext_lazy("The customer can assign it again; this console does not assign numbers."),
    "upload.accepted": gettext_lazy("To give the number back, release it."),
    "quarantine.ended": gettext_lazy("A quarantine that was ended cannot be set again."),
    "number.change": gettext_lazy("Edit it again in the Django admin."),
}
_WHY_NOT_ROOM: dict[str, str | Promise] = {
    "sync": gettext_lazy("This was done at Microsoft and only read here."),
    "move_in": gettext_lazy("This was read from the other platform; Microsoft's own word overwrites it."),
}
