"""Webhooks over the REST interface: everything that their screens do, by the same rules."""

from typing import Any

import pytest

from ocadmin.access import sealing
from ocadmin.access.models import AuditEntry, KeyedRequest
from ocadmin.access.permissions import Permission, Role
from ocadmin.api.webhooks import services
from ocadmin.api.webhooks.models import Delivery, Webhook
from ocadmin.numbers.models import Customer
from tests.api.changing import write
from tests.api.conftest import Program, Programs
from tests.factories import ChannelFactory

from .conftest import Hooks, Sender
from .receiver import Receiver

pytestmark = pytest.mark.django_db

PATH = "v3/oc/webhooks"
NEW = {"name": "portal", "url": "https://portal.example.net/hooks", "wholeSystem": True}


@pytest.fixture
def admin(program: Programs) -> Program:
    return program()


def test_making_one_tells_its_secret_once(admin: Program, receiver: Receiver, contoso: Customer) -> None:
    answer = admin.post(PATH, NEW | {"url": receiver.url, "events": ["location.", "sync."]})
    assert answer.status_code == 200
    made = answer.json()
    webhook = Webhook.objects.get()
    assert (answer["Location"], answer["Cache-Control"]) == (f"/api/{PATH}/{webhook.pk}", "no-store")
    secret = made.pop("secret")
    assert made["createdBy"] == admin.client.first_name
    assert (made["state"], made["events"], made["nextTryAt"]) == ("enabled", ["location.", "sync."], None)
    assert admin.get(f"{PATH}/{webhook.pk}").json() == made
    assert admin.get(PATH).json()["data"] == [made]
    write(contoso, 1)
    Sender(webhook, secret).send()
    assert receiver.requests[0].is_signed_by(secret)
    entry = AuditEntry.objects.get(action="webhook.add")
    assert (entry.actor_id, entry.channel) == (admin.client.pk, "api")


def test_making_one_for_some(admin: Program, contoso: Customer) -> None:
    reseller = ChannelFactory()
    some = {"wholeSystem": False, "channelIds": [reseller.pk], "msTenantIds": [str(contoso.tenant_id)]}
    made = admin.post(PATH, NEW | some).json()
    assert {name: made[name] for name in some} == some
    scope = Webhook.objects.get().scope()
    assert (scope.everything, scope.channels, scope.customers) == (False, {reseller.pk}, {contoso.pk})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://portal.example.net/"}, "url: Write https"),
        ({"url": "https://a:b@portal.example.net/"}, "url: Leave user name and password out"),
        ({"url": "javascript:alert(1)"}, "url: Enter a valid URL"),
        ({"name": " "}, "name: This field is required"),
        ({"name": "x" * 101}, "name: Ensure this value has at most 100 characters"),
        ({"wholeSystem": False}, "wholeSystem: Choose the whole system, or at least one channel or customer"),
        ({"msTenantIds": ["6f1c2d3e-0000-4000-8000-000000000000"]}, "msTenantIds: There is no customer with"),
        ({"channelIds": [999]}, "channelIds: Select a valid choice"),
        ({"events": ["other."]}, "events.0: Input should be"),
        ({"url": None}, "url: Input should be a valid string"),
    ],
)
def test_what_cannot_be_entered(admin: Program, fields: dict[str, Any], words: str) -> None:
    answer = admin.post(PATH, NEW | fields)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert not Webhook.objects.exists()


def test_a_name_is_taken_once(admin: Program, hook: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    hook()
    assert (
        "name: Webhook with this Name already exists" in admin.post(PATH, NEW | {"name": "portal 0"}).json()["detail"]
    )
    # Somebody else was quicker by less than a moment: the form has not seen it.
    monkeypatch.setattr("ocadmin.api.webhooks.forms.WebhookForm.validate_unique", lambda self: None)
    answer = admin.post(PATH, NEW | {"name": "portal 0"})
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "name_taken")


