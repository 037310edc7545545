"""The export: exactly what the list shows, for those who may, as a stream."""

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client

from ocadmin.access import permissions
from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Permission, Role
from ocadmin.console.selection import Selection
from ocadmin.numbers.exporting import columns, csv_file
from ocadmin.numbers.exporting.rows import Export
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, PhoneNumber
from tests.factories import (
    CallingProfileFactory,
    ChannelFactory,
    CivicAddressFactory,
    CustomerFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    SipConnectionFactory,
    UserFactory,
    grant,
)

from .exporting.files import body, exported, numbers, rows_of, sheet

URL = "/numbers/export/"
SHOWN = [
    "telephoneNumber",
    "customer",
    "country",
    "msTenantId",
    "emergencyAddress",
    "sipConnection",
    "callingProfileId",
    "source",
    "msJobId",
    "assignment",
    "status",
    "acquiredOn",
]


@pytest.fixture
def fabrikam(db: None) -> Customer:
    return CustomerFactory(full_name="Fabrikam, Inc")


@pytest.fixture
def four(contoso: Customer, fabrikam: Customer) -> list[str]:
    """Four numbers of two customers; one is German, one marked for removal."""
    PhoneNumberFactory(e164="+442079460001", customer=contoso)
    PhoneNumberFactory(e164="+442079460002", customer=fabrikam, status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory(e164="+442079460003", customer=contoso, iso_country_code="DE")
    PhoneNumberFactory(e164="+442079460004", customer=fabrikam, calling_profile=None)
    return [f"+44207946000{n}" for n in range(1, 5)]


def listed(client: Client, query: str) -> list[str]:
    return [row.record.e164 for row in client.get(f"/numbers/?{query}").context["table"].page_rows]


def test_the_file_is_what_the_list_shows(alice_client: Client, four: list[str]) -> None:
    response = alice_client.get(URL)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Cache-Control"] == "private, no-store"
    name = response["Content-Disposition"]
    assert name.startswith('attachment; filename="numbers-20')
    assert name.endswith('.csv"')
    data = body(response)
    assert data.count(b"\r\n") == data.count(b"\n") == 5
    rows = rows_of(data)
    assert list(rows[0]) == SHOWN
    assert [row["telephoneNumber"] for row in rows] == four
    assert rows[1]["customer"] == "Fabrikam, Inc"
    assert rows[1]["status"] == "MarkedForRemoval"


def test_both_databases_write_the_same_bytes(alice_client: Client, contoso: Customer) -> None:
    PhoneNumberFactory(
        e164="+442079460001", customer=contoso, calling_profile=None, note='two\r\nlines, "quoted"', acquired_on=None
    )
    data = body(alice_client.get(f"{URL}?columns=e164,customer&which=all&bom=0"))
    assert data.startswith(b"telephoneNumber,customer,country,")
    assert b',"two\r\nlines, ""quoted""",' in data
    assert b'""' not in data.replace(b'""quoted""', b"")


@pytest.mark.parametrize(
    "query",
    [
        "country=DE",
        "q=0002",
        "customer=Contoso",
        "status=2",
        "sort=-e164",
        "sort=-customer",
        "sort=sip_connection",
        "sort=address",
        "sort=-status&country=GB",
        "q=nothing+such",
    ],
)
def test_filter_search_and_order_are_those_of_the_list(alice_client: Client, four: list[str], query: str) -> None:
    assert numbers(alice_client, query) == listed(alice_client, query)


def test_columns_are_those_on_the_screen(alice_client: Client, alice: User, four: list[str]) -> None:
    assert list(exported(alice_client, "columns=status,country")[0]) == ["telephoneNumber", "country", "status"]
    alice.preferences = {"columns": {"numbers:list": ["acquired"]}}
    alice.save()
    assert list(exported(alice_client)[0]) == ["telephoneNumber", "acquiredOn"]
    everything = exported(alice_client, "which=all&columns=status")[0]
    assert list(everything) == [column.name for column in columns.TABS[""]]


def test_a_pasted_list(alice_client: Client, four: list[str]) -> None:
    response = alice_client.post("/numbers/paste/", {"numbers": f"{four[0]}\n{four[3]}", "back": "sort=-e164"})
    query = response["Location"].partition("?")[2]
    assert numbers(alice_client, query) == [four[3], four[0]]


def test_the_tab_of_emergency_addresses(alice_client: Client, contoso: Customer, four: list[str]) -> None:
    address = CivicAddressFactory(customer=contoso)
    PhoneNumber.objects.filter(e164=four[2]).update(civic_address=address)
    (row,) = exported(alice_client, "tab=emergency")
    assert row["telephoneNumber"] == four[2]
    assert list(row)[3:] == ["emergencyAddress", "location", "validation", "elin", "assignment"]
    assert row["emergencyAddress"] == address.one_line
    assert "note" in exported(alice_client, "tab=emergency&which=all")[0]


def test_the_tab_of_released_numbers(alice_client: Client, contoso: Customer) -> None:
    row = ReleasedNumberFactory(customer=contoso, released_by="=bob", calling_profile_id=uuid.uuid4())
    response = alice_client.get(f"{URL}?tab=released&which=all")
    assert 'filename="numbers-released-20' in response["Content-Disposition"]
    (found,) = rows_of(body(response))
    assert found["telephoneNumber"] == row.e164
    assert found["releasedBy"] == "'=bob"
    assert found["quarantineUntil"].endswith("Z")
    assert found["callingProfileId"] == str(row.calling_profile_id)


def test_ticked_rows(alice_client: Client, four: list[str]) -> None:
    back = "/numbers/?sort=-e164&columns=country&country=GB"
    form = {"action": "export-csv", "row": [four[0], four[3]], "back": back}
    response = alice_client.post("/numbers/actions/", form)
    rows = rows_of(body(alice_client.get(response["Location"])))
    assert [row["telephoneNumber"] for row in rows] == [four[3], four[0]]
    assert list(rows[0]) == ["telephoneNumber", "country"]


def test_all_that_match(alice_client: Client, four: list[str]) -> None:
    form = {"action": "export-csv", "all": "1", "query": "country=GB", "back": "/numbers/?country=GB&sort=-e164"}
    response = alice_client.post("/numbers/actions/", form)
    assert [row["telephoneNumber"] for row in rows_of(body(alice_client.get(response["Location"])))] == [
        four[3],
        four[1],
        four[0],
    ]


def test_rows_of_the_approvals(alice_client: Client, four: list[str]) -> None:
    page = alice_client.get("/approvals/?sort=-since")
    form = {
        "action": "export-csv",
        "all": "1",
        "query": page.context["actions"].query,
        "back": "/approvals/?sort=-since",
    }
    response = alice_client.post("/numbers/actions/", form)
    rows = rows_of(body(alice_client.get(response["Location"])))
    assert [row["telephoneNumber"] for row in rows] == [four[1]]
    assert list(rows[0]) == SHOWN


def test_ticked_released_rows(alice_client: Client, contoso: Customer) -> None:
    one, _other = ReleasedNumberFactory(customer=contoso), ReleasedNumberFactory(customer=contoso)
    form = {"action": "export-xlsx", "row": [str(one.pk)], "back": "/numbers/?tab=released"}
    response = alice_client.post("/numbers/released/actions/", form)
    rows = sheet(body(alice_client.get(response["Location"])))
    assert [row[0] for row in rows] == ["telephoneNumber", one.e164]


def test_nothing_ticked_exports_nothing(alice_client: Client, four: list[str]) -> None:
    response = alice_client.post("/numbers/actions/", {"action": "export-csv", "back": "/numbers/"}, follow=True)
    assert "Nothing is selected" in response.content.decode()


def test_a_selection_of_somebody_else_is_refused(alice_client: Client, bob: User, four: list[str]) -> None:
    token = Selection(keys=(four[0],)).token(bob.pk)
    response = alice_client.get(URL, {"selection": token})
    assert response.status_code == 400
    assert "not yours" in response.content.decode()


def test_keys_in_the_address_select_nothing(alice_client: Client, four: list[str]) -> None:
    """Only a token selects rows."""
    assert numbers(alice_client, f"keys={quote(four[0])}") == four


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("status=nonsense", "nonsense"),
        ("country=GB&acquired_after=soon", "2026-01-31"),
        ("customer=Nobody", "No customer of yours"),
        ("tab=nonsense", "no tab"),
        ("sort=nonsense", "sorted"),
        ("columns=nonsense", "no column"),
        ("list=0f1e2d3c-4b5a-4697-8877-665544332211", "not yours"),
        ("format=pdf", "csv or xlsx"),
        ("which=some", "screen"),
    ],
)
def test_what_is_not_understood_exports_nothing(alice_client: Client, four: list[str], query: str, word: str) -> None:
    response = alice_client.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert word in response.content.decode()
    assert not AuditEntry.objects.filter(action="numbers.export").exists()


