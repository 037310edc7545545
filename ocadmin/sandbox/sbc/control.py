"""``/_sim/sbc/{name}``: what happens to an SBC behind the console's back (upstreams.md 9.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..exchange import Json, Refusal, Request, Response
from . import devices, rules
from .rules import Rule

if TYPE_CHECKING:
    from ..world import World

_LONGEST_HANG = 600
_MOST_RULES = 5_000_000


def get(world: World, request: Request) -> Response:
    """``GET``: the SBC with the running and the saved rules of OCDialPlan, or of ``?plan=``.

    A plan that was deleted has no rules.
    """
    device = devices.find(world, request.parameters["name"])
    wanted = request.query.get("plan", devices.OC_DIAL_PLAN)
    shown: Json = {**device, "running": [], "saved": []}
    for plan in devices.plans(device):
        if plan.name == wanted:
            for name, flash in (("running", rules.RUNNING), ("saved", rules.SAVED)):
                shown[name] = [_shown(rule) for rule in rules.of_plan(world.store, plan, flash)]
    return Response(body=shown)


def _shown(rule: Rule) -> Json:
    return {"index": rule.place, "name": rule.name, "prefix": rule.prefix, "tag": rule.tag}


def summary(world: World) -> list[Json]:
    """The SBCs in a few words."""
    shown = ("id", "name", "slug", "fqdn", "ipAddress", "online", "saveNeeded")
    return [
        {key: device[key] for key in shown} | {"rules": rules.count(world.store, device["id"])}
        for device in world.store.documents("sbc").values()
    ]


def post(world: World, request: Request) -> Response:
    """``POST`` any of the keys of ``_CHANGES``, such as ``{"online": false, "capacity": 2000}``."""
    with world.store.transaction():
        return Response(body=change(world, request.parameters["name"], request.json()))


def change(world: World, name: str, body: Json) -> Json:
    """Change the SBC with this slug, in the order of ``_CHANGES``; answers it as it is then.

    400 for what is not understood; the caller's transaction takes back what was written.
    """
    device = devices.find(world, name)
    unknown = sorted(set(body) - set(_CHANGES) - {"slug"})
    if unknown:
        raise _refused(f"Cannot be set: {', '.join(unknown)}.")
    for key, act in _CHANGES.items():
        if key in body:
            device = devices.update(world, device, **act(world, device, key, body[key]))
    return device


def _refused(text: str) -> Refusal:
    return Refusal(400, "InvalidState", text)


def _switch(world: World, device: Json, key: str, value: Any) -> Json:
    if not isinstance(value, bool):
        raise _refused(f"{key} is true or false.")
    return {key: value}


def _words(world: World, device: Json, key: str, value: Any) -> Json:
    if not isinstance(value, str):
        raise _refused(f"{key} is a text.")
    return {key: value}


def _capacity(world: World, device: Json, key: str, value: Any) -> Json:
    """Rules that are there already stay, however many they are."""
    if type(value) is not int or not 0 <= value <= _MOST_RULES:
        raise _refused(f"{key} is a whole number from 0 to {_MOST_RULES}.")
    return {key: value}


def _hang(world: World, device: Json, key: str, value: Any) -> Json:
    """Real seconds until the SBC answers, or until it hangs up while it is offline."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value <= _LONGEST_HANG:
        raise _refused(f"{key} is a number of seconds from 0 to {_LONGEST_HANG}.")
    return {key: value, "runningUntil": 0}


def _alarms(world: World, device: Json, key: str, value: Any) -> Json:
    """The alarms are these, oldest first: texts, or objects ``{"description"}``."""
    texts = value if isinstance(value, list) else [None]
    texts = [one.get("description") if isinstance(one, dict) else one for one in texts]
    if not all(isinstance(text, str) for text in texts):
        raise _refused("alarms is a list of descriptions.")
    return {key: [{"id": str(at), "description": text} for at, text in enumerate(texts, start=1)]}


def _delete_plan(world: World, device: Json, key: str, value: Any) -> Json:
    """A plan goes with its rules, saved ones included."""
    found = next((plan for plan in devices.plans(device) if plan.name == value), None)
    if found is None:
        raise _refused(f"The SBC has no dial plan '{value}'.")
    for flash in (rules.RUNNING, rules.SAVED):
        rules.empty(world.store, found, flash)
    return {"plans": [one for one in device["plans"] if one["name"] != value]}


def _rules(world: World, device: Json, key: str, value: Any) -> Json:
    """OCDialPlan has these rules and no others, running and saved; a deleted plan comes back."""
    given = _read_rules(value)
    known = [one for one in device["plans"] if one["name"] != devices.OC_DIAL_PLAN]
    original = next(one for one in devices.DEFAULTS["plans"] if one["name"] == devices.OC_DIAL_PLAN)
    changed = {"plans": sorted([*known, original], key=lambda one: int(one["index"]))}
    plan = devices.plan({**device, **changed}, devices.OC_DIAL_PLAN)
    for flash in (rules.RUNNING, rules.SAVED):
        rules.replace(world.store, plan, given, flash)
    return changed


def _read_rules(value: Any) -> list[Rule]:
    """Objects ``{"prefix", "name", "tag", "index"}``; without index they are numbered from 0."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _refused("rules is a list of objects with prefix, name, tag and index.")
    found = []
    for place, one in enumerate(value):
        texts = {field: one.get(field, "") for field in ("name", "prefix", "tag")}
        index = one.get("index", place)
        if type(index) is not int or not all(isinstance(text, str) for text in texts.values()):
            raise _refused(f"Rule {place}: index is a whole number, the rest are texts.")
        for field, text in texts.items():
            if wrong := rules.problem(field, text):
                raise _refused(f"Rule {place}: {wrong}.")
        found.append(Rule(index, **texts))
    if len({rule.place for rule in found}) < len(found):
        raise _refused("Two rules have the same index.")
    if len({rule.prefix for rule in found}) < len(found):
        raise _refused("Two rules have the same prefix.")
    return found


def _restart(world: World, device: Json, key: str, value: Any) -> Json:
    """What was not saved is lost (upstreams.md 9.7 F24)."""
    if not _switch(world, device, key, value)[key]:
        return {}
    rules.copy(world.store, device["id"], rules.SAVED, rules.RUNNING)
    return {"saveNeeded": False, "startedAt": world.clock.now(), "runningUntil": 0}


_Change = Callable[["World", Json, str, Any], Json]
_CHANGES: dict[str, _Change] = {
    "online": _switch,
    "haSync": _switch,
    "locked": _switch,
    "highAvailability": _words,
    "saveNeeded": _switch,
    "capacity": _capacity,
    "hang": _hang,
    "alarms": _alarms,
    "deletePlan": _delete_plan,
    "rules": _rules,
    "restart": _restart,
}
