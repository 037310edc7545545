"""Whatever is in a file: every line ends in a row that says what would become of it, or the file in one sentence."""

import csv
import io
import random
from collections import Counter
from typing import Any

from django.test import Client
from hypothesis import given
from hypothesis import settings as properties
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.access.services import principal_of
from ocadmin.console import sheets
from ocadmin.numbers.models import ImportState, Mode, NumberImport, RowOutcome
from ocadmin.numbers.operations.imports import start_check
from ocadmin.numbers.operations.imports.shapes import OFFERED
from ocadmin.tasks.models import TaskState
from tests.console.workbooks import packed, workbook
from tests.factories import (
    CallingProfileFactory,
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    SipConnectionFactory,
    UserFactory,
    grant,
)
from tests.numbers.imports import keep, run, sheet

TENANT, PLACE, ADDRESS, PROFILE = (f"{n}{n}{n}{n}1111-2222-4333-8444-555555555555" for n in "1234")
NUMBER = "+442079460500"
# For each column what it may well say, and what nobody expects.
CELLS: dict[str, list[str]] = {
    "telephoneNumber": [NUMBER, "+442079460501", "+442079460700", "442079460700", "4,48719E+11", "+44 20 7946 0700"],
    "rangeEnd": ["+442079460502", "+442079460709", "+442079460001", "+49301234567", "+442079999999"],
    "msTenantId": [TENANT, "{" + TENANT.upper() + "}", PLACE],
    "customer": ["Contoso", "CONTOSO", "Twin", "straße"],
    "callingProfileId": [PROFILE, TENANT],
    "callingProfile": ["EMEA", "emea "],
    "usage": ["CallingUserAssignment", "firstpartyappassignment", "Sleeping"],
    "capabilities": ["InboundCalling;Mobile", "Geographic", "TollFree", "Flying"],
    "civicAddressId": [ADDRESS, "-", "'-"],
    "locationId": [PLACE, "-"],
    "allowTenantAddressUpdate": ["true", "0", "perhaps"],
    "country": ["GB", "us", "ß", "Germany"],
    "displayedCountry": ["GB", "US"],
    "ticketId": ["CHG-1", "x" * 65],
    "note": ["Desk", "'=1", "two\nlines", "x" * 10_001],
    "tags": ["a;b", '["a", "b;c"]', '["\\u0000"]', '["\\ud800"]', "[", '{"a": 1}', "[" * 2000],
    "numberType": ["OperatorConnect", "DirectRouting"],
    "status": ["Active", "Nothing"],
}
ODD = ["", "", "", " ", "-", "'", "=1+1", "+", "\u00a0", "٣", "\u202e", "🎉", "null", "-1", "1e999", "2026-11-27"]


def world_of_one() -> User:
    """A customer with a number, a place and a profile that the cells name."""
    customer = CustomerFactory(full_name="Contoso", tenant_id=TENANT, consented_countries=["GB"])
    CustomerFactory(full_name="Twin")
    CustomerFactory(full_name="Twin")
    profile = CallingProfileFactory(id=PROFILE, name="EMEA")
    SipConnectionFactory(customer=customer, calling_profile=profile)
    address = CivicAddressFactory(id=ADDRESS, customer=customer, country="GB", default_location_id=PLACE)
    LocationFactory(id=PLACE, civic_address=address)
    PhoneNumberFactory(e164=NUMBER, customer=customer, calling_profile=profile, iso_country_code="GB")
    return grant(UserFactory(), Role.ADMIN)


def lines_of(batch: NumberImport) -> list[int]:
    found = sheets.rows(batch.path, sheets.Sheet.of(batch.sheet), sheets.Limits.of_settings())
    return [line for line, _cells in found]