@pytest.mark.parametrize("role", Role.values)
def test_every_role_exports_its_own_customers_only(role: str, contoso: Customer, four: list[str]) -> None:
    client = Client()
    client.force_login(grant(UserFactory(), role, customer=contoso))
    assert numbers(client) == [four[0], four[2]]
    assert numbers(client, "q=44207946") == [four[0], four[2]]
    assert client.get(f"{URL}?customer=Fabrikam").status_code == 400


def test_a_channel_exports_the_numbers_of_its_customers(contoso: Customer, four: list[str]) -> None:
    contoso.channel = ChannelFactory()
    contoso.save()
    client = Client()
    client.force_login(grant(UserFactory(), Role.MONITOR, channel=contoso.channel))
    assert numbers(client) == [four[0], four[2]]


def test_seeing_is_not_exporting(monkeypatch: pytest.MonkeyPatch, contoso: Customer, four: list[str]) -> None:
    """Who may see two customers and export one gets the numbers of that one."""
    monkeypatch.setitem(permissions.ROLE_PERMISSIONS, Role.LITE_OPERATOR, frozenset({Permission.VIEW}))
    user = grant(UserFactory(), Role.MONITOR, customer=contoso)
    grant(user, Role.LITE_OPERATOR, customer=Customer.objects.get(full_name="Fabrikam, Inc"))
    client = Client()
    client.force_login(user)
    assert listed(client, "") == four
    assert numbers(client) == [four[0], four[2]]
    assert client.get(f"/numbers/{quote(four[1])}/export/").status_code == 404


