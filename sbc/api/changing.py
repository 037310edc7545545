"""Adding and changing SBCs, with the form of their screens; the password can be written, never read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem, of_form
from ocadmin.api.rest import OwnBody, answers, json_answer
from sbc import records, rights
from sbc.forms import SBCForm
from sbc.models import SBC, WriteStrategy

from .reading import ASKED, ONE, PLACE, SbcId, router, the_sbc
from .records import SbcRecord, of_sbcs

MOST_RULES = 2_147_483_647
# Fields of the form that are called otherwise here.
_NAMES = {
    "ip_address": "ipAddress",
    "rest_url": "restUrl",
    "clear_password": "clearPassword",
    "ca_bundle": "caBundle",
    "pinned_certificate": "pinnedCertificate",
    "dial_plan": "dialPlan",
    "prefix_hash": "prefixHash",
    "max_rules": "maxRules",
    "write_strategy": "writeStrategy",
}


class SbcChange(OwnBody):
    """What to change. What is left out stays; an empty text empties the field."""

    name: str = Field("", description="Once in the system.")
    fqdn: str = Field("", description="Once in the system, or empty.")
    ipAddress: str = ""
    note: str = ""
    restUrl: str = Field("", description="Base address of its REST interface, such as https://sbc1.example.net.")
    username: str = Field("", description="Can be written, never read.")
    password: str = Field("", description="Can be written, never read. Empty: the one that is set stays.")
    clearPassword: bool = Field(False, description="Remove the password that is set.")
    caBundle: str = Field("", description="PEM certificates that its own must lead to. Empty: the system's.")
    pinnedCertificate: str = Field("", description="PEM certificate of the device itself: only that one is accepted.")
    dialPlan: str = Field("OCDialPlan", description="It has to be there already. With another name our rules move.")
    prefixHash: bool = Field(True, description="Whether new rules end with #.")
    maxRules: int | None = Field(None, ge=0, le=MOST_RULES, description="Its capacity in rules; null: not known.")
    writeStrategy: WriteStrategy = Field(WriteStrategy.CLI_INCREMENTAL, description="How rules get into it.")


class NewSbc(SbcChange):
    """An SBC to add."""

    name: str = Field(description="Once in the system.", examples=["Edge 3"])


class Fingerprint(OwnBody):
    """The certificate that was compared with what the device itself shows."""

    fingerprint: str = Field(description="SHA-256, as a test of the connection tells it.", examples=["3F:A0:1B"])


class SbcSaved(SbcRecord):
    """An SBC as it is now; `follows` are sentences that say what the change leads to."""

    follows: list[str]


@router.post(PLACE, auth=may(Permission.MANAGE_SBC), response=answers(SbcSaved, 409), summary="Add an SBC")
def add_sbc(request: HttpRequest, body: NewSbc) -> HttpResponse:
    """It is asked how it is from the next round on; test the connection first."""
    rights.demand(principal_behind(request), Permission.MANAGE_SBC)
    return _save(request, SBC(), body.model_dump())


@router.patch(ONE, auth=may(Permission.MANAGE_SBC), response=answers(SbcSaved, 409), summary="Change an SBC")
def change_sbc(request: HttpRequest, body: SbcChange, sbcId: int = SbcId) -> HttpResponse:
    """With another address, login or certificate what was seen before no longer counts: test the connection."""
    with transaction.atomic():
        SBC.objects.select_for_update().filter(pk=sbcId).first()
        sbc = the_sbc(request, sbcId, Permission.MANAGE_SBC)
        now = model_to_dict(sbc, SBCForm.Meta.fields)
        known = {_NAMES.get(field, field): value for field, value in now.items()}
        return _save(request, sbc, known | body.model_dump(exclude_unset=True))


@router.post(
    f"{ONE}/pin",
    auth=may(Permission.MANAGE_SBC),
    throttle=ASKED,
    response=answers(SbcRecord, 409),
    summary="Pin a certificate",
)
@once.outside  # the SBC is asked for its certificate
def pin_certificate(request: HttpRequest, body: Fingerprint, sbcId: int = SbcId) -> HttpResponse:
    """Accept the certificate that it presents, and no other, from now on. 409: it presents another one, or none."""
    sbc = the_sbc(request, sbcId, Permission.MANAGE_SBC)
    try:
        records.pin_presented(sbc, body.fingerprint, by=principal_behind(request), channel=Channel.API)
    except records.NotPinned as problem:
        raise Problem(409, "not_pinned", str(problem)) from None
    return json_answer(of_sbcs([the_sbc(request, sbcId, Permission.MANAGE_SBC)])[0])


def _save(request: HttpRequest, sbc: SBC, given: Mapping[str, Any]) -> HttpResponse:
    """By the form, which also says what is wrong. The login may be left out: nothing of it is in the answer."""
    names = {field: _NAMES.get(field, field) for field in SBCForm.Meta.fields}
    entered = {field: given.get(name, "") for field, name in names.items()}
    form = SBCForm({field: "" if value is None else value for field, value in entered.items()}, instance=sbc)
    if not form.is_valid():
        raise of_form(form, names)
    with _names_once(form):
        follows = records.save(form, by=principal_behind(request), channel=Channel.API)
    (told,) = of_sbcs([SBC.objects.get(pk=sbc.pk)])
    return json_answer(told | {"follows": follows}, Location=f"/api{PLACE}/{sbc.pk}")


@contextmanager
def _names_once(form: SBCForm) -> Iterator[None]:
    """409 where somebody else has taken name or FQDN since the form looked."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        if SBCForm(form.data, instance=form.instance).is_valid():
            raise
        raise Problem(409, "taken", _("Another SBC has this name or FQDN.")) from None
