"""Importing and exporting through the interface: the same machinery as on the screens."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer, NumberImport, PhoneNumber
from ocadmin.tasks.models import Task
from tests.factories import ChannelFactory, PhoneNumberFactory, ReleasedNumberFactory
from tests.numbers import passes

from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

NUMBER = "+442079460110"
FILE = f"telephoneNumber,note\r\n{NUMBER},Reception\r\n+442079460199,Nobody's\r\n".encode()
IMPORTS = "v3/oc/imports"


@pytest.fixture
def number(contoso: Customer) -> PhoneNumber:
    return PhoneNumberFactory(customer=contoso, e164=NUMBER)


def as_form(client: Program, content: bytes = FILE, query: str = "mode=update") -> Any:
    return client.http.post(f"/api/{IMPORTS}?{query}", {"file": SimpleUploadedFile("numbers.csv", content)})


def as_body(client: Program, content: bytes = FILE, query: str = "mode=update&fileName=numbers.csv") -> Any:
    return client.http.post(f"/api/{IMPORTS}?{query}", content, "text/csv")


def checked(client: Program, answer: Any) -> dict[str, Any]:
    """The import, once its check is done."""
    assert answer.status_code == 200, answer.content
    passes.finish(Task.objects.get(pk=answer.json()["checkTaskId"]))
    body: dict[str, Any] = client.get(f"{IMPORTS}/{answer.json()['id']}").json()
    return body


class TestImport:
    @pytest.mark.parametrize("send", [as_form, as_body])
    def test_a_file_from_upload_to_end(self, program: Programs, number: PhoneNumber, send: Any) -> None:
        client = program()
        batch = checked(client, send(client))
        assert (batch["state"], batch["fileName"], batch["mode"]) == ("ready", "numbers.csv", "update")
        assert {name: n for name, n in batch["counts"].items() if n} == {"changed": 1, "refused": 1}
        rows = client.get(f"{IMPORTS}/{batch['id']}/rows").json()["data"]
        assert [row["outcome"] for row in rows] == ["changed", "refused"]
        assert rows[0]["changes"] == [{"column": "note", "now": "", "then": "Reception"}]
        assert rows[1]["problems"][0]["message"]
        refused = client.get(f"{IMPORTS}/{batch['id']}/rejected.csv")
        assert "+442079460199" in b"".join(refused).decode("utf-8-sig")
        done = client.post(f"{IMPORTS}/{batch['id']}/confirm", {"ticketId": "INC1"}).json()
        passes.finish(Task.objects.get(pk=done["taskId"]))
        number.refresh_from_db()
        assert number.note == "Reception"
        assert Task.objects.get(pk=done["taskId"]).ticket == "INC1"

    def test_columns_that_nobody_knows_are_assigned(self, program: Programs, number: PhoneNumber) -> None:
        client = program()
        batch = as_body(client, f"DDI,Remark\r\n{NUMBER},Desk\r\n".encode()).json()
        assert batch["state"] == "mapping"
        path = f"{IMPORTS}/{batch['id']}/check"
        assert client.post(path, {}).json()["errorCode"] == "columns_unclear"
        assert client.post(path, {"columns": {"Nope": None}}).json()["errorCode"] == "unknown_header"
        answer = client.post(path, {"columns": {"DDI": "telephoneNumber", "Remark": "note"}})
        assert checked(client, answer)["counts"]["changed"] == 1

    def test_what_is_refused_as_a_whole(self, program: Programs, number: PhoneNumber) -> None:
        client = program()
        batch = checked(client, as_body(client))
        answer = client.post(f"{IMPORTS}/{batch['id']}/confirm", {"whole": True})
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "not_ready")

    def test_a_key_begins_one_import(self, program: Programs, number: PhoneNumber) -> None:
        client = program()
        client.http.defaults["HTTP_IDEMPOTENCY_KEY"] = "file-1"
        first, second = as_form(client), as_form(client)
        assert first.json() == second.json()
        assert NumberImport.objects.count() == Task.objects.count() == 1

    @pytest.mark.parametrize(
        ("content", "kind", "status"),
        [
            (b"\x00\x01", "text/csv", 400),
            (FILE, "application/json", 415),
            (FILE, "text/html", 415),
        ],
    )
    def test_what_is_no_file(self, program: Programs, content: bytes, kind: str, status: int) -> None:
        answer = program().http.post(f"/api/{IMPORTS}", content, kind)
        assert answer.status_code == status
        assert not NumberImport.objects.exists()

    def test_a_form_without_the_file(self, program: Programs) -> None:
        assert program().http.post(f"/api/{IMPORTS}", {"other": "x"}).status_code == 400

    def test_more_than_may_be(self, program: Programs, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings.ENV, "import_max_mb", 0)
        assert as_body(program()).status_code == 413
        assert as_form(program()).status_code == 413

    def test_files_are_nobody_elses_business(self, program: Programs, number: PhoneNumber) -> None:
        owner, other = program(), program()
        batch = as_body(owner).json()["id"]
        for path in ("", "/rows", "/rejected.csv"):
            assert other.get(f"{IMPORTS}/{batch}{path}").status_code == 404
        assert other.post(f"{IMPORTS}/{batch}/confirm", {}).status_code == 404
        assert other.get(IMPORTS).json() == []
        assert [one["id"] for one in owner.get(IMPORTS).json()] == [batch]

    def test_a_token_that_may_less_reaches_no_further_by_a_file(self, program: Programs) -> None:
        """Rows are judged later, by the client's roles."""
        assert as_body(program(scope="annotate")).json()["errorCode"] == "limited_token"
        channel = ChannelFactory(ovoc_channel_id=7)
        client = program(channel=channel)
        client.http.defaults["HTTP_X_OVOC_CHANNEL_ID"] = "7"
        assert as_body(client).status_code == 200  # the channel is all that it reaches
        whole = program()
        whole.http.defaults["HTTP_X_OVOC_CHANNEL_ID"] = "7"
        assert as_body(whole).json()["errorCode"] == "limited_token"

    def test_it_is_forgotten(self, program: Programs, number: PhoneNumber) -> None:
        client = program()
        batch = as_body(client).json()["id"]
        busy = client.http.delete(f"/api/{IMPORTS}/{batch}")
        assert busy.status_code == 409
        Task.objects.all().delete()
        assert client.http.delete(f"/api/{IMPORTS}/{batch}").status_code == 204
        assert not NumberImport.objects.exists()

    def test_an_example(self, program: Programs) -> None:
        assert b"telephoneNumber" in b"".join(program().get(f"{IMPORTS}/example.csv"))