def test_without_the_permission(monkeypatch: pytest.MonkeyPatch, bob_client: Client, four: list[str]) -> None:
    monkeypatch.setitem(permissions.ROLE_PERMISSIONS, Role.OPERATOR, frozenset({Permission.VIEW}))
    response = bob_client.get(URL)
    assert response.status_code == 403
    assert "does not include exporting" in response.content.decode()
    assert bob_client.post(URL).status_code == 403
    assert bob_client.get(f"/numbers/{quote(four[0])}/export/").status_code == 403
    for page in ("/numbers/", f"/numbers/{quote(four[0])}/"):
        assert "Your role does not include exporting." in bob_client.get(page).content.decode()


def test_nobody_and_visitors(charlie_client: Client, four: list[str]) -> None:
    assert charlie_client.get(URL).status_code == 403
    assert Client().get(URL).status_code == 302


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_methods(alice_client: Client, four: list[str], method: str) -> None:
    assert getattr(alice_client, method)(URL).status_code == 405
    assert getattr(alice_client, method)(f"/numbers/{quote(four[0])}/export/").status_code == 405


def test_head_asks_for_no_rows(alice_client: Client, four: list[str], django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):  # session, person, roles
        response = alice_client.head(f"{URL}?format=xlsx")
    assert response.status_code == 200
    assert "spreadsheetml" in response["Content-Type"]
    assert ".xlsx" in response["Content-Disposition"]
    assert not AuditEntry.objects.exists()


def test_one_number(bob_client: Client, four: list[str]) -> None:
    response = bob_client.get(f"/numbers/{quote(four[0])}/export/")
    assert response["Content-Disposition"] == f'attachment; filename="{four[0]}.csv"'
    (row,) = rows_of(body(response))
    assert row["telephoneNumber"] == four[0]
    assert list(row) == [column.name for column in columns.TABS[""]]
    (row,) = rows_of(body(bob_client.get(f"/numbers/{quote(four[0])}/export/?which=screen")))
    assert list(row) == SHOWN
    rows = sheet(body(bob_client.get(f"/numbers/{quote(four[0])}/export/?format=xlsx")))
    assert [row[0] for row in rows] == ["telephoneNumber", four[0]]
    assert bob_client.get(f"/numbers/{quote(four[1])}/export/").status_code == 404
    assert "?format=csv" in bob_client.get(f"/numbers/{quote(four[0])}/").content.decode()


def test_formulas_are_harmless_and_the_plus_stays(alice_client: Client, contoso: Customer) -> None:
    contoso.full_name = '=HYPERLINK("http://evil.example","x")'
    contoso.save()
    PhoneNumberFactory(e164="+442079460001", customer=contoso, note="'=x", tags=["-1", "@a"])
    (row,) = exported(alice_client, "which=all")
    assert row["telephoneNumber"] == "+442079460001"
    assert row["customer"] == '\'=HYPERLINK("http://evil.example","x")'
    assert row["note"] == "''=x"
    assert row["tags"] == "'-1;@a"


