"""Idempotency-Key: what is sent twice is done once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from ocadmin.access.models import KeyedRequest
from ocadmin.access.permissions import Role
from ocadmin.access.principal import Principal
from ocadmin.api import once
from ocadmin.numbers.api import changing
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import Task
from tests.factories import CustomerFactory, PhoneNumberFactory, grant
from tests.numbers.world import World

from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

NUMBERS = ("+442079460110", "+442079460111")


@pytest.fixture
def numbers(contoso: Customer) -> None:
    for e164 in NUMBERS:
        PhoneNumberFactory(customer=contoso, e164=e164)


def sync(program: Program, key: str | None, *numbers: str, **headers: str) -> Any:
    """A request that makes a task each time it is carried out."""
    sent = headers if key is None else {"Idempotency-Key": key, **headers}
    body = {"telephoneNumbers": list(numbers or NUMBERS)}
    return program.http.post("/api/v3/oc/sync", body, "application/json", headers=sent)


def age(**by: float) -> None:
    KeyedRequest.objects.update(started_at=timezone.now() - timedelta(**by))


class TestAgain:
    def test_the_first_answer_comes_again(self, program: Programs, numbers: None) -> None:
        client = program()
        first, second = sync(client, "a"), sync(client, "a")
        assert first.status_code == second.status_code == 200
        assert second.content == first.content
        assert second["Content-Type"] == first["Content-Type"]
        assert second["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first
        assert Task.objects.count() == 1

    def test_without_a_key_it_is_done_again(self, program: Programs, numbers: None) -> None:
        client = program()
        assert sync(client, None).json()["id"] != sync(client, None).json()["id"]
        assert not KeyedRequest.objects.exists()

    def test_another_key_is_another_request(self, program: Programs, numbers: None) -> None:
        client = program()
        assert sync(client, "a").json()["id"] != sync(client, "b").json()["id"]

    def test_clients_do_not_share_keys(self, program: Programs, numbers: None) -> None:
        assert sync(program(), "a").json()["id"] != sync(program(), "a").json()["id"]

    def test_nothing_is_told_again_after_a_role_was_taken_away(self, program: Programs, contoso: Customer) -> None:
        """The answer may be about the very customer for whom the client had it, or a secret."""
        client = program(customer=contoso)
        grant(client.client, Role.ADMIN, customer=CustomerFactory())
        PhoneNumberFactory(customer=contoso, e164=NUMBERS[0])
        assert sync(client, "a", NUMBERS[0]).status_code == 200
        client.client.memberships.filter(customer=contoso).delete()
        answer = sync(client, "a", NUMBERS[0])
        assert (answer.status_code, answer.json()["errorCode"]) == (422, "idempotency_key_reused")

    def test_reading_needs_none(self, program: Programs, numbers: None) -> None:
        answer = program().get("v3/oc/tasks", headers={"Idempotency-Key": "a"})
        assert answer.status_code == 200
        assert not KeyedRequest.objects.exists()

    def test_after_a_day_the_key_is_free(self, program: Programs, numbers: None) -> None:
        client = program()
        first = sync(client, "a")
        age(hours=25)
        assert sync(client, "a", NUMBERS[0]).json()["id"] != first.json()["id"]

    def test_old_ones_are_forgotten(self, program: Programs, numbers: None) -> None:
        client = program()
        sync(client, "old")
        age(hours=25)
        sync(client, "new")
        once.forget()
        assert list(KeyedRequest.objects.values_list("key", flat=True)) == ["new"]

    def test_what_is_done_at_once_is_done_once(self, program: Programs, contoso: Customer) -> None:
        PhoneNumberFactory(customer=contoso, e164=NUMBERS[0], status=Status.MARKED_FOR_REMOVAL)
        client = program()
        client.http.defaults["HTTP_IDEMPOTENCY_KEY"] = "a"
        path, body = "v3/oc/numbers/action/ready-for-removal", {"telephoneNumbers": [NUMBERS[0]]}
        first, second = client.post(path, body), client.post(path, body)
        assert (first.status_code, second.content) == (200, first.content)
        assert second["Idempotency-Replayed"] == "true"
        assert Task.objects.count() == 1


class TestRefused:
    def test_another_body(self, program: Programs, numbers: None) -> None:
        client = program()
        sync(client, "a")
        answer = sync(client, "a", NUMBERS[0])
        assert answer.status_code == 422
        assert answer.json()["errorCode"] == "idempotency_key_reused"
        assert Task.objects.count() == 1

    def test_another_address(self, program: Programs, numbers: None) -> None:
        client = program()
        task = sync(client, "a").json()["id"]
        answer = client.http.post(f"/api/v3/oc/tasks/{task}/cancel", headers={"Idempotency-Key": "a"})
        assert answer.status_code == 422

    @pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb"])
    def test_keys_that_cannot_be(self, program: Programs, numbers: None, key: str) -> None:
        assert sync(program(), key).status_code == 400
        assert not Task.objects.exists()

    def test_nothing_is_kept_of_a_refusal(self, program: Programs, numbers: None) -> None:
        client = program()
        assert sync(client, "a", "+49301234567").status_code == 400
        assert sync(client, "a").status_code == 200

    def test_what_a_refusal_began_is_undone(self, program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(request: HttpRequest) -> HttpResponse:
            CustomerFactory(full_name="Half done")
            return HttpResponse(status=409)

        row = KeyedRequest.objects.create(client=program().client, key="a", digest="", started_at=timezone.now())
        assert once._act(row, lambda: fail(HttpRequest()), transaction.atomic).status_code == 409
        assert not Customer.objects.filter(full_name="Half done").exists()
        assert not KeyedRequest.objects.exists()

    def test_before_who_asks_is_known(self, program: Programs, numbers: None) -> None:
        assert sync(program(Role.MONITOR), "a").status_code == 403
        assert sync(program(), "a", Authorization="Bearer x").status_code == 401
        assert not KeyedRequest.objects.exists()


class TestAtWorkAndDead:
    @pytest.fixture
    def client(self, program: Programs, numbers: None) -> Program:
        """A client whose request with the key a has been begun and not answered."""
        client = program()
        sync(client, "a")
        Task.objects.all().delete()
        KeyedRequest.objects.update(status=None, body=b"", headers={})
        return client

    def test_one_that_is_at_work_is_waited_for(self, client: Program) -> None:
        answer = sync(client, "a")
        assert answer.status_code == 409
        assert answer["Retry-After"] == "1"
        assert not Task.objects.exists()

    def test_one_that_died_has_done_nothing_and_is_done_now(self, client: Program) -> None:
        age(seconds=once.LEASE_SECONDS + 1)
        assert sync(client, "a").status_code == 200
        assert sync(client, "a")["Idempotency-Replayed"] == "true"
        assert Task.objects.count() == 1

    def test_one_that_died_keeps_its_body(self, client: Program) -> None:
        age(seconds=once.LEASE_SECONDS + 1)
        assert sync(client, "a", NUMBERS[0]).status_code == 422

    def test_one_that_was_taken_for_dead_does_nothing(self, client: Program) -> None:
        """It comes to its end after another request has taken its key."""
        slow = KeyedRequest.objects.get()
        KeyedRequest.objects.update(started_at=timezone.now() + timedelta(seconds=1))

        def late() -> HttpResponse:
            CustomerFactory(full_name="Too late")
            return HttpResponse(b"done")

        with pytest.raises(once.Problem):
            once._act(slow, late, transaction.atomic)
        assert not Customer.objects.filter(full_name="Too late").exists()
        assert KeyedRequest.objects.filter(status=None).count() == 1

    def test_one_that_acts_outside_is_never_taken_for_dead(
        self, client: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changing.synchronise, "acts_outside", True, raising=False)
        assert sync(client, "a")["Retry-After"] == "1"
        age(hours=1)
        answer = sync(client, "a")
        assert (answer.status_code, "Retry-After" in answer) == (409, False)
        assert "was begun and never answered" in answer.json()["detail"]

    def test_a_refusal_by_what_is_outside_frees_the_key(self, world: World, program: Programs) -> None:
        """Microsoft does not answer now; the same request may be sent again."""
        client = program()
        client.http.defaults["HTTP_IDEMPOTENCY_KEY"] = "a"
        path, body = "v3/oc/numbers/action/number-status", {"telephoneNumbers": [NUMBERS[0]]}
        tenant = {"msTenantId": str(world.customer.tenant_id)}
        world.sandbox.fault({"mount": "oc"}, {"status": 503}, times=50)
        assert client.post(path, body, **tenant).status_code == 503
        world.sandbox.call("DELETE", "/faults")
        assert client.post(path, body, **tenant).status_code == 200


class TestDigest:
    """What counts as the same request."""

    def digest(self, request: HttpRequest) -> str:
        request.principal = Principal("x")  # type: ignore[attr-defined]
        return once.digest_of(request)

    def upload(self, content: bytes, name: str = "a.csv", path: str = "/api/v3/oc/imports") -> str:
        return self.digest(RequestFactory().post(path, {"file": SimpleUploadedFile(name, content)}))

    def test_a_form_is_its_content(self) -> None:
        """The boundary is another one each time."""
        assert self.upload(b"telephoneNumber") == self.upload(b"telephoneNumber")
        assert self.upload(b"telephoneNumber") != self.upload(b"telephoneNumbers")
        assert self.upload(b"telephoneNumber") != self.upload(b"telephoneNumber", "b.csv")
        assert self.upload(b"telephoneNumber") != self.upload(b"telephoneNumber", path="/api/v3/oc/imports?mode=create")

    def test_a_file_is_read_once_and_still_there(self) -> None:
        request = RequestFactory().post("/x", data=b"telephoneNumber\r\n", content_type="text/csv")
        assert self.digest(request) == self.digest(request)
        assert once.raw_body(request).read() == b"telephoneNumber\r\n"

    def test_json_is_its_bytes(self) -> None:
        def of(body: Any, **headers: str) -> str:
            return self.digest(
                RequestFactory().post("/x", json.dumps(body), content_type="application/json", headers=headers)
            )

        assert of({"a": 1}) == of({"a": 1})
        assert of({"a": 1}) != of({"a": 2})
        assert of({"a": 1}) != of({"a": 1}, **{"X-Ovoc-Channel-Id": "7"})
