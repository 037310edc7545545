"""The drift report on screen: who sees what, filters, counts, file, the button, and the way to a repair."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import SEVERITY, Customer, DriftFinding, DriftRun, Kind
from ocadmin.tasks.models import Task
from sbc.models import SBC
from tests.budgets import budget
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory, SBCFactory, UserFactory, grant

pytestmark = pytest.mark.django_db

MINE, THEIRS, NOBODYS = "+442079460001", "+442079460002", "+442079460003"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_run(**fields: Any) -> DriftRun:
    values = {"task_ref": 1, "began_at": timezone.now(), "finished_at": timezone.now(), "complete": True}
    return DriftRun.objects.create(**values | fields)


def make_finding(run: DriftRun, e164: str, kind: Kind, **fields: Any) -> DriftFinding:
    values = {"first_run": run.pk, "since": run.began_at, "in_database": True, "at_microsoft": True, "on_sbc": False}
    return DriftFinding.objects.create(run=run, e164=e164, kind=kind, severity=SEVERITY[kind], **values | fields)


@pytest.fixture
def sbc(db: None) -> SBC:
    return SBCFactory(name="EMEA SBC")


@pytest.fixture
def run(contoso: Customer, sbc: SBC) -> DriftRun:
    """Contoso's number has no routing, another customer's a conflict with Contoso, and a rule is nobody's."""
    source = {"name": sbc.name, "read_at": timezone.now().isoformat(), "why": "", "code": "", "by_hand": False}
    dead = {"name": "APAC SBC", "read_at": None, "why": "APAC SBC: it could not be reached.", "code": "x", "by_hand": 0}
    made = make_run(microsoft_at=timezone.now(), sources={str(sbc.pk): source, "0": dead}, new=2)
    expected = {"expected": {"tag": "trunk1", "name": "Contoso"}, "status": 0, "source": "webui"}
    make_finding(made, MINE, Kind.NO_ROUTING, customer=contoso, sbc=sbc, details=expected)
    other = CustomerFactory(full_name="Fabrikam")
    make_finding(made, THEIRS, Kind.OWNERSHIP_CONFLICT, customer=other, details={"owner": contoso.pk, "status": 0})
    rule = {"found": [{"sbc": sbc.pk, "prefix": f"{NOBODYS}#", "name": "=1+1", "tag": "trunk9"}]}
    absent = {"in_database": False, "at_microsoft": False, "on_sbc": True, "first_run": made.pk - 1}
    make_finding(made, NOBODYS, Kind.ORPHAN_RULE, sbc=sbc, details=rule, **absent)
    PhoneNumberFactory(e164=MINE, customer=contoso)
    return made


def listed(client: Client, query: str = "") -> set[str]:
    """The numbers of the list."""
    page = client.get(f"/drift/{query}")
    assert page.status_code == 200
    return {row.record.e164 for row in page.context["table"].page_rows}


def test_people_of_the_whole_system_see_everything(alice_client: Client, run: DriftRun) -> None:
    assert listed(alice_client) == {MINE, THEIRS, NOBODYS}
    with budget("numbers:drift"):
        page = alice_client.get("/drift/").content.decode()
    for words in ("No routing", "trunk1 (Contoso)", "APAC SBC: it could not be reached.", "whole list read"):
        assert words in page
    assert "2 new, 0 gone" in page