def ends_well(content: bytes, name: str, mode: str, user: User) -> bool:
    """Keep, assign columns, check; then look at the page and the files that come back."""
    try:
        batch = keep(content, user, name=name, mode=mode)
    except sheets.Unreadable as problem:
        return problem.sentence.endswith(".")
    mapping = [column or "" for column in batch.mapping]
    if "telephoneNumber" not in mapping:
        mapping[0] = "telephoneNumber"
    batch.mapping = mapping
    batch.save()
    task = run(start_check(batch, by=principal_of(user), channel="csv"))
    assert task.error_code != "unexpected"
    batch.refresh_from_db()
    if task.state == TaskState.FAILED:
        assert batch.state == ImportState.UNUSABLE
        return batch.problem.endswith(".")
    assert (task.state, batch.state) == (TaskState.SUCCEEDED, ImportState.READY)
    rows = list(batch.rows.order_by("pk"))
    assert sum(batch.counts.values()) == len(rows) == task.total
    assert batch.counts == {RowOutcome(one).name.lower(): n for one, n in Counter(row.outcome for row in rows).items()}
    if batch.mode != Mode.COMPARE:
        assert sorted({row.line for row in rows}) == lines_of(batch)
    for row in rows:
        assert (row.outcome == RowOutcome.REFUSED) == bool(row.problems)
        assert all(sentence.endswith((".", ":", '"]', "?")) for _column, _value, _code, sentence in row.problems), row
    comes_back(batch, user)
    return True


def comes_back(batch: NumberImport, user: User) -> None:
    client = Client()
    client.force_login(user)
    for show in ("", "refused"):
        assert client.get(f"/numbers/import/{batch.pk}/?show={show}").status_code == 200
    for name in ("rejected", "differences"):
        answer = client.get(f"/numbers/import/{batch.pk}/{name}.csv")
        lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline="")))
        if name == "rejected":
            assert len(lines) - 1 == batch.counts.get("refused", 0)
            assert {len(line) for line in lines} == {len(lines[0])}


class AnyFile(TestCase):
    """Nothing of an example is kept."""

    @properties(max_examples=25)
    @given(
        st.lists(st.sampled_from(list(OFFERED)), min_size=1, max_size=7, unique=True),
        st.sampled_from(Mode.values),
        st.booleans(),
        st.integers(0, 1 << 60),
    )
    def test_any_cells(self, columns: list[str], mode: str, book: bool, seed: int) -> None:
        dice = random.Random(seed)
        headers = ["telephoneNumber", *(column for column in columns if column != "telephoneNumber")]
        rows: list[list[Any]] = []
        for _line in range(dice.randint(1, 8)):
            cells = [dice.choice([*CELLS.get(name, [])] * 3 + ODD) for name in headers]
            rows.append(cells if any(cell.strip() for cell in cells) else [NUMBER, *cells[1:]])
        content = packed(workbook(headers, *rows)) if book else sheet(headers, *rows)
        assert ends_well(content, "numbers.xlsx" if book else "numbers.csv", mode, world_of_one())

    @properties(max_examples=25)
    @given(st.data(), st.sampled_from(["utf-8-sig", "utf-16", "cp1252"]), st.sampled_from(Mode.values))
    def test_damaged_files(self, data: st.DataObject, encoding: str, mode: str) -> None:
        table = [["telephoneNumber", "customer", "note", "tags"], [NUMBER, "Contoso", 'say "so"', "a;b"]]
        table += [["+442079460501", "", "two\nlines", ""], ["+442079460700", "Contoso", "", "x"]]
        content = bytearray(sheet(table[0], *table[1:]).decode().encode(encoding))
        for _change in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(content)))
            content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3) | st.just(b'"'))
        assert ends_well(bytes(content), "numbers.csv", mode, world_of_one())

    @properties(max_examples=30)
    @given(st.binary(max_size=200) | st.text(alphabet='+4207",;\t\r\nE-x', max_size=200).map(str.encode))
    def test_any_bytes(self, content: bytes) -> None:
        assert ends_well(content, "any", Mode.UPSERT, world_of_one())
