"""SBCs that stand in the way, said where people would press the button: on plans, and on the page of a number.

Nothing is refused because of them: an SBC may be back before the task comes to it. By what was last seen; no SBC is
asked (live-platform.md §3.6, §6.4).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sbc import capacity
from sbc.models import SBC, DialPlanRule, State

from .. import routing
from ..models import SipConnection, Trunk
from .plan import Caution

STATES = (State.OFFLINE, State.HA_SYNC, State.BAD_LOGIN)


class Doing(StrEnum):
    """What is about to be done with the rules of numbers."""

    WRITING = "writing"
    REMOVING = "removing"
    LOOKING = "looking"


_SENTENCES: dict[tuple[str, Doing], Promise] = {
    (State.OFFLINE, Doing.WRITING): gettext_lazy(
        "%(sbc)s is offline since %(since)s: the rules of these numbers are written when it is back; until then the "
        "task waits."
    ),
    (State.OFFLINE, Doing.REMOVING): gettext_lazy(
        "%(sbc)s is offline since %(since)s: the rules of these numbers are taken off when it is back; until then the "
        "task waits."
    ),
    (State.OFFLINE, Doing.LOOKING): gettext_lazy(
        "%(sbc)s is offline since %(since)s: rules are written to it when it is back."
    ),
    (State.HA_SYNC, Doing.WRITING): gettext_lazy(
        "%(sbc)s synchronises its HA pair since %(since)s: the task waits until that is done."
    ),
    (State.HA_SYNC, Doing.REMOVING): gettext_lazy(
        "%(sbc)s synchronises its HA pair since %(since)s: the task waits until that is done."
    ),
    (State.HA_SYNC, Doing.LOOKING): gettext_lazy(
        "%(sbc)s synchronises its HA pair since %(since)s: rules are written to it when that is done."
    ),
    (State.BAD_LOGIN, Doing.WRITING): gettext_lazy(
        "%(sbc)s refuses our login since %(since)s: numbers that need it fail until its login is corrected."
    ),
    (State.BAD_LOGIN, Doing.REMOVING): gettext_lazy(
        "%(sbc)s refuses our login since %(since)s: the rules of these numbers stay on it until its login is corrected."
    ),
    (State.BAD_LOGIN, Doing.LOOKING): gettext_lazy(
        "%(sbc)s refuses our login since %(since)s: no rule is written to it until its login is corrected."
    ),
}
_FULL = gettext_lazy("%(sbc)s has room for %(room)d more rules only: what does not fit is not uploaded.")


@dataclass(frozen=True)
class Hindrance:
    """One SBC that stands in the way; `room`: only where more numbers than this need a rule on it."""

    sbc_id: int
    code: str
    sentence: str
    room: int | None = None


def find(doing: Doing, sbcs: Collection[int] | None = None) -> list[Hindrance]:
    """What stands in the way now; among `sbcs` (ids) only, where they are given."""
    matters = Q(state__in=STATES)
    if doing == Doing.WRITING:
        matters |= Q(max_rules__isnull=False)
    rows = SBC.objects.filter(matters).order_by("name")
    found = list(rows if sbcs is None else rows.filter(pk__in=sbcs))
    stuck = [_stuck(sbc, doing) for sbc in found if sbc.state in STATES]
    limited = [sbc for sbc in found if sbc.max_rules is not None] if doing == Doing.WRITING else []
    return stuck + [_full(sbc, room) for sbc, room in capacity.rooms(limited).items()]


def cautions(doing: Doing) -> list[Caution]:
    """The same of numbers that are here, as conditions of the database."""
    return [Caution(one.code, one.sentence, _through(one.sbc_id)) for one in find(doing) if one.room is None]


def _stuck(sbc: SBC, doing: Doing) -> Hindrance:
    words = {"sbc": sbc.name, "since": _since(sbc)}
    return Hindrance(sbc.pk, f"sbc_{sbc.state}_{sbc.pk}", str(_SENTENCES[sbc.state, doing]) % words)


def _full(sbc: SBC, room: int) -> Hindrance:
    return Hindrance(sbc.pk, f"sbc_full_{sbc.pk}", str(_FULL) % {"sbc": sbc.name, "room": room}, room)


def _since(sbc: SBC) -> str:
    """The time of day, with the day where it is another one."""
    if sbc.state_since is None:
        return _("a time that is not known")
    moment = timezone.localtime(sbc.state_since)
    return date_format(moment, "H:i" if moment.date() == timezone.localdate() else "j M Y, H:i")


def _through(sbc_id: int) -> Q:
    """Managed numbers that have, or may have, a rule on this SBC: the same as `routing.behind`, as a condition."""
    links = SipConnection.objects.filter(
        customer=OuterRef("customer_id"), calling_profile=OuterRef("calling_profile_id")
    )
    trunks = Trunk.objects.filter(profile=OuterRef("calling_profile_id"), sbc=sbc_id)
    rules = DialPlanRule.objects.filter(sbc=sbc_id, prefix=OuterRef("e164"))
    way = Q(Exists(links.filter(sbc=sbc_id))) | (Q(Exists(trunks)) & ~Q(Exists(links))) | Q(Exists(rules))
    return Q(way, source__in=routing.MANAGED)
