"""One run of `services.push`: look at the device, write what differs, look again, save, note what is there now.

Every step looks first and may be repeated, so a run that stopped anywhere is finished by the next one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import mirror
from .chunks import chunks
from .device import Device
from .dialplan import Difference, Rule, difference
from .errors import Busy, NotVerified, Rejected, TableFull
from .models import OUTSTANDING, SBC, DialPlanRule
from .strategies import STRATEGIES, Plan
from .writer import Writer

HAND_EDITS = 5  # so often a plan may change under our hands before we leave it to its editor for now


@dataclass(frozen=True, slots=True)
class Pushed:
    """How many of the prefixes were written anew, corrected, removed, and found as they should be."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0


class Push:
    """One run. `writer` holds the lock; `device` is open. `wanted`: prefix to its rule, None where none may be.

    `forget`: rows of what is removed go whatever they say, not only those that say "unwanted".
    """

    def __init__(
        self, sbc: SBC, device: Device, writer: Writer, wanted: dict[str, Rule | None], *, forget: bool = False
    ) -> None:
        self.sbc, self.device, self.writer = sbc, device, writer
        self.wanted, self.forget = wanted, forget
        self.strategy = STRATEGIES[sbc.write_strategy]
        self.seen: Plan | None = None  # the plan as it was read last
        sbc.refresh_from_db(fields=["save_pending"])  # who held the lock before may have left something

    def run(self) -> Pushed:
        """Look, write what differs, look again, save, note."""
        done = self.write() if self.wanted else Difference()
        self.save(wrote=bool(done))
        if self.seen is not None:
            mirror.correct(self.sbc, self.seen.rules, self.wanted)
        note_done(self.sbc, self.wanted, forget=self.forget)
        touched = len(done.added) + len(done.changed) + len(done.removed)
        return Pushed(len(done.added), len(done.changed), len(done.removed), len(self.wanted) - touched)

    def write(self) -> Difference:
        """What was written, verified by reading back. Raises Busy where somebody keeps editing the plan by hand."""
        for _attempt in range(HAND_EDITS):
            plan = self.seen = self.strategy.read(self.device)
            todo = self.difference(plan)
            self.note_what_is_left(todo)
            if not todo:
                return todo
            check_capacity(self.sbc, plan.table_size, todo)
            pieces = self.strategy.prepare(self.sbc, plan, todo)  # before the last look: from there every moment counts
            if self.strategy.read(self.device) != plan:
                continue  # edited since: what we were about to write would undo that
            self.note_save(pending=True)
            try:
                for piece in pieces:
                    self.writer.renew()
                    self.strategy.send(self.device, piece)
            except Rejected:
                if self.strategy.read(self.device) == plan:
                    raise
                continue  # edited in the meantime: what was refused may make sense no more
            self.verify()
            return todo
        raise Busy(self.sbc.name, said=_("its dial plan is being edited by somebody else"))

    def difference(self, plan: Plan) -> Difference:
        """What is left to do."""
        return difference(plan.rules, self.wanted, with_hash=self.sbc.prefix_hash)

    def verify(self) -> None:
        """Raises NotVerified where the device does not hold what was written."""
        self.seen = self.strategy.read(self.device)
        left = self.difference(self.seen)
        wrong = [*left.added, *left.changed, *left.removed]
        if wrong:
            problem = ngettext(
                "%(count)d rule is not as written, the one for %(prefix)s",
                "%(count)d rules are not as written, such as the one for %(prefix)s",
                len(wrong),
            )
            raise NotVerified(self.sbc.name, problem=problem % {"count": len(wrong), "prefix": wrong[0]})

    def save(self, *, wrote: bool) -> None:
        """Save to flash where the device says that it is needed, else a restart loses the rules (F24)."""
        needed = self.device.status().save_needed
        if needed is False and wrote:
            self.verify()  # saved by somebody else, or restarted: the rules tell
        if needed or (needed is None and self.sbc.save_pending):
            self.writer.renew()
            self.device.save()
            if self.device.status().save_needed:
                raise NotVerified(self.sbc.name, problem=_("its configuration is still not saved"))
        self.note_save(pending=False)

    def note_save(self, *, pending: bool) -> None:
        """Keep in our database that the flash is behind, so that a crash does not hide it."""
        SBC.objects.filter(pk=self.sbc.pk, save_pending=not pending).update(save_pending=pending)
        self.sbc.save_pending = pending

    def note_what_is_left(self, todo: Difference) -> None:
        """Note what was seen to be different, so that it counts as outstanding if this run ends here.

        What is to be removed is outstanding anyway, as long as its row is there.
        """
        note_missing(self.sbc, [*todo.added, *todo.changed])


def check_capacity(sbc: SBC, table_size: int, todo: Difference) -> None:
    """Before anything is written, so that nothing is written by halves (F22). Raises TableFull."""
    more, most = len(todo.add) - len(todo.remove), sbc.max_rules
    if more > 0 and most is not None and table_size + more > most:
        said = _("it holds %(size)d rules, %(more)d more are to be written, there is room for %(most)d")
        raise TableFull(sbc.name, said=said % {"size": table_size, "more": more, "most": most})


def note_done(sbc: SBC, wanted: Mapping[str, Rule | None], *, forget: bool = False) -> None:
    """Everything is verified and saved: note wanted rules as present, forget those that were to go.

    `present` of a wanted rule means: there with the right name and tag, and safe from a restart. A row that says
    something else by now is left alone: that was not pushed. `forget`: as for Push.
    """
    now = timezone.now()
    alike: dict[Rule | None, list[str]] = {}
    for prefix, rule in wanted.items():
        alike.setdefault(rule and rule._replace(prefix=""), []).append(prefix)
    for rule, prefixes in alike.items():
        for chunk in chunks(prefixes):
            rows = rules_of(sbc, chunk)
            if rule is None:
                (rows if forget else rows.filter(wanted=False)).delete()
            else:
                rows.filter(wanted=True, name=rule.name, tag=rule.tag).update(
                    present=True, checked_at=now, drifted=False
                )


def note_missing(sbc: SBC, prefixes: Iterable[str]) -> None:
    """Note that these wanted rules were seen to be missing or different, so that they count as outstanding."""
    now = timezone.now()
    for chunk in chunks(prefixes):
        rules_of(sbc, chunk).update(present=False, checked_at=now)


def wanted_of(sbc: SBC, prefixes: Collection[str]) -> dict[str, Rule | None]:
    """Our rules for these prefixes; None for those that must go."""
    found: dict[str, Rule | None] = {}
    for chunk in chunks(set(prefixes)):
        for row in rules_of(sbc, chunk).values_list("prefix", "name", "tag", "wanted"):
            found[row[0]] = Rule(*row[:3]) if row[3] else None
    return found


def rules_of(sbc: SBC, prefixes: Collection[str]) -> QuerySet[DialPlanRule]:
    """Our rows for these prefixes in the SBC's plan, for one chunk at most."""
    return DialPlanRule.objects.filter(sbc=sbc, dial_plan=sbc.dial_plan, prefix__among=frozenset(prefixes))


def outstanding_of(sbc: SBC) -> QuerySet[DialPlanRule]:
    """Our rows of which the SBC's plan is not known to be as we want it: to be written, or to be removed."""
    return DialPlanRule.objects.filter(OUTSTANDING, sbc=sbc, dial_plan=sbc.dial_plan)
