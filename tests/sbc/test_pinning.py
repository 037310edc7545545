"""A pinned certificate: that one is accepted, nothing else, and no login is sent before."""

from pathlib import Path

import pytest
from django.test import Client

from ocadmin.access.models import AuditEntry
from sbc import services
from sbc.errors import NotTrusted
from sbc.models import SBC, State
from sbc.trust import read
from tests.factories import SBCFactory

from .tls import Issued, issue, serve

pytestmark = pytest.mark.django_db
AUTHORITY = issue("Private authority", authority=True)
LEAF = issue("edge.somewhere.example", AUTHORITY)
SIBLING = issue("edge.somewhere.example", AUTHORITY)
OLD = issue("old.example", until=-1)


def device_at(url: str, **fields: str) -> SBC:
    sbc = SBCFactory(name="Edge", rest_url=url, username="oc", **fields)
    sbc.set_password("secret")
    sbc.save()
    return sbc


@pytest.mark.parametrize("pinned", [LEAF, issue("itself.example"), issue("an authority itself", authority=True)])
def test_the_pinned_certificate_is_accepted_whatever_its_name_and_issuer(tmp_path: Path, pinned: Issued) -> None:
    with serve(pinned, tmp_path) as device:
        sbc = device_at(device.url, pinned_certificate=pinned.pem)
        assert services.check(sbc).save_needed is False
        assert len(device.logins) == 1


@pytest.mark.parametrize(
    ("pinned", "shown"),
    [(LEAF, SIBLING), (AUTHORITY, LEAF), (issue("a"), issue("b"))],
    ids=["another of the same authority", "its authority is no pin", "a stranger"],
)
def test_any_other_certificate_is_refused_before_the_login(tmp_path: Path, pinned: Issued, shown: Issued) -> None:
    with serve(shown, tmp_path) as device:
        sbc = device_at(device.url, pinned_certificate=pinned.pem)
        with pytest.raises(NotTrusted, match="its certificate is not trusted"):
            services.check(sbc)
        assert device.logins == []
    assert SBC.objects.get().state == State.OFFLINE


def test_a_pinned_certificate_that_has_run_out_is_refused(tmp_path: Path) -> None:
    with serve(OLD, tmp_path) as device:
        with pytest.raises(NotTrusted, match="expired"):
            services.check(device_at(device.url, pinned_certificate=OLD.pem))
        assert device.logins == []


def test_without_a_pin_the_test_shows_the_certificate_and_sends_no_login(alice_client: Client, tmp_path: Path) -> None:
    with serve(LEAF, tmp_path) as device:
        sbc = device_at(device.url)
        page = alice_client.post(f"/sbcs/{sbc.pk}/test/").content.decode()
        for text in ("edge.somewhere.example", "Private authority", LEAF.fingerprint, "Pin this certificate"):
            assert text in page
        assert device.logins == []

        wrong = alice_client.post(f"/sbcs/{sbc.pk}/pin/", {"fingerprint": SIBLING.fingerprint}, follow=True)
        assert "by now it presents another certificate" in wrong.content.decode()
        assert SBC.objects.get().pinned_certificate == ""

        alice_client.post(f"/sbcs/{sbc.pk}/pin/", {"fingerprint": LEAF.fingerprint})
        assert read(SBC.objects.get().pinned_certificate).fingerprint == LEAF.fingerprint
        assert AuditEntry.objects.get(action="sbc.change").after == {"pinned_certificate": LEAF.pem}
        page = alice_client.post(f"/sbcs/{sbc.pk}/test/").content.decode()
        assert "It is the pinned certificate." in page
        assert "Pin this certificate" not in page
        assert device.logins


def test_a_pin_takes_the_place_of_a_bundle(alice_client: Client, tmp_path: Path) -> None:
    with serve(LEAF, tmp_path) as device:
        sbc = device_at(device.url, ca_bundle=AUTHORITY.pem)
        alice_client.post(f"/sbcs/{sbc.pk}/pin/", {"fingerprint": LEAF.fingerprint})
    row = SBC.objects.get()
    assert (row.ca_bundle, row.pinned_certificate) == ("", LEAF.pem)


def test_nothing_to_pin(alice_client: Client) -> None:
    for url in ("", "http://127.0.0.1:9", "https://127.0.0.1:9"):
        sbc = SBCFactory(rest_url=url)
        answer = alice_client.post(f"/sbcs/{sbc.pk}/pin/", {"fingerprint": "x"}, follow=True)
        assert "presents no certificate at the moment" in answer.content.decode()
