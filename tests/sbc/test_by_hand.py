"""Rules that a person loads: what waits, the file, the word that it was loaded, and what is not believed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.console import private_files
from sbc import by_hand, cli, services
from sbc.device import Device
from sbc.dialplan import Rule
from sbc.errors import ByHand
from sbc.models import SBC, DialPlanRule, HandFile, PlanReading, WriteStrategy
from sbc.services import Pushed
from sbc.writer import only_writer
from tests.budgets import budget
from tests.factories import SBCFactory, UserFactory, grant

from .bench import FOREIGN, MINE, PREFIXES, Bench

HEAD = b"DialPlanName,Name,Prefix,Tag\r\n"
FOREIGN_ROWS = b'OCDialPlan,by hand,[1-5]x,"old trunk"\r\n"Other","n","+1#","t"\r\nonly,three,cells\r\n'
EXPORT = HEAD + FOREIGN_ROWS
LINE = '"OCDialPlan","{}","{}#","{}"\r\n'
SHOWN = """configure voip
 sbc dial-plan OCDialPlan
  dial-plan-rule 4 name "by hand" prefix [1-5]x tag "old trunk"
 exit
exit
"""


@pytest.fixture
def sbc(db: None) -> SBC:
    """Written by hand, nothing to ask it by."""
    return SBCFactory(name="Cellar", write_strategy=WriteStrategy.MANUAL)


@pytest.fixture
def url(sbc: SBC) -> str:
    return f"/sbcs/{sbc.pk}/by-hand/"


def rows(rules: list[Rule]) -> bytes:
    return "".join(LINE.format(rule.name, rule.prefix, rule.tag) for rule in rules).encode()


def upload(client: Client, url: str, content: bytes, *, status: int = 302) -> str:
    response = client.post(url, {"export": SimpleUploadedFile("export.csv", content)})
    assert response.status_code == status
    return response.content.decode()


def newest(sbc: SBC) -> HandFile:
    return HandFile.objects.filter(sbc=sbc)[0]


def content_of(client: Client, url: str, file: HandFile) -> bytes:
    response = client.get(f"{url}{file.pk}/file/")
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="{file.name}"'
    return b"".join(response.streaming_content)  # type: ignore[arg-type]


def confirm(client: Client, url: str, file: HandFile) -> str:
    """The page after it."""
    response = client.post(f"{url}{file.pk}/confirm/", follow=True)
    assert response.status_code == 200
    return response.content.decode()


def known(sbc: SBC) -> dict[str, tuple[bool, bool | None]]:
    return {row.prefix: (row.wanted, row.present) for row in DialPlanRule.objects.filter(sbc=sbc)}


def test_a_push_waits_for_a_person_and_asks_no_device(sbc: SBC) -> None:
    services.want(sbc, MINE)
    with pytest.raises(ByHand, match="rules wait \\(3\\); load the file from its page") as caught:
        services.push(sbc, PREFIXES[:1])
    assert (caught.value.retryable, caught.value.code) == (True, "sbc_by_hand")
    DialPlanRule.objects.filter(prefix=PREFIXES[0]).update(present=True)
    assert services.push(sbc, PREFIXES[:1]) == Pushed(unchanged=1)
    sbc.refresh_from_db()
    assert (sbc.online, sbc.problem) == (None, "")


def test_from_the_export_to_the_word_that_it_was_loaded(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE)
    services.unwant(sbc, PREFIXES[2:])
    export = EXPORT + rows([MINE[1]._replace(tag="old"), MINE[2]])
    upload(alice_client, url, export)
    page = alice_client.get(url)
    assert {key: page.context["counts"][key] for key in ("add", "change", "remove")} == {
        "add": 1,
        "change": 1,
        "remove": 1,
    }
    assert "1 to add, 1 to change, 1 to remove" in page.content.decode()
    file = newest(sbc)
    assert content_of(alice_client, url, file) == EXPORT + rows([MINE[1], MINE[0]])
    assert "3 rules are confirmed" in confirm(alice_client, url, file)
    assert known(sbc) == {PREFIXES[0]: (True, True), PREFIXES[1]: (True, True)}
    assert services.push(sbc, PREFIXES) == Pushed(unchanged=3)
    reading = PlanReading.objects.current().get(sbc=sbc)
    assert (reading.rules_count, reading.table_size) == (3, 4)
    assert "Nothing: every rule that is wanted is confirmed." in alice_client.get(url).content.decode()


def test_the_trail_says_who_and_which_file(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE)
    upload(alice_client, url, EXPORT)
    confirm(alice_client, url, newest(sbc))
    entries = AuditEntry.objects.filter(object_type="sbc", object_id=str(sbc.pk)).order_by("pk")
    assert [entry.action for entry in entries] == ["sbc.hand_file", "sbc.hand_file_confirmed"]
    assert {(entry.actor_name, entry.after["sha256"], entry.after["added"]) for entry in entries} == {
        (newest(sbc).confirmed_by, newest(sbc).digest, 3)
    }


def test_a_script_with_only_the_changes_from_what_the_command_line_shows(
    alice_client: Client, sbc: SBC, url: str
) -> None:
    services.want(sbc, MINE[:1])
    upload(alice_client, url, SHOWN.encode())
    file = newest(sbc)
    script = content_of(alice_client, url, file).decode()
    assert file.name == "cli.txt"
    assert script.count("dial-plan-rule") == 1
    assert f'prefix "{PREFIXES[0]}#"' in script
    assert "1 rule is confirmed" in confirm(alice_client, url, file)
    assert known(sbc) == {PREFIXES[0]: (True, True)}
    assert cli.SHOW.strip() in alice_client.get(url).content.decode()


def test_what_is_wanted_between_download_and_confirmation_waits(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE[:2])
    upload(alice_client, url, EXPORT)
    services.want(sbc, [MINE[1]._replace(tag="other.example"), MINE[2]])
    assert "1 rule is confirmed" in confirm(alice_client, url, newest(sbc))
    assert known(sbc) == {PREFIXES[0]: (True, True), PREFIXES[1]: (True, None), PREFIXES[2]: (True, None)}
    with pytest.raises(ByHand, match="rules wait \\(2\\)"):
        services.push(sbc, PREFIXES)


def test_what_is_no_longer_wanted_since_the_download_still_has_to_go(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE[:1])
    upload(alice_client, url, EXPORT)
    services.unwant(sbc, PREFIXES[:1])
    assert "0 rules are confirmed" in confirm(alice_client, url, newest(sbc))
    assert known(sbc) == {PREFIXES[0]: (False, False)}


def test_a_rule_that_was_believed_and_is_missing_from_the_export_waits_again(
    alice_client: Client, sbc: SBC, url: str
) -> None:
    services.want(sbc, MINE)
    DialPlanRule.objects.update(present=True)
    upload(alice_client, url, EXPORT + rows(MINE[1:]))
    assert known(sbc)[PREFIXES[0]] == (True, False)
    assert newest(sbc).added == 1


def test_an_export_that_holds_everything_only_needs_the_word_that_it_is_saved(
    alice_client: Client, sbc: SBC, url: str
) -> None:
    services.want(sbc, MINE)
    upload(alice_client, url, EXPORT + rows(MINE))
    page = alice_client.get(url).content.decode()
    assert "there is nothing to load" in page
    assert "Download the file" not in page
    assert "3 rules are confirmed" in confirm(alice_client, url, newest(sbc))


def test_a_removal_that_a_task_knows_by_itself(alice_client: Client, sbc: SBC, url: str) -> None:
    """Of a number that moved in nobody knows whether it has a rule; once the plan is read that is known."""
    with pytest.raises(ByHand):
        services.remove(sbc, PREFIXES)
    assert known(sbc) == dict.fromkeys(PREFIXES, (False, None))
    upload(alice_client, url, EXPORT + rows(MINE[:1]))
    assert content_of(alice_client, url, newest(sbc)) == EXPORT
    confirm(alice_client, url, newest(sbc))
    assert services.remove(sbc, PREFIXES) == Pushed(unchanged=3)
    assert known(sbc) == {}


def test_two_people_at_once(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE[:1])
    upload(alice_client, url, EXPORT)
    first = newest(sbc)
    services.want(sbc, MINE[1:])
    upload(alice_client, url, EXPORT)
    second = newest(sbc)
    assert "1 rule is confirmed" in confirm(alice_client, url, first)
    assert "after this one was made: this one may lack its rules" in confirm(alice_client, url, second)
    assert "has already confirmed this file" in confirm(alice_client, url, first)
    assert known(sbc)[PREFIXES[1]] == (True, False)
    with only_writer(sbc), pytest.raises(by_hand.Refused, match="somebody else writes to it"):
        by_hand.confirm(second, by=SYSTEM, channel="web")


def test_a_file_that_is_gone_or_damaged_or_of_another_plan(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE)
    upload(alice_client, url, EXPORT)
    file = newest(sbc)
    content = file.path.read_bytes()
    file.path.write_bytes(content.replace(b"trunk1", b"trunk9"))
    assert "This file is no longer kept" in confirm(alice_client, url, file)
    file.path.unlink()
    assert "This file is no longer kept" in confirm(alice_client, url, file)
    assert alice_client.get(f"{url}{file.pk}/file/").status_code == 404
    file.path.write_bytes(content)
    SBC.objects.update(dial_plan="Another")
    assert "has another dial plan by now" in confirm(alice_client, url, file)
    assert not DialPlanRule.objects.filter(present=True).exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Prefix,Tag\r\n", "its first line is not DialPlanName"),
        (HEAD + b'OCDialPlan,"x', "line 2 is not CSV"),
        (HEAD + b"Other,n,+1,t\r\n", "does not tell an empty plan from one that is missing"),
        (b"configure voip\n sbc dial-plan Other\n exit\nexit\n", "it has no dial plan OCDialPlan"),
        (b"configure voip\n sbc dial-plan OCDialPlan\n", "ends in the middle"),
        (EXPORT + rows(MINE[:1]) * 9, "its table of rules is full"),
    ],
)
def test_an_export_that_cannot_be_used_changes_nothing(
    alice_client: Client, sbc: SBC, url: str, content: bytes, sentence: str
) -> None:
    SBC.objects.update(max_rules=10)
    services.want(sbc, MINE)
    assert sentence in upload(alice_client, url, content, status=200)
    assert not HandFile.objects.exists()
    assert not PlanReading.objects.exists()
    assert known(sbc) == dict.fromkeys(PREFIXES, (True, None))


def test_nothing_is_uploaded(alice_client: Client, sbc: SBC, url: str) -> None:
    response = alice_client.post(url)
    assert response.status_code == 200
    assert response.context["form"].errors["export"]


def test_the_last_rule_cannot_go_by_csv(alice_client: Client, sbc: SBC, url: str) -> None:
    services.unwant(sbc, PREFIXES[:1])
    page = upload(alice_client, url, HEAD + rows(MINE[:1]), status=200)
    assert "a CSV file cannot empty a dial plan" in page


def test_old_files_are_forgotten(alice_client: Client, sbc: SBC, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[tuple[str, float]] = []
    monkeypatch.setattr(private_files, "forget", lambda name, hours: forgotten.append((name, hours)))
    upload(alice_client, url, EXPORT + rows(MINE))
    assert ("by-hand", 168.0) in forgotten


# The device can be asked


@pytest.fixture
def device(csv_bench: Bench) -> Bench:
    """A device that we can ask, but are not to write to."""
    csv_bench.sbc.write_strategy = WriteStrategy.MANUAL
    csv_bench.sbc.save()
    services.want(csv_bench.sbc, MINE)
    return csv_bench


def exported(bench: Bench) -> bytes:
    with Device(bench.sbc) as device:
        return device.read_plan().content


def load(bench: Bench, file: HandFile, *, save: bool = True) -> None:
    """What the person does."""
    with Device(bench.sbc) as device:
        device.put_plan(file.path.read_bytes())
        if save:
            device.save()


def test_where_the_device_can_be_asked_it_is(alice_client: Client, device: Bench) -> None:
    url = f"/sbcs/{device.sbc.pk}/by-hand/"
    upload(alice_client, url, exported(device))
    file = newest(device.sbc)
    told = confirm(alice_client, url, file)
    assert "was read, and 3 rules are not as in the file, such as the one for +4420794603" in told
    load(device, file, save=False)
    assert "its configuration is not saved" in confirm(alice_client, url, file)
    assert device.known() == dict.fromkeys(PREFIXES, (True, False))
    load(device, file)
    assert "3 rules are confirmed" in confirm(alice_client, url, file)
    assert device.known() == dict.fromkeys(PREFIXES, (True, True))
    assert len(device.rules("saved")) == 3
    assert PlanReading.objects.current().get(sbc=device.sbc).rules.filter(prefix=FOREIGN["prefix"]).exists()


def test_a_device_that_does_not_answer_confirms_nothing(alice_client: Client, device: Bench) -> None:
    url = f"/sbcs/{device.sbc.pk}/by-hand/"
    upload(alice_client, url, exported(device))
    device.control(online=False)
    told = confirm(alice_client, url, newest(device.sbc))
    assert "Nothing is confirmed. US SP1 SBC: it could not be reached" in told
    assert not any(present for _wanted, present in device.known().values())
    assert SBC.objects.get(pk=device.sbc.pk).writer == ""


# Who may


def test_who_may(alice_client: Client, bob_client: Client, charlie_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, MINE)
    upload(alice_client, url, EXPORT)
    file = newest(sbc)
    for client in (bob_client, charlie_client):
        assert client.get(url).status_code == 404
        assert client.post(url).status_code == 404
        assert client.get(f"{url}{file.pk}/file/").status_code == 404
        assert client.post(f"{url}{file.pk}/confirm/").status_code == 404
    monitor = Client()
    monitor.force_login(grant(UserFactory(), Role.MONITOR))
    page = monitor.get(url).content.decode()
    assert "Your role does not include writing to SBCs." in page
    assert "I have loaded and saved it" not in page
    assert monitor.post(url).status_code == 403
    assert monitor.get(f"{url}{file.pk}/file/").status_code == 403
    assert monitor.post(f"{url}{file.pk}/confirm/").status_code == 403
    assert Client().get(url).status_code == 302
    assert not DialPlanRule.objects.filter(present=True).exists()


def test_methods_and_other_sbcs(alice_client: Client, sbc: SBC, url: str) -> None:
    upload(alice_client, url, EXPORT + rows(MINE))
    file = newest(sbc)
    assert alice_client.get(f"{url}{file.pk}/confirm/").status_code == 405
    assert alice_client.post(f"{url}{file.pk}/file/").status_code == 405
    other = SBCFactory(write_strategy=WriteStrategy.MANUAL)
    assert alice_client.post(f"/sbcs/{other.pk}/by-hand/{file.pk}/confirm/").status_code == 404
    assert alice_client.get(f"/sbcs/{other.pk}/by-hand/{file.pk}/file/").status_code == 404
    assert alice_client.get(f"/sbcs/{SBCFactory().pk}/by-hand/").status_code == 404


def test_the_page_of_the_sbc_leads_there(alice_client: Client, sbc: SBC, url: str) -> None:
    assert f'href="{url}"' in alice_client.get(f"/sbcs/{sbc.pk}/").content.decode()
    assert "by-hand" not in alice_client.get(f"/sbcs/{SBCFactory().pk}/").content.decode()


def test_costs_the_same_with_many(alice_client: Client, sbc: SBC, url: str) -> None:
    services.want(sbc, [MINE[0]._replace(prefix=f"+44207{last:03}") for last in range(60)])
    for _file in range(7):
        upload(alice_client, url, EXPORT)
        confirm(alice_client, url, newest(sbc))
        services.want(sbc, [MINE[0]._replace(prefix=f"+44208{last:03}", tag=f"t{_file}") for last in range(30)])
    upload(alice_client, url, EXPORT)
    with budget("sbc:by-hand"):
        alice_client.get(url)


def test_a_large_export(alice_client: Client, sbc: SBC, url: str) -> None:
    rules = [Rule(f"+4477009{number:05}", "bulk", f"trunk{number % 3}.example") for number in range(10_000)]
    services.want(sbc, rules[:5000])
    upload(alice_client, url, EXPORT + rows(rules))
    assert "5000 rules are confirmed" in confirm(alice_client, url, newest(sbc))
