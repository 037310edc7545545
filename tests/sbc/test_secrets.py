"""An SBC's password: sealed in the database, and never to be seen in a page, an audit entry, a log or a text."""

import logging
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.management.commands.load_demo import load_sbcs
from sbc import services
from sbc.device import Device
from sbc.errors import SBCError
from sbc.models import SBC
from sbc.secrets import CannotUnseal, seal, unseal
from tests.factories import SBCFactory, grant
from tests.sandbox_process import Sandbox

from .bench import Bench

PASSWORD = "correct horse “battery” "
KEY, OTHER_KEY = "k" * 40, "o" * 40


@pytest.fixture
def root(alice: User) -> Client:
    """Alice in the Django admin."""
    return staff(alice)


def staff(user: User) -> Client:
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


def page(sbc: SBC, name: str = "change") -> str:
    return reverse(f"admin:sbc_sbc_{name}", args=[sbc.pk])


def fields(sbc: SBC, **more: str) -> dict[str, str]:
    """What a browser sends for the row as it is."""
    names = ("name", "fqdn", "dial_plan", "rest_url", "username", "write_strategy")
    return {name: getattr(sbc, name) for name in names} | {"prefix_hash": "on"} | more


def test_sealed_and_opened_again() -> None:
    one, other = seal(PASSWORD), seal(PASSWORD)
    assert one != other
    assert "horse" not in one
    assert unseal(one) == unseal(other) == PASSWORD


def test_an_old_key_still_opens_and_an_unknown_one_does_not(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = KEY, []
    sealed = seal(PASSWORD)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_KEY, [KEY]
    assert unseal(sealed) == PASSWORD
    settings.SECRET_KEY_FALLBACKS = []
    for damaged in (sealed, sealed[:-5], "", "é"):
        with pytest.raises(CannotUnseal):
            unseal(damaged)


def test_set_kept_replaced_and_removed_in_the_admin(root: Client) -> None:
    sbc = SBCFactory(username="oc")
    assert root.post(page(sbc), fields(sbc, password=PASSWORD)).status_code == 302
    first = SBC.objects.get().sealed_password
    assert unseal(first) == PASSWORD
    root.post(page(sbc), fields(sbc, username="other"))
    assert (SBC.objects.get().sealed_password, SBC.objects.get().username) == (first, "other")
    root.post(page(sbc), fields(sbc, password="another"))
    assert unseal(SBC.objects.get().sealed_password) == "another"
    refused = root.post(page(sbc), fields(sbc, password="x", clear_password="on"))
    assert "Enter a new password or remove the old one, not both." in refused.text
    root.post(page(sbc), fields(sbc, clear_password="on"))
    assert SBC.objects.get().sealed_password == ""
    after = AuditEntry.objects.filter(action="sbc.password").order_by("pk").values_list("after", flat=True)
    assert [entry["password"] for entry in after] == ["set", "set", "removed"]


def test_set_while_adding(root: Client) -> None:
    root.post(reverse("admin:sbc_sbc_add"), fields(SBC(name="London"), username="oc", password=PASSWORD))
    assert unseal(SBC.objects.get().sealed_password) == PASSWORD
    assert sorted(AuditEntry.objects.values_list("action", flat=True)) == ["sbc.add", "sbc.password"]


def test_never_in_a_page_nor_in_an_audit_entry(root: Client, bob: User) -> None:
    sbc = SBCFactory(username="oc")
    monitor = staff(grant(bob, Role.MONITOR))
    wrong = root.post(page(sbc), fields(sbc, password=PASSWORD, name=""))
    root.post(page(sbc), fields(sbc, password=PASSWORD))
    sealed = SBC.objects.get().sealed_password
    pages = [wrong, root.get(f"/sbcs/{sbc.pk}/"), root.get(reverse("admin:sbc_sbc_changelist"))]
    pages += [who.get(page(sbc, name)) for who in (root, monitor) for name in ("change", "history")]
    root.post(page(sbc, "delete"), {"post": "yes"})
    assert not SBC.objects.exists()
    for answer in pages:
        assert answer.status_code == 200
        assert "horse" not in answer.text
        assert sealed not in answer.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_auditentry")
        rows = str(cursor.fetchall())
    assert "sbc.delete" in rows
    assert "horse" not in rows
    assert sealed not in rows
    assert "sealed_password" not in rows


def test_never_in_a_log_nor_in_a_text(cli_bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sbc = cli_bench.sbc
    password = unseal(sbc.sealed_password)
    cli_bench.fault("GET", "/status", status=400, body=f'{{"description": "bad login console:{password}"}}')
    with pytest.raises(SBCError, match=r"bad login console:\*\*\*") as caught:
        services.check(sbc)
    services.check(sbc)
    with Device(sbc) as device:
        texts = [repr(sbc), str(sbc), repr(device), repr(caught.value), caught.value.message, caplog.text]
    texts.append(SBC.objects.get(pk=sbc.pk).problem)
    assert "/status" in caplog.text
    for text in texts:
        assert password not in text
        assert sbc.sealed_password not in text


def test_no_login_in_the_address(root: Client) -> None:
    sbc = SBCFactory()
    answer = root.post(page(sbc), fields(sbc, rest_url="https://oc:secret@sbc.example/"))
    assert "Enter user name and password in their own fields" in answer.text
    assert SBC.objects.get().rest_url == ""


def test_a_bundle_has_to_hold_certificates(root: Client) -> None:
    sbc = SBCFactory()
    assert "This is not a certificate" in root.post(page(sbc), fields(sbc, ca_bundle="nonsense")).text


def test_the_admin_says_what_was_never_tried(root: Client) -> None:
    assert "was ever tried on a real device" in root.get(page(SBCFactory())).text


def test_the_demonstration_brings_logins_that_work(db: None, sandbox: Sandbox) -> None:
    for _time in range(2):
        load_sbcs(sandbox.url, sandbox.state()["sbcs"])
    assert dict(SBC.objects.values_list("pk", "prefix_hash")) == {11: False, 12: True, 14: False}
    assert services.check(SBC.objects.get(pk=12)).save_needed is False
    assert "sealed" not in str(list(AuditEntry.objects.values()))
