"""Test connection: every step in words, nothing changed, and no second try after a refused login."""

import socket

import pytest
from django.conf import settings
from django.test import Client

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from sbc import health, services
from sbc.examination import Verdict, examine
from sbc.models import SBC, State
from sbc.secrets import seal
from tests.factories import SBCFactory, UserFactory, grant

from .bench import MINE, PREFIXES, Bench

BAD, NOTE, GOOD = Verdict.BAD, Verdict.NOTE, Verdict.GOOD


def steps(sbc: SBC) -> dict[str, tuple[Verdict, str]]:
    return {step.name: (step.verdict, step.text) for step in examine(sbc).steps}


def test_all_is_well(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    services.push(bench.sbc, PREFIXES)
    before = len(bench.asked())
    found = steps(bench.sbc)
    words = {
        "Address": "127.0.0.1 is 127.0.0.1.",
        "Port": "answers",
        "Certificate": "Without TLS: everybody on the way can read the password.",
        "Login": "is accepted. The device is a",
        "Status": "Operational state UNLOCKED",
        "Flash": "The running configuration is saved.",
        "Alarms": "None is active.",
        "Privilege": "The user may write",
        "Dial plan": "OCDialPlan is there with 4 rules; its capacity is not entered.",
        "Prefix form": "0 of 4 rules for numbers end with #; new ones are written without #.",
    }
    assert words.keys() <= found.keys()
    for name, text in words.items():
        assert text in found[name][1]
    assert {name for name, (verdict, _text) in found.items() if verdict == BAD} == set()
    assert all(one.startswith(("GET", "PUT /files/cliScript/incremental")) for one in bench.asked()[before:])
    assert (bench.rules(), SBC.objects.get().state) == (MINE, State.ONLINE)


@pytest.mark.parametrize(
    ("change", "step", "verdict", "words"),
    [
        ({"online": False}, "Login", BAD, "could not be reached"),
        ({"locked": True}, "Status", BAD, "It is locked and takes no calls."),
        ({"saveNeeded": True}, "Flash", NOTE, "somebody else has changed something"),
        ({"alarms": ["Fan failed"]}, "Alarms", NOTE, "1 active alarm: Fan failed"),
        ({"haSync": True}, "Privilege", NOTE, "the device is busy"),
    ],
)
def test_what_is_wrong_with_the_device(
    cli_bench: Bench, change: dict[str, object], step: str, verdict: Verdict, words: str
) -> None:
    cli_bench.control(**change)
    found = steps(cli_bench.sbc)[step]
    assert found[0] == verdict
    assert words in found[1]


def test_a_missing_plan_is_told_with_its_cure(cli_bench: Bench) -> None:
    cli_bench.control(deletePlan="OCDialPlan")
    assert steps(cli_bench.sbc)["Dial plan"] == (
        BAD,
        "US SP1 SBC: it has no dial plan OCDialPlan; create it on the SBC, or correct the plan's name in its form.",
    )
    assert SBC.objects.get().problem_code == "sbc_plan_missing"
    cli_bench.control(rules=[])


def test_a_file_cannot_tell_an_empty_plan_from_a_missing_one(csv_bench: Bench) -> None:
    csv_bench.sbc.dial_plan = "Other"
    verdict, text = steps(csv_bench.sbc)["Dial plan"]
    assert (verdict, "empty or missing" in text) == (NOTE, True)


@pytest.mark.parametrize(("most", "verdict"), [(1, BAD), (2, GOOD)])
def test_a_full_table(bench: Bench, most: int, verdict: Verdict) -> None:
    bench.sbc.max_rules = most
    assert steps(bench.sbc)["Dial plan"] == (
        verdict,
        f"OCDialPlan is there with 1 rule; the table holds 1 of {most}.",
    )


@pytest.mark.parametrize(
    ("prefix_hash", "prefixes", "verdict"),
    [
        (True, ["+441#", "+442#"], GOOD),
        (True, ["+441#", "+442"], NOTE),
        (False, ["+441", "+442#"], NOTE),
        (False, ["+441", "[1-5]x#"], GOOD),
    ],
)
def test_the_form_of_prefixes_beside_our_setting(
    cli_bench: Bench, prefix_hash: bool, prefixes: list[str], verdict: Verdict
) -> None:
    cli_bench.sbc.prefix_hash = prefix_hash
    cli_bench.control(rules=[{"prefix": prefix, "name": "", "tag": "t"} for prefix in prefixes])
    assert steps(cli_bench.sbc)["Prefix form"][0] == verdict


def test_no_such_host(cli_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    cli_bench.sbc.rest_url = "https://sbc.invalid"
    found = steps(cli_bench.sbc)
    assert list(found) == ["Address"]
    assert "Name or service not known" in found["Address"][1]


def test_nobody_listens_there(cli_bench: Bench) -> None:
    cli_bench.sbc.rest_url = "https://127.0.0.1:9"
    found = steps(cli_bench.sbc)
    assert [found["Address"][0], found["Port"][0]] == [GOOD, BAD]
    assert SBC.objects.get().state == State.OFFLINE


def test_a_port_that_speaks_no_tls(cli_bench: Bench) -> None:
    cli_bench.sbc.rest_url = cli_bench.sbc.rest_url.replace("http://", "https://")
    found = steps(cli_bench.sbc)
    assert list(found)[-1] == "Certificate"
    assert "no TLS connection can be made there" in found["Certificate"][1]
    assert cli_bench.asked() == []


@pytest.mark.parametrize("missing", ["rest_url", "username", "sealed_password"])
def test_what_is_not_entered(cli_bench: Bench, missing: str) -> None:
    setattr(cli_bench.sbc, missing, "")
    assert "missing; enter" in list(steps(cli_bench.sbc).values())[-1][1]
    assert cli_bench.asked() == []


def test_a_wrong_login_is_sent_once(cli_bench: Bench) -> None:
    cli_bench.sbc.set_password("wrong")
    found = steps(cli_bench.sbc)
    assert list(found)[-1] == "Login"
    assert "(401)" in found["Login"][1]
    assert len(cli_bench.asked()) == 1
    assert SBC.objects.get().state == State.BAD_LOGIN


def test_a_user_who_may_only_look_is_found_without_writing(bench: Bench) -> None:
    bench.sbc.username = "monitor"
    found = steps(bench.sbc)
    assert found["Login"][0] == GOOD
    assert found["Privilege"][0] == BAD
    assert "give that user the level Administrator" in found["Privilege"][1]
    assert "Dial plan" not in found
    assert sum("PUT" in one for one in bench.asked()) == 1
    assert SBC.objects.get().state == State.BAD_LOGIN


def test_a_test_by_a_person_ends_the_silence_after_a_refused_login(cli_bench: Bench, alice_client: Client) -> None:
    SBC.objects.update(username="nobody")
    health.ask_all()
    SBC.objects.update(username=settings.ENV.client_id)  # the device's administrator has put it right there
    assert health.ask_all() == 0
    page = alice_client.post(f"/sbcs/{cli_bench.sbc.pk}/test/").content.decode()
    assert "The connection works." in page
    assert health.ask_all() == 1


def test_the_page_shows_the_steps_and_the_trail_who_asked(cli_bench: Bench, alice_client: Client) -> None:
    SBC.objects.update(sealed_password=seal("wrong"))
    page = alice_client.post(f"/sbcs/{cli_bench.sbc.pk}/test/").content.decode()
    assert "1 step went wrong." in page
    assert "It is not asked again by itself" in page
    entry = AuditEntry.objects.get(action="sbc.test")
    assert (entry.actor_name, len(entry.after["problems"])) == ("alice", 1)


def test_who_may_test(alice_client: Client, bob_client: Client, bob: User) -> None:
    sbc = SBCFactory()
    monitor, operator = Client(), Client()
    monitor.force_login(grant(UserFactory(), Role.MONITOR))
    operator.force_login(grant(UserFactory(), Role.OPERATOR))
    url = f"/sbcs/{sbc.pk}/test/"
    assert [who.post(url).status_code for who in (operator, monitor, bob_client)] == [200, 403, 404]
    assert alice_client.get(url).status_code == 405
    assert "Your role does not include writing to SBCs." in monitor.get(f"/sbcs/{sbc.pk}/").content.decode()
