"""F25: what somebody did to the dial plans by hand: one case of each kind, in the sandbox's seed "drift"."""

import pytest
from django.core.management import call_command
from django.test import Client

from ocadmin.numbers import routing
from ocadmin.numbers.lifecycle import Source
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import Task
from sbc import services
from sbc.models import DialPlanRule
from sbc.services import Pushed
from tests.numbers import passes
from tests.sandbox_process import Sandbox

from .scenes import number_page, page

pytestmark = [pytest.mark.django_db, pytest.mark.failure("F25")]

SLUGS = {11: "us-sp1-sbc", 12: "emea-sp1-sbc"}
FOREIGN = {"prefix": "+1212", "name": "by hand", "tag": "old.trunk"}


def plans(sandbox: Sandbox, where: str = "running") -> dict[int, dict[str, str]]:
    """SBC to prefix to tag."""
    found = {pk: sandbox.call("GET", f"/sbc/{slug}")[where] for pk, slug in SLUGS.items()}
    return {pk: {rule["prefix"]: rule["tag"] for rule in rules} for pk, rules in found.items()}


def push(numbers: list[PhoneNumber]) -> dict[int, Pushed]:
    """Bring the rules of these numbers onto their SBCs."""
    done = {}
    for sbc, rules in routing.rules(numbers).items():
        services.want(sbc, rules)
        done[sbc.pk] = services.push(sbc, [rule.prefix for rule in rules])
    return done


@pytest.fixture
def drifted(sandbox: Sandbox, db: None, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Everything moved in and synchronised; kind of drift to its number."""
    sandbox.reset("demo")
    right = plans(sandbox)
    sandbox.reset("drift")
    cases = sandbox.state()["sbcDrift"]
    kinds = ["orphan_rule", "missing_rule", "wrong_tag", "hash_variant", "unmanaged_number_with_rule"]
    assert [case["kind"] for case in cases] == kinds  # each kind once
    assert right != plans(sandbox)
    call_command("load_demo")
    passes.finish(Task.objects.get(kind="sync"))
    return {case["kind"]: case["telephoneNumber"] for case in cases}


def test_pushing_mends_what_is_ours_and_touches_nothing_else(
    drifted: dict[str, str], sandbox: Sandbox, alice_client: Client
) -> None:
    rules = [*sandbox.call("GET", f"/sbc/{SLUGS[11]}")["running"]]
    sandbox.call("POST", f"/sbc/{SLUGS[11]}", {"rules": [*rules, FOREIGN | {"index": 9999}]})
    before = plans(sandbox)
    numbers = {kind: PhoneNumber.objects.filter(e164=e164).first() for kind, e164 in drifted.items()}
    assert numbers["orphan_rule"] is None
    unmanaged = numbers["unmanaged_number_with_rule"]
    assert unmanaged is not None
    assert (unmanaged.source, routing.rules([unmanaged])) == (Source.EXTERNAL, {})

    found = [number for number in numbers.values() if number is not None]
    assert push(found) == {11: Pushed(changed=1, unchanged=2), 12: Pushed(added=1, unchanged=2)}
    for slug in SLUGS.values():
        sandbox.call("POST", f"/sbc/{slug}", {"restart": True})  # what was written was saved
    assert push(found) == {11: Pushed(unchanged=3), 12: Pushed(unchanged=3)}
    after = plans(sandbox)
    sandbox.reset("demo")
    right = plans(sandbox)
    missing, wrong, variant = drifted["missing_rule"], drifted["wrong_tag"], drifted["hash_variant"]
    assert after == {
        11: before[11] | {wrong: right[11][wrong]},
        12: before[12] | {f"{missing}#": right[12][f"{missing}#"]},
    }
    assert before[11][wrong] != right[11][wrong]
    assert (variant in after[11], f"{variant}#" in after[11]) == (False, True)  # the same number, written otherwise
    assert after[11][drifted["orphan_rule"]] == before[11][drifted["orphan_rule"]]
    assert after[11][FOREIGN["prefix"]] == FOREIGN["tag"]
    assert f"{unmanaged.e164}#" in after[12]  # not ours to take away either

    ours = {missing, wrong, variant}
    known = DialPlanRule.objects.filter(prefix__in=drifted.values())
    assert set(known.values_list("prefix", "wanted", "present")) == {(prefix, True, True) for prefix in ours}
    for e164 in ours:
        assert "this rule" in number_page(alice_client, e164, "routing")
    for pk in SLUGS:
        assert "3 wanted, 3 seen on the SBC" in page(alice_client, f"/sbcs/{pk}/")
    words = "Numbers from elsewhere never touch an SBC: no rule is written or removed for it."
    assert words in number_page(alice_client, unmanaged.e164, "routing")
