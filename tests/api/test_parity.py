"""What a person can do on the screens a program can do too: every address that takes a POST has its operations here,
or the reason why it needs none."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ocadmin.api.openapi import document
from ocadmin.numbers.operations import ON_NUMBERS

# Rooms that are no screens of the console.
NOT_OURS = ("api/", "accounts/", "admin/", "oauth2/")
PERSONAL = "how the screens look to one person"
CHOICE = "turns ticked rows into a selection; a program names or filters what it means"
ACT = "POST /api/v3/oc/numbers/action/"
SBC, HOOK = "/api/v3/oc/sbcs/{sbcId}", "/api/v3/oc/webhooks/{webhookId}"
CUSTOMER = "POST /api/v3/oc/customers/{msTenantId}/action"
IMPORT, TASK = "/api/v3/oc/imports", "/api/v3/oc/tasks/{taskId}"
VERBS: dict[str, str | list[str]] = {
    "console:preferences": PERSONAL,
    "console:remember": PERSONAL,
    "numbers:choose": CHOICE,
    "numbers:choose-released": CHOICE,
    "numbers:drift-choose": CHOICE,
    "numbers:paste": CHOICE,
    "numbers:act": [
        f"{ACT}release",
        f"{ACT}withdraw-release",
        f"{ACT}unassign",
        f"{ACT}unassign-release",
        f"{ACT}location",
        f"{ACT}capabilities",
        f"{ACT}ready-for-removal",
        f"{ACT}clear-removal-status",
    ],
    "numbers:end-quarantine": ["POST /api/v3/oc/released-numbers/action/end-quarantine"],
    "numbers:upload": [f"{ACT}upload"],
    "numbers:sync": ["POST /api/v3/oc/sync"],
    "numbers:number-sync": ["POST /api/v3/oc/sync"],
    "numbers:customer-sync": ["POST /api/v3/oc/sync"],
    "numbers:customer-hold-sync": [f"{CUSTOMER}/hold-sync"],
    "numbers:customer-resume-sync": [f"{CUSTOMER}/resume-sync"],
    "numbers:export": ["GET /api/v3/oc/numbers/export.csv"],
    "numbers:import": [f"POST {IMPORT}"],
    "numbers:import-columns": [f"POST {IMPORT}/{{importId}}/check"],
    "numbers:import-check": [f"POST {IMPORT}/{{importId}}/check"],
    "numbers:import-confirm": [f"POST {IMPORT}/{{importId}}/confirm"],
    "numbers:import-forget": [f"DELETE {IMPORT}/{{importId}}"],
    "numbers:drift-check": ["POST /api/v3/oc/drift/run"],
    "numbers:drift-repair": ["POST /api/v3/oc/drift/repair"],
    "sbc:add": ["POST /api/v3/oc/sbcs"],
    "sbc:edit": [f"PATCH {SBC}"],
    "sbc:pin": [f"POST {SBC}/pin"],
    "sbc:test": [f"POST {SBC}/test"],
    "sbc:write": [f"POST {SBC}/write"],
    "sbc:save": [f"POST {SBC}/save"],
    "sbc:by-hand": [f"POST {SBC}/hand-files"],
    "sbc:by-hand-confirm": [f"POST {SBC}/hand-files/{{fileId}}/confirm"],
    "tasks:cancel": [f"POST {TASK}/cancel"],
    "tasks:answer": [f"POST {TASK}/answer"],
    "tasks:retry": [f"POST {TASK}/retry"],
    "webhooks:new": ["POST /api/v3/oc/webhooks"],
    "webhooks:edit": [f"PATCH {HOOK}"],
    "webhooks:enable": [f"POST {HOOK}/enable"],
    "webhooks:disable": [f"POST {HOOK}/disable"],
    "webhooks:secret": [f"POST {HOOK}/secret"],
    "webhooks:test": [f"POST {HOOK}/test"],
    "webhooks:delete": [f"DELETE {HOOK}"],
    "webhooks:again": [f"POST {HOOK}/deliveries/{{deliveryId}}/again"],
}
MADE_UP = {"pk": 999_999_999, "delivery": 999_999_999, "e164": "+442079460999", "kind": "nothing"}


def screens(patterns: list[Any], prefix: str = "", room: str = "") -> Iterator[tuple[str, str]]:
    """Name and address of every screen, with values made up."""
    for pattern in patterns:
        place = prefix + str(pattern.pattern)
        if place.startswith(NOT_OURS):
            continue
        if isinstance(pattern, URLResolver):
            yield from screens(pattern.url_patterns, place, pattern.namespace or room)
        elif isinstance(pattern, URLPattern):
            for name, converter in pattern.pattern.converters.items():
                known = uuid.UUID(int=1) if "UUID" in type(converter).__name__ else MADE_UP.get(name, 999_999_999)
                place = place.replace(f"<{_kind(pattern, name)}:{name}>", str(known))
            yield f"{room}:{pattern.name}" if room else str(pattern.name), f"/{place}"


def _kind(pattern: URLPattern, name: str) -> str:
    route = str(pattern.pattern)
    return route.partition(f":{name}>")[0].rpartition("<")[2]


@pytest.mark.django_db
def test_every_verb_of_the_screens_is_known_here(alice_client: Client) -> None:
    """A screen takes POST if it does not answer 405."""
    found = {name for name, path in screens(get_resolver().url_patterns) if alice_client.post(path).status_code != 405}
    assert found == set(VERBS)


def test_and_has_its_operations() -> None:
    operations = {f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods}
    named = {one for verb in VERBS.values() if isinstance(verb, list) for one in verb}
    assert named <= operations
    assert len(VERBS["numbers:act"]) == len(ON_NUMBERS)
