"""The demo: how the former platform and Microsoft differ, and that nothing is left out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ocadmin.sandbox.seeds.demo import demo_drafts
from ocadmin.sandbox.seeds.differences import DIFFERENCES

from .process import EXAMPLE, Sim

EXPECTED = {
    "only_at_microsoft": 45,
    "deleted_by_customer": 8,
    "release_running": 6,
    "release_completed": 4,
    "first_sync_done": 12,
    "marked_for_removal": 6,
    "ready_for_removal": 4,
    "customer_asks_release": 4,
    "assignment_changed": 15,
    "location_changed": 5,
    "owned_by_another_tenant": 1,
}


def difference(number: dict[str, Any] | None, record: dict[str, Any] | None) -> str:
    """What a first synchronisation would find, worked out from the two lists alone."""
    if record is None:
        return "only_at_microsoft"
    known = record["acquiredNumberStatus"]
    if number is None:
        gone = {
            0: "deleted_by_customer",
            1: "release_completed",
            2: "marked_for_removal",
            3: "ready_for_removal",
        }
        return gone[known]
    if number["tenantId"] != record["tenantId"]:
        return "owned_by_another_tenant"
    statuses = (known, number["acquiredNumberStatus"])
    if statuses != (0, 0):
        moved = {
            (1, 1): "release_running",
            (4, 0): "first_sync_done",
            (0, 2): "customer_asks_release",
            (4, 4): "same",
        }
        return moved[statuses]
    if number["assignmentStatus"] != record["assignmentStatus"]:
        return "assignment_changed"
    return "same" if number["locationId"] == record["locationId"] else "location_changed"


def test_differences_are_those_of_the_table(sim: Sim) -> None:
    numbers = {one["telephoneNumber"]: one for one in sim.all_numbers()}
    records = {one["telephoneNumber"]: one for one in sim.all_records()}
    found = Counter(
        difference(numbers.get(text), records.get(text)) for text in numbers.keys() | records.keys()
    )
    same = found.pop("same")
    assert found == EXPECTED == DIFFERENCES
    assert len(numbers) == same + 45 + 6 + 12 + 4 + 15 + 5 + 1
    assert 400 <= len(numbers) <= 430
    assert 370 <= len(records) <= 400


def test_example_numbers_have_no_difference(sim: Sim) -> None:
    numbers = [one for one in sim.all_numbers() if one["tenantId"] == EXAMPLE]
    records = [one for one in sim.all_records() if one["tenantId"] == EXAMPLE]
    assert len(numbers) == len(records) == 10
    assert all(difference(*pair) == "same" for pair in zip(numbers, records, strict=True))


def test_there_is_something_of_everything(sim: Sim) -> None:
    numbers, records = sim.all_numbers(), sim.all_records()
    assert {one["acquiredNumberStatus"] for one in numbers} == {0, 1, 2, 4}
    assert {one["acquiredNumberStatus"] for one in records} == {0, 1, 2, 3, 4}
    assignments = Counter(one["assignmentStatus"] for one in numbers)
    assert assignments["FutureThing"] == 1
    assert set(assignments) == {
        "Unassigned",
        "UserAssigned",
        "ConferenceAssigned",
        "VoiceApp",
        "ThirdPartyAppAssigned",
        "FutureThing",
        None,
    }
    assert {one["isoCountryCode"] for one in numbers} == {"GB", "DE", "FR", "US", "AU", "IL"}
    located = sum(one["locationId"] is not None for one in numbers)
    assert 0.55 <= located / len(numbers) <= 0.65


def test_numbers_obey_the_rules(sim: Sim) -> None:
    places = {}
    for tenant in sim.control("GET", "/state")["tenants"]:
        answer = sim.oc(f"/tenants/{tenant['tenantId']}/civic-addresses").json
        for address in answer["value"]:
            for location in address["locations"]:
                places[location["id"]] = address
    assert 15 <= len({address["id"] for address in places.values()}) <= 25
    for one in sim.all_numbers():
        acquired = one["acquiredCapabilities"]
        assert set(acquired) <= set(one["availableCapabilities"] or acquired)
        assert (one["assignmentTargetId"] is None) == (
            one["assignmentStatus"] in (None, "Unassigned")
        )
        if one["acquiredNumberStatus"] in (1, 2):
            assert one["assignmentStatus"] == "Unassigned"
        if "TollFree" in acquired:
            assert "UserAssignment" not in one["availableCapabilities"]
            assert one["displayedCountryCode"] == one["isoCountryCode"]
        if one["locationId"] is not None:
            address = places[one["locationId"]]
            assert address["id"] == one["civicAddressId"]
            assert address["tenantId"] == one["tenantId"]
            assert address["country"] == one["isoCountryCode"]
            assert address["validationStatus"] != "invalid"


def test_toll_free_numbers_exist(sim: Sim) -> None:
    for prefix in ("+44808157", "+1800555"):
        numbers = sim.all_numbers(startsWith=prefix)
        assert numbers
        assert all("FirstPartyAppAssignment" in one["acquiredCapabilities"] for one in numbers)


def test_tenants(sim: Sim) -> None:
    state = sim.control("GET", "/state")
    rows = [
        (one["consentStatus"], one["customerRelationship"], one["graphConnected"])
        for one in state["tenants"]
    ]
    assert rows.count(("active", "AgreementSigned", True)) == 3
    assert rows.count(("active", "ConsentAcknowledged", True)) == 1
    assert rows.count(("suspended", "AgreementSigned", True)) == 1
    assert rows.count(("active", "AgreementSigned", False)) == 1
    assert [(one["id"], one["online"]) for one in state["sbcs"]] == [
        (11, True),
        (12, True),
        (14, False),
    ]


def test_seed_is_repeatable() -> None:
    def essence(seed: int) -> list[Any]:
        return [(one.kind, one.number, one.record) for one in demo_drafts(seed)]

    assert essence(42) == essence(42)
    assert essence(42) != essence(7)
    assert Counter(one.kind for one in demo_drafts(7) if one.kind) == EXPECTED


def test_some_customers_came_through_channels(sim: Sim) -> None:
    channels: dict[str, set[int]] = {}
    for record in sim.all_records():
        channels.setdefault(record["tenantId"], set()).add(record["ovocChannelId"])
    assert all(len(ids) == 1 for ids in channels.values())
    assert Counter(ids.pop() for ids in channels.values()) == {0: 2, 7: 2, 21: 1}
    assert {one["ovocChannelId"] for one in sim.all_records() if one["tenantId"] == EXAMPLE} == {0}
