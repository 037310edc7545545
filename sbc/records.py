"""Changing what we know of an SBC: saved, audited and followed up in one transaction, for the console and the admin."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ocadmin.access.admin import values
from ocadmin.access.audit import record
from ocadmin.access.principal import Principal

from . import examination, health, services
from .examination import Examination, Verdict
from .forms import SBCForm
from .models import SBC

ACCESS = {"rest_url", "username", "ca_bundle", "pinned_certificate"}


def save(form: SBCForm, *, by: Principal, channel: str) -> list[str]:
    """Save a valid form of a new or a known SBC. Returns sentences that say what follows from it.

    Only what was changed is written: a task may have written other columns since the form was shown.
    """
    sbc: SBC = form.instance
    password, clear = form.cleaned_data["password"], form.cleaned_data["clear_password"]
    columns = {field.name for field in SBC._meta.concrete_fields}
    changed = sorted(columns & set(form.changed_data))
    with transaction.atomic():
        if sbc.pk is None:
            before: dict[str, Any] = {}
            sbc.save(force_insert=True)
            _record("sbc.add", sbc, by, channel, after=values(sbc))
        else:
            before = values(SBC.objects.select_for_update().get(pk=sbc.pk))
            _change(sbc, changed, before, by, channel)
        if password or (clear and sbc.sealed_password):
            sbc.set_password(password)
            sbc.save(update_fields=["sealed_password"])
            _record("sbc.password", sbc, by, channel, after={"password": "set" if password else "removed"})
        follows = []
        if before and (password or clear or ACCESS & set(changed)):
            health.forget(sbc, _("Its address, login or certificate was changed."))
            follows.append(_("Test the connection: what was seen with the old access no longer counts."))
        return follows + (_of_the_plan(sbc, changed, before) if before else [])


class NotPinned(Exception):
    """A certificate that was not pinned. The text says why and what to do."""


def examine(sbc: SBC, *, by: Principal, channel: str) -> Examination:
    """Test the connection (examination.py); the audit trail names who did."""
    found = examination.examine(sbc)
    problems = [step.text for step in found.steps if step.verdict == Verdict.BAD]
    _record("sbc.test", sbc, by, channel, after={"problems": problems})
    return found


def pin_presented(sbc: SBC, fingerprint: str, *, by: Principal, channel: str) -> None:
    """Pin the certificate that the SBC presents, if it is the one with this fingerprint. Raises NotPinned.

    It is fetched again, so that nothing is pinned that this device does not present.
    """
    certificate = examination.presented_by(sbc)
    if certificate is None:
        raise NotPinned(_("The SBC presents no certificate at the moment. Test the connection again."))
    if certificate.fingerprint != fingerprint:
        raise NotPinned(
            _("Nothing was pinned: by now it presents another certificate. Test the connection, and compare.")
        )
    pin(sbc, certificate.pem, by=by, channel=channel)


def pin(sbc: SBC, pem: str, *, by: Principal, channel: str) -> None:
    """Accept this certificate and no other from now on; a CA bundle gives way."""
    with transaction.atomic():
        before = values(SBC.objects.select_for_update().get(pk=sbc.pk))
        sbc.pinned_certificate, sbc.ca_bundle = pem, ""
        _change(sbc, ["ca_bundle", "pinned_certificate"], before, by, channel)
        health.forget(sbc, _("Its certificate was pinned."))


def _change(sbc: SBC, changed: list[str], before: dict[str, Any], by: Principal, channel: str) -> None:
    if not changed:
        return
    sbc.save(update_fields=changed)
    after = values(sbc)
    different = [name for name in changed if before[name] != after[name]]
    if different:
        sides = ({name: side[name] for name in different} for side in (before, after))
        _record("sbc.change", sbc, by, channel, **dict(zip(("before", "after"), sides, strict=True)))


def _of_the_plan(sbc: SBC, changed: list[str], before: dict[str, Any]) -> list[str]:
    """What a change of the plan's name, of its prefixes or of the way of writing means for the rules."""
    said = []
    if "dial_plan" in changed:
        moved = services.rename_plan(sbc, before["dial_plan"])
        words = ngettext(
            "%(n)d rule is now wanted in %(new)s and will be written there; what stands in %(old)s stays there.",
            "%(n)d rules are now wanted in %(new)s and will be written there; what stands in %(old)s stays there.",
            moved,
        )
        said.append(words % {"n": moved, "new": sbc.dial_plan, "old": before["dial_plan"]})
    if "prefix_hash" in changed:
        said.append(_("Rules that are there keep their form; only new ones are written in the other one."))
    if "write_strategy" in changed:
        words = _("Rules are written by %(way)s from now on. Nothing is written anew because of it.")
        said.append(words % {"way": sbc.get_write_strategy_display()})
    return said


def _record(action: str, sbc: SBC, by: Principal, channel: str, **sides: Any) -> None:
    record(action, by=by, channel=channel, object_type="sbc", object_id=str(sbc.pk), label=str(sbc)[:200], **sides)