def test_changing_one_leaves_the_rest(admin: Program, hook: Hooks, contoso: Customer) -> None:
    webhook = hook(customers=[contoso], events=["sync."]).row
    changed = admin.patch(f"{PATH}/{webhook.pk}", {"name": "other", "url": None})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["url"]) == ("other", webhook.url)
    assert (changed.json()["events"], changed.json()["msTenantIds"]) == (["sync."], [str(contoso.tenant_id)])
    assert AuditEntry.objects.get(action="webhook.change").after == {"name": "other"}
    refused = admin.patch(f"{PATH}/{webhook.pk}", {"wholeSystem": True})
    assert (refused.status_code, "not both" in refused.json()["detail"]) == (400, True)
    whole = admin.patch(f"{PATH}/{webhook.pk}", {"wholeSystem": True, "msTenantIds": [], "events": []}).json()
    assert (whole["wholeSystem"], whole["msTenantIds"], whole["events"]) == (True, [], [])


def test_every_verb(admin: Program, hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    one = f"{PATH}/{sender.pk}"
    test = admin.post(f"{one}/test").json()
    assert (test["kind"], test["state"], test["attempts"]) == ("test", "pending", [])
    sender.send()
    done = admin.get(f"{one}/deliveries/{test['id']}").json()
    assert (done["state"], [each["status"] for each in done["attempts"]]) == ("delivered", [200])
    assert done["message"]["type"] == "webhook.test"
    again = admin.post(f"{one}/deliveries/{test['id']}/again").json()
    assert (again["kind"], again["webhookMessageId"]) == ("again", test["webhookMessageId"])
    sender.send()
    exchanged = admin.post(f"{one}/secret").json()
    assert exchanged["oldSecretUntil"]
    assert admin.post(f"{one}/disable").json()["state"] == "disabled"
    write(contoso, 1)
    sender.send()
    assert admin.post(f"{one}/enable").json()["state"] == "enabled"
    sender.send()
    assert receiver.numbers == [[], [], [1]]
    assert receiver.requests[2].is_signed_by(exchanged["secret"])
    assert receiver.requests[2].is_signed_by(sender.secret)
    assert admin.delete(one).status_code == 204
    assert not Webhook.objects.exists()
    told = AuditEntry.objects.filter(object_type="webhook", channel="api").order_by("pk")
    verbs = ["test", "again", "secret", "disable", "enable", "delete"]
    assert list(told.values_list("action", flat=True)) == [f"webhook.{verb}" for verb in verbs]


def test_enabling_without_what_was_missed(admin: Program, hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    admin.post(f"{PATH}/{sender.pk}/disable")
    write(contoso, 1)
    admin.post(f"{PATH}/{sender.pk}/enable", skipMissed="true")
    write(contoso, 2)
    sender.send()
    assert receiver.numbers == [[2]]


def test_the_log_of_deliveries(admin: Program, hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    receiver.replies = [(500, {}, b"out of order")]
    write(contoso, 1)
    sender.send()
    log = f"{PATH}/{sender.pk}/deliveries"
    (waiting,) = admin.get(log, {"state": "pending"}).json()["data"]
    assert [(one["status"], one["error"]) for one in waiting["attempts"]] == [(500, "It answered 500.")]
    assert "answer" not in waiting["attempts"][0]
    failing = admin.get(f"{PATH}/{sender.pk}").json()
    assert (failing["state"], failing["failures"], bool(failing["nextTryAt"])) == ("failing", 1, True)
    detail = admin.get(f"{log}/{waiting['id']}").json()
    assert detail["attempts"][0]["answer"] == "out of order"
    assert detail["message"]["data"]["changes"][0]["telephoneNumber"] == "+442079460001"
    sender.later()
    (delivered,) = admin.get(log, {"state": "delivered"}).json()["data"]
    assert [one["status"] for one in delivered["attempts"]] == [500, 200]
    assert admin.get(log, {"state": "failed"}).json()["data"] == []
    assert admin.get(log, {"state": "lost"}).status_code == 400


def test_the_log_has_pages(admin: Program, hook: Hooks, django_assert_max_num_queries: Any) -> None:
    sender = hook()
    Delivery.objects.bulk_create(
        Delivery(webhook=sender.row, uid=f"msg_{n}", body="{}", state="delivered", kind="test") for n in range(5)
    )
    with django_assert_max_num_queries(8):
        page = admin.get(f"{PATH}/{sender.pk}/deliveries", {"pageSize": 3})
    assert [row["webhookMessageId"] for row in page.json()["data"]] == ["msg_4", "msg_3", "msg_2"]
    rest = admin.http.get(page.json()["nextLink"]).json()
    assert [row["webhookMessageId"] for row in rest["data"]] == ["msg_1", "msg_0"]
    assert rest["nextLink"] is None
    assert page["ETag"]


def test_a_key_makes_one_and_its_secret_lies_sealed(admin: Program) -> None:
    headers = {"Idempotency-Key": "hook-1"}
    first, second = (
        admin.http.post(f"/api/{PATH}", NEW, content_type="application/json", headers=headers) for _n in range(2)
    )
    assert (first.status_code, second.status_code, second["Idempotency-Replayed"]) == (200, 200, "true")
    assert second.json() == first.json()
    assert second["Cache-Control"] == "no-store"
    assert Webhook.objects.count() == 1
    assert first.json()["secret"].encode() not in bytes(KeyedRequest.objects.get().body)


def test_a_sealed_answer_that_cannot_be_opened(admin: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def send() -> Any:
        headers = {"Idempotency-Key": "hook-1"}
        return admin.http.post(f"/api/{PATH}", NEW, content_type="application/json", headers=headers)

    send()
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "_key", lambda secret, purpose: b"A" * 43 + b"=")
        again = send()
    assert (again.status_code, again.json()["errorCode"]) == (409, "answer_lost")
    assert Webhook.objects.count() == 1


def everything(pk: int, delivery: int) -> list[tuple[str, str, Any]]:
    """Method, address and body of every operation."""
    one = f"{PATH}/{pk}"
    reads = [PATH, one, f"{one}/deliveries", f"{one}/deliveries/{delivery}"]
    posts = [
        *(f"{one}/{verb}" for verb in ("enable", "disable", "secret", "test")),
        f"{one}/deliveries/{delivery}/again",
    ]
    return [
        *(("get", path, None) for path in reads),
        ("post", PATH, NEW),
        ("patch", one, {"name": "mine"}),
        *(("post", path, None) for path in posts),
        ("delete", one, None),
    ]


def ask(who: Program, method: str, path: str, body: Any) -> Any:
    return getattr(who, method)(path, body) if method in ("post", "patch") else getattr(who, method)(path)


def test_only_who_manages_access_to_the_whole_system(program: Programs, hook: Hooks, contoso: Customer) -> None:
    webhook = hook().row
    delivery = services.send_test(webhook.pk, by=services.SYSTEM)
    count = AuditEntry.objects.count()
    local, narrow = program(Role.ADMIN, customer=contoso), program(scope=Permission.VIEW.value)
    for who in (local, narrow, program(Role.OPERATOR)):
        for pk in (webhook.pk, 999_999):  # whether there is one is a secret
            for method, path, body in everything(pk, delivery.pk):
                answer = ask(who, method, path, body)
                assert answer.status_code == 403, (method, path)
                assert webhook.name not in answer.text
    assert AuditEntry.objects.filter(object_type="webhook").count() <= count
    assert Webhook.objects.get().name == webhook.name


def test_what_is_not_there(admin: Program, hook: Hooks) -> None:
    webhook, other = hook().row, hook().row
    delivery = services.send_test(webhook.pk, by=services.SYSTEM)
    for method, path, body in everything(999_999, delivery.pk):
        if path != PATH:
            assert ask(admin, method, path, body).json()["errorCode"] == "webhook_not_found", (method, path)
    for method, path, body in everything(other.pk, delivery.pk):
        if f"/deliveries/{delivery.pk}" in path:
            assert ask(admin, method, path, body).json()["errorCode"] == "delivery_not_found", (method, path)