def test_others_see_their_customers_and_no_foreign_names(
    bob_client: Client, charlie_client: Client, run: DriftRun, contoso: Customer
) -> None:
    assert listed(bob_client) == {MINE}
    assert "APAC" not in bob_client.get("/drift/").content.decode()
    assert charlie_client.get("/drift/").status_code == 403
    assert Client().get("/drift/").status_code == 302
    channel = ChannelFactory()
    theirs = CustomerFactory(full_name="Northwind", channel=channel)
    make_finding(run, "+442079460009", Kind.OWNERSHIP_CONFLICT, customer=theirs, details={"owner": contoso.pk})
    person = signed_in(grant(UserFactory(), Role.MONITOR, channel=channel))
    assert listed(person) == {"+442079460009"}
    page = person.get("/drift/").content.decode()
    assert "Another customer" in page
    assert "Contoso" not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?kind=no_routing", {MINE}),
        ("?severity=3", {MINE, THEIRS}),
        ("?severity=notice", {NOBODYS}),
        ("?customer=Fabrikam", {THEIRS}),
        ("?customer=none", {NOBODYS}),
        ("?new=yes", {MINE, THEIRS}),
        ("?q=%2B4420794600", {MINE, THEIRS, NOBODYS}),
        ("?q=60003", {NOBODYS}),
        ("?kind=nonsense", set()),
        ("?sbc=999999", set()),
        ("?sort=-severity&per_page=25", {MINE, THEIRS, NOBODYS}),
        ("?sort=customer", {MINE, THEIRS, NOBODYS}),
    ],
)
def test_filters(alice_client: Client, run: DriftRun, query: str, expected: set[str]) -> None:
    assert listed(alice_client, query) == expected


def test_filter_by_sbc_and_counts_as_links(alice_client: Client, run: DriftRun, sbc: SBC) -> None:
    assert listed(alice_client, f"?sbc={sbc.pk}") == {MINE, NOBODYS}
    tiles = alice_client.get("/drift/").context["tiles"]
    assert [(tile.label, tile.count) for tile in tiles] == [
        ("No routing", 1),
        ("Ownership conflict", 1),
        ("Orphan rule", 1),
    ]
    assert listed(alice_client, tiles[2].url.removeprefix("/drift/")) == {NOBODYS}


def test_before_the_first_report_the_page_says_so(alice_client: Client) -> None:
    assert "Nothing was compared yet." in alice_client.get("/drift/").content.decode()
    make_run(complete=False, finished_at=None)
    assert "Nothing was compared yet." in alice_client.get("/drift/").content.decode()


def test_dashboard_customer_number_and_sidebar_tell_it(
    alice_client: Client, bob_client: Client, run: DriftRun, contoso: Customer
) -> None:
    assert "Drift: Critical" in alice_client.get("/").content.decode()
    customer = alice_client.get(contoso.get_absolute_url()).content.decode()
    assert f'href="/drift/?customer={contoso.pk}&amp;kind=no_routing">1 No routing' in customer
    number = alice_client.get(f"/numbers/{MINE}/?tab=routing").content.decode()
    assert "should be trunk1 (Contoso)" in number
    for client, count in ((alice_client, 2), (bob_client, 1)):
        links = [link for group in groups(client) for link in group.links if str(link.label) == "Drift"]
        assert [link.waiting for link in links] == [str(count)]


def groups(client: Client) -> list[Any]:
    """The sidebar."""
    from ocadmin.console import navigation

    return navigation.groups(client.get("/drift/").wsgi_request)


def test_the_file_is_the_list(alice_client: Client, bob_client: Client, charlie_client: Client, run: DriftRun) -> None:
    answer = alice_client.get("/drift/export.csv?severity=3&sort=-e164")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [row["Number"] for row in rows] == [THEIRS, MINE]
    assert rows[0]["Microsoft"] == "Contoso"
    assert rows[1] | {"First found": ""} == {
        "Number": MINE,
        "Kind": "no_routing",
        "Severity": "critical",
        "Customer": "Contoso",
        "SBC": "EMEA SBC",
        "Database": "Active",
        "Microsoft": "Listed",
        "Rule on the SBC": "No rule",
        "Should be": "trunk1 (Contoso)",
        "First found": "",
        "Judged anew": "yes",
    }
    assert AuditEntry.objects.filter(action="drift.export").count() == 1
    mine = b"".join(bob_client.get("/drift/export.csv").streaming_content).decode()
    assert (MINE in mine, THEIRS in mine) == (True, False)
    assert charlie_client.get("/drift/export.csv").status_code == 403
    assert alice_client.get("/drift/export.csv?kind=nonsense").status_code == 400
    assert alice_client.post("/drift/export.csv").status_code == 405