class TestExport:
    PATH = "v3/oc/numbers/export.csv"

    def lines(self, answer: Any) -> list[str]:
        assert answer.status_code == 200, answer.content
        return b"".join(answer).decode().splitlines()

    def test_all_columns_of_the_numbers_in_scope(self, program: Programs, number: PhoneNumber) -> None:
        PhoneNumberFactory()
        lines = self.lines(program(Role.MONITOR, customer=number.customer).get(self.PATH))
        assert lines[0].startswith("telephoneNumber,")
        assert len(lines) == 2
        assert lines[1].startswith(NUMBER)
        entry = AuditEntry.objects.get(action="numbers.export")
        assert (entry.channel, entry.actor_name) == ("api", "portal 0")

    def test_the_filters_of_the_list(self, program: Programs, number: PhoneNumber) -> None:
        PhoneNumberFactory(e164="+442079460120")
        client = program()
        assert len(self.lines(client.get(self.PATH, {"q": "460110"}))) == 2
        tenant = str(number.customer.tenant_id)
        assert len(self.lines(client.get(self.PATH, {"customer": tenant, "acquiredAfter": "2000-01-01"}))) <= 2
        shown = self.lines(client.get(self.PATH, {"which": "screen", "columns": "e164,country", "sort": "-e164"}))
        assert shown[0] == "telephoneNumber,country"
        assert shown[1].startswith("+442079460120")

    def test_released_numbers(self, program: Programs) -> None:
        ReleasedNumberFactory()
        assert len(self.lines(program().get(self.PATH, {"tab": "released"}))) == 2

    def test_a_byte_order_mark_where_it_is_wanted(self, program: Programs) -> None:
        assert b"".join(program().get(self.PATH, {"bom": "true"})).startswith(b"\xef\xbb\xbf")

    @pytest.mark.parametrize("query", ["status=gone", "sort=nothing", "acquiredAfter=x", "customer=nobody", "tab=x"])
    def test_what_the_list_cannot_do(self, program: Programs, query: str) -> None:
        assert program().get(f"{self.PATH}?{query}").status_code == 400
        assert not AuditEntry.objects.filter(action="numbers.export").exists()