def test_a_workbook_holds_texts(alice_client: Client, contoso: Customer) -> None:
    contoso.full_name = "=1+1"
    contoso.save()
    PhoneNumberFactory(e164="+442079460001", customer=contoso, note="#N/A", status_reason="a\x01b\x0b", tags=["é"])
    response = alice_client.get(f"{URL}?format=xlsx&which=all")
    assert response["Content-Disposition"].endswith('.xlsx"')
    header, row = sheet(body(response))
    found = dict(zip(header, row, strict=True))
    assert found["telephoneNumber"] == "+442079460001"
    assert found["customer"] == "=1+1"
    assert found["note"] == "#N/A"
    assert found["statusReason"] == "ab"
    assert found["tags"] == "é"


def test_each_export_is_in_the_audit_trail(alice_client: Client, alice: User, four: list[str]) -> None:
    exported(alice_client, "country=DE&columns=country")
    entry = AuditEntry.objects.get(action="numbers.export")
    assert (entry.actor, entry.channel, entry.title) == (alice, "web", "Numbers exported")
    assert entry.after == {
        "format": "csv",
        "filter": "country=DE&columns=country",
        "rows": 1,
        "columns": ["telephoneNumber", "country"],
    }
    body(alice_client.get(f"/numbers/{quote(four[0])}/export/"))
    entry = AuditEntry.objects.filter(action="numbers.export").latest("pk")
    assert entry.after["number"] == four[0]
    assert entry.customer_ref == PhoneNumber.objects.get(e164=four[0]).customer_id


def an_export(names: str = "telephoneNumber customer") -> Export:
    return Export(PhoneNumber.objects.order_by("e164"), columns.named("", names.split()))


@pytest.fixture
def many(contoso: Customer) -> None:
    PhoneNumber.objects.bulk_create(
        PhoneNumberFactory.build(e164=f"+4420{n:08d}", customer=contoso, calling_profile=None) for n in range(9000)
    )


def test_it_arrives_in_pieces_and_the_header_before_any_query(
    many: None, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = csv_file.stream(an_export())
    with django_assert_num_queries(0):
        assert next(pieces) == csv_file.BOM + b"telephoneNumber,customer\r\n"
    first = next(pieces)
    assert first.startswith(b"+442000000000,Contoso\r\n")
    assert len(first) < 2 * csv_file.PIECE
    rest = list(pieces)
    assert len(rest) > 1
    assert (first + b"".join(rest)).count(b"\r\n") == 9000
    assert rest[-1].endswith(b"+442000008999,Contoso\r\n")


@pytest.mark.django_db(transaction=True)
def test_an_export_that_is_broken_off_leaves_the_connection_usable(alice_client: Client, many: None) -> None:
    response = alice_client.get(URL)
    pieces = iter(response.streaming_content)
    next(pieces), next(pieces)
    response.close()
    assert PhoneNumber.objects.count() == 9000


def test_an_error_in_the_middle_is_no_complete_file(
    alice_client: Client, many: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaking(*_given: Any) -> Iterator[bytes]:
        yield b"+44,x\r\n"
        raise ConnectionError("the database went away")

    monkeypatch.setattr(csv_file, "_copied" if connection.vendor == "postgresql" else "_fetched", breaking)
    response = alice_client.get(URL)
    with pytest.raises(ConnectionError):
        b"".join(response.streaming_content)
    assert "failed in the middle" in caplog.text
    assert PhoneNumber.objects.count() == 9000


def test_no_rows_give_a_header(alice_client: Client) -> None:
    assert body(alice_client.get(f"{URL}?bom=0")).decode() == ",".join(SHOWN) + "\r\n"
    assert sheet(body(alice_client.get(f"{URL}?format=xlsx"))) == [tuple(SHOWN)]


def test_the_menu_of_the_list_exports_what_it_shows(alice_client: Client, four: list[str]) -> None:
    page = alice_client.get("/numbers/?country=GB&page=1&per_page=25&sort=-e164").content.decode()
    assert "3 rows, as they are listed" in page
    link = "/numbers/export/?country=GB&amp;sort=-e164&amp;format=csv&amp;which=screen"
    assert link in page
    response = alice_client.get(link.replace("&amp;", "&"))
    assert [row["telephoneNumber"] for row in rows_of(body(response))] == [four[3], four[1], four[0]]
    for tab in ("emergency", "released"):
        assert 'id="export-menu"' in alice_client.get(f"/numbers/?tab={tab}").content.decode()


def test_profile_of_somebody_else_is_not_told(bob_client: Client, contoso: Customer) -> None:
    """SIP connections are looked up by pair: a stranger's never appears."""
    profile = CallingProfileFactory()
    PhoneNumberFactory(e164="+442079460001", customer=contoso, calling_profile=profile)
    SipConnectionFactory(customer=CustomerFactory(), calling_profile=profile, name="Strange")
    (row,) = exported(bob_client)
    assert row["sipConnection"] == ""
