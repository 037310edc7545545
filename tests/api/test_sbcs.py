"""SBCs over the REST interface: looked at, tested, written to, added and changed; never a login in an answer."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission, Role
from ocadmin.numbers.models import Customer
from ocadmin.tasks import engine
from ocadmin.tasks.models import Task, TaskState
from sbc import health, mirror, services
from sbc.api import reading
from sbc.dialplan import Rule
from sbc.errors import BadCredentials, Offline
from sbc.models import SBC, DialPlanRule, State
from sbc.secrets import unseal
from tests.factories import SBCFactory
from tests.numbers.world import World
from tests.sbc.tls import issue, serve

from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

PATH = "v3/oc/sbcs"
PASSWORD = "correct horse “battery” "
RULE = Rule("+442079460501", "Harbourline", "trunk1.emea.example")


@pytest.fixture
def admin(program: Programs) -> Program:
    return program()


@pytest.fixture
def london(db: None) -> SBC:
    return SBCFactory(
        name="London 1",
        fqdn="lon1.example.net",
        ip_address="192.0.2.7",
        max_rules=2000,
        rest_url="https://lon1.example",
    )


class TestLooking:
    def test_one_as_it_is(self, admin: Program, london: SBC) -> None:
        london.username = "oc-user"
        london.set_password(PASSWORD)
        london.save()
        services.want(london, [RULE])
        mirror.note(london, [(0, Rule("+4420#", "hand", "t")), (1, Rule("+4421", "hand", "t"))], 1900)
        health.note(london, health.Seen(error=Offline(london.name, reason="no route")))
        answer = admin.get(f"{PATH}/{london.pk}")
        told = answer.json()
        assert told == admin.get(PATH).json()["data"][0]
        assert (told["name"], told["fqdn"], told["ipAddress"]) == ("London 1", "lon1.example.net", "192.0.2.7")
        assert (told["state"], told["hasLogin"], told["certificate"]) == ("offline", True, "system")
        assert "no route" in told["reasons"][0]
        assert told["outstanding"] == {"write": 1, "remove": 0, "save": False}
        counts = told["rules"]
        assert (counts["wanted"], counts["present"], counts["percentFull"]) == (1, 2, 95)
        assert counts["readAt"]
        for secret in ("oc-user", "horse", london.sealed_password):
            assert secret not in answer.text

    def test_found_by_words_and_state(self, admin: Program, london: SBC) -> None:
        other = SBCFactory(name="Frankfurt", state=State.DEGRADED)

        def found(**query: str) -> list[int]:
            return [one["id"] for one in admin.get(PATH, query).json()["data"]]

        assert found() == [london.pk, other.pk]
        assert found(q="LON1") == [london.pk]
        assert found(state="degraded") == [other.pk]
        assert admin.get(PATH, {"state": "sleepy"}).status_code == 400
        page = admin.get(PATH, {"pageSize": "1"}).json()
        assert [one["id"] for one in admin.http.get(page["nextLink"]).json()["data"]] == [other.pk]

    def test_costs_the_same_with_many(self, admin: Program, london: SBC) -> None:
        def cost() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                admin.get(PATH)
            return len(queries)

        admin.get(PATH)
        once = cost()
        for _n in range(5):
            services.want(SBCFactory(), [RULE])
        assert cost() == once

    def test_its_rules(self, admin: Program, london: SBC) -> None:
        for prefix, present in (("+4420", True), ("+4421", None), ("+49", True)):
            DialPlanRule.objects.create(sbc=london, prefix=prefix, tag="oc", present=present)

        def found(**query: str) -> list[str]:
            return [one["prefix"] for one in admin.get(f"{PATH}/{london.pk}/rules", query).json()["data"]]

        assert found() == ["+4420", "+4421", "+49"]
        assert found(prefix="+44") == ["+4420", "+4421"]
        assert found(prefix="+4420#") == ["+4420"]
        assert found(outstanding="true") == ["+4421"]
        assert found(outstanding="false") == ["+4420", "+49"]

    def test_its_history(self, admin: Program, london: SBC) -> None:
        health.note(london, health.Seen(error=Offline(london.name, reason="no route")))
        health.note(london, health.Seen(wrote=True))
        told = admin.get(f"{PATH}/{london.pk}/history").json()["data"]
        assert [(one["state"], one["until"] is None) for one in told] == [("online", True), ("offline", False)]

    def test_where_a_call_would_go(self, admin: Program, london: SBC) -> None:
        mirror.note(london, [(0, Rule("+4420", "london", "t1")), (1, Rule("+442079460501#", "one", "t2"))], 2)
        told = admin.get(f"{PATH}/where", {"number": "+44 20 7946 0501"}).json()
        assert (told["number"], told["knownAs"]) == ("+442079460501", "")
        (one,) = told["sbcs"]
        assert (one["rule"]["tag"], [rule["tag"] for rule in one["others"]]) == ("t2", ["t1"])
        assert admin.get(f"{PATH}/where", {"number": "?!"}).json()["errorCode"] == "invalid_number"


class TestConnectionTest:
    def test_step_by_step(self, world: World, admin: Program) -> None:
        told = admin.post(f"{PATH}/{world.sbc.pk}/test").json()
        assert (told["works"], told["state"], told["certificate"]) == (True, "online", None)
        assert world.sbc.username not in str(told["steps"])
        verdicts = {step["name"]: step["verdict"] for step in told["steps"]}
        assert (verdicts["Login"], verdicts["Certificate"]) == ("good", "note")
        entry = AuditEntry.objects.get(action="sbc.test")
        assert (entry.channel, entry.actor_id, entry.after) == ("api", admin.client.pk, {"problems": []})

    def test_after_a_refused_login_too(self, world: World, admin: Program) -> None:
        health.note(world.sbc, health.Seen(error=BadCredentials(world.sbc.name)))
        assert admin.post(f"{PATH}/{world.sbc.pk}/test").json()["state"] == "online"

    def test_what_goes_wrong_is_no_error(self, admin: Program, london: SBC) -> None:
        SBC.objects.update(rest_url="http://127.0.0.1:9")
        answer = admin.post(f"{PATH}/{london.pk}/test")
        assert (answer.status_code, answer.json()["works"], answer.json()["state"]) == (200, False, "offline")

    def test_how_often(self, admin: Program, london: SBC, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading.ASKED, "times", 1)
        assert admin.post(f"v3/oc/sbcs/{london.pk}/test").status_code == 200
        answer = admin.post(f"v3/oc/sbcs/{london.pk}/test")
        assert (answer.status_code, answer.json()["errorCode"]) == (429, "too_many_requests")
        assert int(answer.headers["Retry-After"]) > 0

    def test_the_certificate_is_pinned_if_it_is_the_one(
        self, admin: Program, program: Programs, tmp_path: Path
    ) -> None:
        leaf = issue("edge.somewhere.example")
        with serve(leaf, tmp_path) as device:
            sbc = SBCFactory(rest_url=device.url, username="oc")
            shown = admin.post(f"{PATH}/{sbc.pk}/test").json()["certificate"]
            other = admin.post(f"{PATH}/{sbc.pk}/pin", {"fingerprint": "AA:BB"})
            assert (other.status_code, other.json()["errorCode"]) == (409, "not_pinned")
            limited = program(scope=Permission.MANAGE_SBC.value)  # it need not see the lists to be told what it did
            told = limited.post(f"{PATH}/{sbc.pk}/pin", {"fingerprint": shown["fingerprint"]}).json()
        assert (told["certificate"], told["pinnedFingerprint"]) == ("pinned", shown["fingerprint"])


class TestWriting:
    def test_what_is_outstanding(self, world: World, admin: Program) -> None:
        services.want(world.sbc, [RULE])
        address = f"{PATH}/{world.sbc.pk}/write"
        plan = admin.post(address, dryRun="true").json()
        assert plan == {"operation": "sbc-push", "begins": True, "write": 1, "remove": 0, "save": True}
        assert not Task.objects.exists()
        task = admin.post(address).json()
        assert (task["kind"], task["through"]) == ("sbc-push", "api")
        assert admin.get(f"{PATH}/{world.sbc.pk}").json()["taskId"] == task["id"]
        again = admin.post(address)
        assert (again.status_code, again["Location"]) == (409, f"/api/v3/oc/tasks/{task['id']}")
        assert admin.post(address, dryRun="true").json()["begins"] is False
        engine.advance(task["id"])
        assert Task.objects.get().state == TaskState.SUCCEEDED
        assert RULE.prefix in world.device_prefixes()
        assert admin.post(address).json()["errorCode"] == "nothing_outstanding"
        assert admin.post(f"{PATH}/{world.sbc.pk}/save").json()["title"] == "Save the configuration of EMEA SP1 SBC"

    def test_by_hand(self, admin: Program) -> None:
        sbc = SBCFactory(write_strategy="manual")
        services.want(sbc, [RULE])
        for verb in ("write", "save"):
            assert admin.post(f"{PATH}/{sbc.pk}/{verb}", dryRun="true").json()["begins"] is False
            assert admin.post(f"{PATH}/{sbc.pk}/{verb}").json()["errorCode"] == "sbc_by_hand"


class TestChanging:
    def test_added(self, admin: Program) -> None:
        new = {
            "name": "Edge 1",
            "username": "oc",
            "password": PASSWORD,
            "restUrl": "https://edge.example",
            "maxRules": 900,
        }
        answer = admin.post(PATH, new)
        assert answer.status_code == 200, answer.text
        sbc = SBC.objects.get()
        assert (sbc.name, sbc.max_rules, sbc.prefix_hash, unseal(sbc.sealed_password)) == (
            "Edge 1",
            900,
            True,
            PASSWORD,
        )
        assert (answer["Location"], answer.json()["hasLogin"]) == (f"/api/{PATH}/{sbc.pk}", True)
        assert "horse" not in answer.text + str(list(AuditEntry.objects.values()))
        assert set(AuditEntry.objects.filter(object_type="sbc").values_list("channel", flat=True)) == {"api"}

    def test_changed_and_the_rest_stays(self, admin: Program, london: SBC) -> None:
        london.set_password(PASSWORD)
        london.prefix_hash = False
        london.save()
        told = admin.patch(f"{PATH}/{london.pk}", {"note": "moved", "maxRules": None}).json()
        assert (told["note"], told["maxRules"], told["fqdn"], told["follows"]) == (
            "moved",
            None,
            "lon1.example.net",
            [],
        )
        london.refresh_from_db()
        assert (london.prefix_hash, unseal(london.sealed_password)) == (False, PASSWORD)
        assert AuditEntry.objects.get(action="sbc.change").after == {"note": "moved", "max_rules": None}
        told = admin.patch(f"{PATH}/{london.pk}", {"username": "other", "clearPassword": True}).json()
        assert "Test the connection" in told["follows"][0]
        assert SBC.objects.get().sealed_password == ""

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"name": ""}, "name: This field is required"),
            ({"name": "Frankfurt"}, "name: SBC with this Name already exists"),
            ({"restUrl": "https://a:b@edge.example"}, "restUrl: Enter user name and password in their own fields"),
            ({"restUrl": "https://edge.example:99999"}, "restUrl: There is no such port"),
            ({"ipAddress": "1.2.3"}, "ipAddress: Enter a valid IPv4 or IPv6 address"),
            ({"caBundle": "nonsense"}, "caBundle: This is not a certificate"),
            ({"caBundle": "grüß"}, "caBundle: This is not a certificate"),
            ({"dialPlan": "a/b"}, "dialPlan: No SBC has a dial plan of this name"),
            ({"maxRules": -1}, "maxRules: Input should be greater than or equal to 0"),
            ({"writeStrategy": "prayer"}, "writeStrategy: Input should be"),
            ({"password": "a", "clearPassword": True}, "clearPassword: Enter a new password or remove the old one"),
        ],
    )
    def test_what_cannot_be_entered(self, admin: Program, london: SBC, fields: dict[str, Any], words: str) -> None:
        SBCFactory(name="Frankfurt")
        for answer in (admin.patch(f"{PATH}/{london.pk}", fields), admin.post(PATH, {"name": "Edge"} | fields)):
            assert answer.status_code == 400
            assert words in answer.json()["detail"]
        assert not AuditEntry.objects.filter(object_type="sbc").exists()

    def test_a_name_that_was_taken_meanwhile(
        self, admin: Program, london: SBC, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = iter((True, False))
        monkeypatch.setattr(
            "sbc.forms.SBCForm.validate_unique", lambda self: None if next(seen) else self.add_error("name", "x")
        )
        answer = admin.post(PATH, {"name": "London 1"})
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "taken")


def test_only_for_the_whole_system(program: Programs, contoso: Customer, london: SBC) -> None:
    local = program(Role.ADMIN, customer=contoso)
    for path in (PATH, f"{PATH}/where?number=1"):
        answer = local.get(path)
        assert (answer.status_code, "SBCs are shared by customers" in answer.text) == (403, True)
    one = f"{PATH}/{london.pk}"
    for path in (one, f"{one}/rules", f"{one}/history"):
        assert local.get(path).json()["errorCode"] == "sbc_not_found"
    for path, body in ((f"{one}/test", None), (f"{one}/write", None), (f"{one}/pin", {"fingerprint": "x"})):
        assert local.post(path, body).json()["errorCode"] == "sbc_not_found"
    assert local.post(PATH, {"name": "Mine"}).status_code == 403
    assert SBC.objects.count() == 1


def test_each_verb_takes_its_permission(program: Programs, london: SBC) -> None:
    one = f"{PATH}/{london.pk}"
    operator, monitor = program(Role.OPERATOR), program(Role.MONITOR)
    assert monitor.get(one).status_code == 200
    assert monitor.post(f"{one}/write").status_code == 403
    assert operator.post(f"{one}/write").json()["errorCode"] == "nothing_outstanding"
    assert operator.patch(one, {"note": "x"}).status_code == 403
    writes_only = program(scope=Permission.PUSH_SBC.value)
    assert writes_only.post(f"{one}/write").json()["errorCode"] == "nothing_outstanding"
    assert writes_only.get(one).status_code == 403


class TestByHand:
    EXPORT = "DialPlanName,Name,Prefix,Tag\r\nOCDialPlan,hand,+1#,t\r\n"

    def test_from_the_export_to_the_word_that_it_was_loaded(self, admin: Program) -> None:
        sbc = SBCFactory(write_strategy="manual")
        services.want(sbc, [RULE])
        files = f"{PATH}/{sbc.pk}/hand-files"
        answer = admin.http.post(f"/api/{files}", self.EXPORT, content_type="text/csv")
        assert answer.status_code == 200, answer.text
        made = answer.json()
        assert (made["kind"], made["added"], made["confirmedAt"]) == ("csv", 1, None)
        assert admin.get(files).json() == [made]
        content = b"".join(admin.get(f"{files}/{made['id']}/content").streaming_content).decode()
        assert content.startswith(self.EXPORT)
        assert RULE.prefix in content
        told = admin.post(f"{files}/{made['id']}/confirm").json()
        assert (told["confirmedRules"], bool(told["confirmedAt"])) == (1, True)
        again = admin.post(f"{files}/{made['id']}/confirm")
        assert (again.status_code, again.json()["errorCode"]) == (409, "not_confirmed")
        assert DialPlanRule.objects.get().present is True

    def test_what_is_no_export(self, admin: Program, london: SBC) -> None:
        sbc = SBCFactory(write_strategy="manual")

        def send(pk: int, content: bytes) -> str:
            answer = admin.http.post(f"/api/{PATH}/{pk}/hand-files", content, content_type="text/csv")
            return answer.json()["errorCode"]

        assert send(sbc.pk, b"\xff\x00nonsense") == "export_refused"
        assert send(london.pk, self.EXPORT.encode()) == "sbc_not_by_hand"


def test_who_uses_it_and_what_it_holds_up(admin: Program, world: World) -> None:
    health.note(world.sbc, health.Seen(error=Offline(world.sbc.name, reason="no route")))
    told = admin.get(f"{PATH}/{world.sbc.pk}/usage").json()
    assert [(one["customerName"], one["callingProfile"]) for one in told["data"]] == [("Harbourline", "EMEA")]
    assert [one["fqdn"] for one in told["trunks"]] == ["trunk1.emea.example"]
    assert "rules are written to it when it is back" in told["holdsUp"][0]