def test_check_now(alice_client: Client, bob_client: Client) -> None:
    assert alice_client.get("/drift/check/").status_code == 405
    assert bob_client.post("/drift/check/").status_code == 403
    answer = alice_client.post("/drift/check/")
    task = Task.objects.get(kind="drift")
    assert answer["Location"] == f"/tasks/{task.pk}/"
    assert alice_client.post("/drift/check/")["Location"] == f"/tasks/{task.pk}/"


def plan(client: Client, **post: Any) -> Any:
    """From the list to the plan."""
    answer = client.post("/drift/actions/", {"action": "repair", "back": "/drift/?severity=3", **post})
    assert answer.status_code == 302
    return client.get(answer["Location"]), answer["Location"]


def test_from_the_list_to_a_task(alice_client: Client, run: DriftRun, sbc: SBC) -> None:
    page, address = plan(alice_client, all="1", query="")
    shown = page.context["plan"]
    assert (shown.will, [group.code for group in shown.left_alone]) == (2, ["ownership_conflict"])
    assert "Two customers have this number." in page.content.decode()
    with budget("numbers:drift-repair"):
        alice_client.get(f"{address}&show=will")
    changed = alice_client.post(address, {"shown": "something else"})
    assert changed.status_code == 409
    answer = alice_client.post(address, {"shown": page.context["proposal"].shown, "ticket": "INC1"})
    task = Task.objects.get(kind="drift-repair")
    assert answer["Location"] == f"/tasks/{task.pk}/"
    assert (task.total, task.refused, task.ticket) == (3, 1, "INC1")
    items = {item.key: item.data for item in task.items.all()}
    assert items == {
        MINE: {"findings": [["no_routing", sbc.pk]]},
        NOBODYS: {"findings": [["orphan_rule", sbc.pk]]},
        THEIRS: {},
    }


def test_ticked_findings_are_found_in_the_next_report_too(alice_client: Client, run: DriftRun, sbc: SBC) -> None:
    key = f"{NOBODYS} orphan_rule {sbc.pk}"
    assert f'value="{key}"' in alice_client.get("/drift/").content.decode()
    page, address = plan(alice_client, row=[key])
    assert page.context["plan"].will == 1
    later = make_run()
    DriftFinding.objects.filter(run=run).update(run=later)
    assert alice_client.get(address).context["plan"].will == 1
    page, _address = plan(alice_client, row=["nonsense", "+44 x 99999999999999999999", ""])
    assert page.context["plan"].total == 0


def test_who_may_repair(bob_client: Client, charlie_client: Client, run: DriftRun, contoso: Customer) -> None:
    page, address = plan(bob_client, all="1", query="")
    assert (page.context["plan"].will, page.context["plan"].total) == (1, 1)  # what is nobody's is not Bob's to see
    monitor = signed_in(grant(UserFactory(), Role.MONITOR))
    answer = monitor.post("/drift/actions/", {"all": "1", "query": ""})
    assert monitor.get(answer["Location"]).status_code == 403
    assert charlie_client.get(address).status_code == 403
    both = signed_in(grant(grant(UserFactory(), Role.MONITOR), Role.OPERATOR, customer=contoso))
    shown = plan(both, all="1", query="")[0].context["plan"]
    assert (shown.will, {group.code: group.count for group in shown.left_alone}) == (1, {"not_permitted": 2})


def test_nothing_selected_and_a_foreign_selection(alice_client: Client, bob_client: Client, run: DriftRun) -> None:
    assert alice_client.post("/drift/actions/", {"back": "https://evil.example/"})["Location"] == "/drift/"
    _page, address = plan(alice_client, all="1", query="")
    assert bob_client.get(address)["Location"] == "/drift/?severity=3"
    assert alice_client.get("/drift/actions/").status_code == 405
