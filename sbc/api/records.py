"""SBCs and what is known of them as the REST interface shows them: no login, no secret."""

import datetime
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from ninja import Schema

from ocadmin.tasks.models import Task
from sbc import capacity, outstanding
from sbc.models import SBC, DialPlanRule, HealthPeriod, State, WriteStrategy
from sbc.trust import Certificate, read


class Trust(StrEnum):
    """Whose certificate is accepted: none without TLS, the system's authorities, a CA bundle's, or one pinned."""

    NONE = "none"
    SYSTEM = "system"
    BUNDLE = "bundle"
    PINNED = "pinned"


class DeviceFacts(Schema):
    """What the device told of itself when it was last asked."""

    product: str
    version: str
    serialNumber: str
    operationalState: str
    highAvailability: str


class RuleCounts(Schema):
    """Rules of its dial plan: wanted by the console, and seen there. `readAt`: when the whole plan was last read.

    `percentFull`: of the capacity, all dial plans together; null where the capacity is not known.
    """

    wanted: int
    present: int
    percentFull: int | None
    readAt: datetime.datetime | None


class Outstanding(Schema):
    """What the console still has to do there: rules to write and to remove, and whether what it wrote is unsaved."""

    write: int
    remove: int
    save: bool


class SbcRecord(Schema):
    """An SBC. `reasons` say why it is in its state; `problem` is the last thing that went wrong with it.

    `saveNeeded`: its flash is behind, whoever changed something; null: not told. `taskId`: the task that writes to it
    now.
    """

    id: int
    name: str
    fqdn: str | None
    ipAddress: str | None
    restUrl: str | None
    hasLogin: bool
    certificate: Trust
    pinnedFingerprint: str | None
    note: str
    dialPlan: str
    prefixHash: bool
    maxRules: int | None
    writeStrategy: WriteStrategy
    state: State
    stateSince: datetime.datetime | None
    reasons: list[str]
    alarms: list[str]
    problem: str
    problemCode: str
    askedAt: datetime.datetime | None
    saveNeeded: bool | None
    device: DeviceFacts | None
    rules: RuleCounts
    outstanding: Outstanding
    taskId: int | None


class SbcRule(Schema):
    """A rule of the console's. `present`: whether it was seen there as it is wanted; null: never looked.

    `drifted`: it was right and was changed on the device since; a person or program decides.
    """

    id: int
    dialPlan: str
    prefix: str
    name: str
    tag: str
    wanted: bool
    present: bool | None
    drifted: bool
    checkedAt: datetime.datetime | None


class SbcPeriod(Schema):
    """A time in which an SBC was in one state; `until` is null for the present one."""

    id: int
    state: State
    since: datetime.datetime
    until: datetime.datetime | None
    reasons: list[str]
    alarms: list[str]


class SbcCertificate(Schema):
    """What the device presents. `fingerprint`: SHA-256, pairs of hexadecimal digits with colons."""

    subject: str
    issuer: str
    notBefore: datetime.datetime
    notAfter: datetime.datetime
    fingerprint: str


def of_sbcs(sbcs: Collection[SBC]) -> list[dict[str, Any]]:
    """`SbcRecord`s in the same order. Four queries, however many there are."""
    fillings, todos = capacity.fillings(sbcs), outstanding.todos(sbcs)
    keys = {outstanding.key_of(sbc): sbc.pk for sbc in sbcs}
    alive = Task.objects.alive().filter(unique_key__in=keys)
    tasks = {keys[key]: pk for key, pk in alive.values_list("unique_key", "pk")}
    return [_of_sbc(sbc, fillings[sbc.pk], todos[sbc.pk], tasks.get(sbc.pk)) for sbc in sbcs]


def _of_sbc(sbc: SBC, filling: capacity.Filling, todo: outstanding.Todo, task: int | None) -> dict[str, Any]:
    pinned = read(sbc.pinned_certificate).fingerprint if sbc.pinned_certificate else None
    return {
        "id": sbc.pk,
        "name": sbc.name,
        "fqdn": sbc.fqdn or None,
        "ipAddress": sbc.ip_address,
        "restUrl": sbc.rest_url or None,
        "hasLogin": sbc.has_credentials,
        "certificate": _trust(sbc),
        "pinnedFingerprint": pinned,
        "note": sbc.note,
        "dialPlan": sbc.dial_plan,
        "prefixHash": sbc.prefix_hash,
        "maxRules": sbc.max_rules,
        "writeStrategy": sbc.write_strategy,
        "state": sbc.state,
        "stateSince": sbc.state_since,
        "reasons": sbc.reasons,
        "alarms": sbc.alarms,
        "problem": sbc.problem,
        "problemCode": sbc.problem_code,
        "askedAt": sbc.online_checked_at,
        "saveNeeded": sbc.save_needed,
        "device": _device(sbc.told),
        "rules": {
            "wanted": filling.wanted,
            "present": filling.present,
            "percentFull": filling.percent,
            "readAt": filling.read_at,
        },
        "outstanding": {"write": todo.write, "remove": todo.remove, "save": todo.save},
        "taskId": task,
    }


def _trust(sbc: SBC) -> Trust:
    if sbc.rest_url.startswith("http:"):
        return Trust.NONE
    if sbc.pinned_certificate:
        return Trust.PINNED
    return Trust.BUNDLE if sbc.ca_bundle else Trust.SYSTEM


def _device(told: dict[str, Any]) -> dict[str, str] | None:
    if not told:
        return None
    words = {"serialNumber": "serial_number", "operationalState": "operational_state"}
    words |= {"highAvailability": "high_availability", "product": "product", "version": "version"}
    return {name: str(told.get(key) or "") for name, key in words.items()}


def of_rule(rule: DialPlanRule) -> dict[str, Any]:
    """`SbcRule`."""
    return {
        "id": rule.pk,
        "dialPlan": rule.dial_plan,
        "prefix": rule.prefix,
        "name": rule.name,
        "tag": rule.tag,
        "wanted": rule.wanted,
        "present": rule.present,
        "drifted": rule.drifted,
        "checkedAt": rule.checked_at,
    }


def of_period(period: HealthPeriod) -> dict[str, Any]:
    """`SbcPeriod`."""
    words = ("state", "since", "until", "reasons", "alarms")
    return {"id": period.pk} | {word: getattr(period, word) for word in words}


def of_certificate(shown: Certificate | None) -> dict[str, Any] | None:
    """`SbcCertificate`."""
    if shown is None:
        return None
    return {
        "subject": shown.subject,
        "issuer": shown.issuer,
        "notBefore": shown.not_before,
        "notAfter": shown.not_after,
        "fingerprint": shown.fingerprint,
    }
