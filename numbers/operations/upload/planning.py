"""From a list of numbers with settings to the plan, and from the plan to the task."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ocadmin.access.audit import Channel
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.plans import SAMPLE, Group, Plan

from ...lifecycle import Source
from ...models import Customer
from ..base import BUSY, add_up, refuse
from ..plan import WILL, Stranger, of_strangers
from .judging import Judged, Verdict, judge
from .known import Known, load
from .settings import Settings

KIND = "upload"
CAUTION = "caution"
# Where a number came in (live-platform.md §4.4). A file is loaded on a screen.
SOURCES = {Channel.API.value: Source.WEB_API}


@dataclass(frozen=True)
class Rows:
    """Numbers (E.164), each once with its settings; those that were named again; what was named and is no number."""

    settings: dict[str, Settings]
    repeated: list[str] = field(default_factory=list)
    strangers: list[Stranger] = field(default_factory=list)


@dataclass(frozen=True)
class Proposal:
    """A plan with what made it."""

    rows: Rows
    known: Known
    judged: Judged
    plan: Plan

    @property
    def shown(self) -> str:
        """A short text that is the same for the same verdicts of the same numbers: how many and which, of all and
        of those that go."""
        codes = {e164: verdict.code for e164, verdict in self.judged.verdicts.items()}
        lines = [f"{e164} {codes[e164]} {self.rows.settings[e164]}" for e164 in sorted(codes)]
        return f"{self.plan.total}-{_digest(lines)}/{self.plan.will}-{_digest(sorted(self.judged.going()))}"

    def numbers(self, code: str) -> list[str]:
        """The numbers and other texts with a verdict."""
        found = [e164 for e164, verdict in self.judged.verdicts.items() if verdict.code == code]
        return sorted(found) + [one.key for one in self.rows.strangers if one.code == code]


def rows_of(
    rows: Iterable[tuple[str, Settings]], strangers: Sequence[Stranger] = (), repeated: Sequence[str] = ()
) -> Rows:
    """Each number (E.164) once; one that is named with different settings is refused, because nobody knows which count.

    `repeated` were named more than once before, `strangers` are no numbers at all.
    """
    settings: dict[str, Settings] = {}
    again: dict[str, None] = dict.fromkeys(repeated)
    unclear: dict[str, None] = {}
    for e164, wanted in rows:
        if e164 not in settings:
            settings[e164] = wanted
        elif settings[e164] == wanted:
            again[e164] = None
        else:
            unclear[e164] = None
    sentence = _("It is named more than once, with different settings. Name it once.")
    more = [Stranger(e164, "contradictory", sentence) for e164 in unclear]
    kept = {e164: one for e164, one in settings.items() if e164 not in unclear}
    return Rows(kept, [e164 for e164 in again if e164 in kept], [*strangers, *more])


def plan(
    rows: Iterable[tuple[str, Settings]],
    by: Principal,
    *,
    strangers: Sequence[Stranger] = (),
    repeated: Sequence[str] = (),
) -> Plan:
    """What would happen to each number (E.164, its settings), without touching anything.

    Raises nothing of Microsoft's: what it does not tell is a reason to refuse.
    """
    return propose(rows_of(rows, strangers, repeated), by).plan


def propose(rows: Rows, by: Principal, known: Known | None = None) -> Proposal:
    """The plan with all that made it. `known` saves reading it again."""
    known = known or load(set(rows.settings.values()), by)
    judged = judge(rows.settings, known)
    groups: dict[tuple[str, str, str], list[str]] = {}
    for e164, verdict in judged.verdicts.items():
        groups.setdefault((verdict.code, verdict.sentence, verdict.state), []).append(e164)
    left_alone = [_group(*what, found) for what, found in groups.items() if what[0] != WILL]
    cautions = [_group(code, sentence, CAUTION, found) for code, (sentence, found) in judged.cautions.items()]
    if rows.repeated:
        cautions.append(_group("duplicate", _("Named more than once; it counts once."), CAUTION, rows.repeated))
    going = judged.going()
    proposed = Plan(len(going), sorted(going)[:SAMPLE], left_alone + of_strangers(rows.strangers), cautions)
    return Proposal(rows, known, judged, proposed)


def title_of(count: int, customer: Customer) -> str:
    """What a task is called that uploads `count` numbers."""
    title = ngettext("Upload %(count)d number to %(customer)s", "Upload %(count)d numbers to %(customer)s", count)
    return (title % {"count": count, "customer": customer})[:200]


def submit(
    rows: Rows,
    *,
    title: str,
    by: Principal,
    channel: str,
    ticket: str = "",
    comment: str = "",
    known: Known | None = None,
) -> Task:
    """Make a task with one item for each number: pending where it goes, else with its verdict.

    Judged anew in the transaction that makes the task; a number that another operation takes in the same moment is
    refused as busy, because the rule of the database decides. Not for use inside a transaction without `known`.
    """
    known = known or load(set(rows.settings.values()), by)
    groups = list(dict.fromkeys(rows.settings.values()))
    params = {
        "groups": [group.as_dict() | {"requested": requested(group, known)} for group in groups],
        "source": SOURCES.get(channel, Source.WEB_UI).value,
        "comment": comment,
    }
    with transaction.atomic():
        task = services.start(KIND, title=title, by=by, channel=channel, params=params, ticket=ticket)
        places = {group: place for place, group in enumerate(groups)}
        verdicts = judge(rows.settings, known).verdicts
        items = [_item(task, e164, verdict, places[rows.settings[e164]], known) for e164, verdict in verdicts.items()]
        TaskItem.objects.bulk_create(items, batch_size=1000, ignore_conflicts=True)
        there = set(task.items.values_list("key", flat=True))
        late = [item for item in items if item.key not in there]
        for item in late:
            item.pk, item.state, item.code, item.message = None, ItemState.REFUSED, BUSY.code, str(BUSY.sentence)
        TaskItem.objects.bulk_create(late, batch_size=1000)
        refuse(task, rows.strangers)
        add_up(task)
    return task


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _group(code: str, sentence: str, state: str, found: list[str]) -> Group:
    return Group(code, sentence, state, len(found), sorted(found)[:SAMPLE])


def requested(settings: Settings, known: Known) -> list[str]:
    """What is asked for: the chosen capabilities, and those that the usage brings (live-platform.md §3.3)."""
    plan = known.usages.get(settings.customer, {}).get(settings.usage)
    return sorted({*settings.capabilities, *(plan.mandatory_capabilities if plan is not None else ())})


def _item(task: Task, e164: str, verdict: Verdict, group: int, known: Known) -> TaskItem:
    """The outcome row of one number; whose it shall be is written down only for somebody who may upload there."""
    goes = verdict.code == WILL
    settings = task.params["groups"][group]
    customer = known.customers.get(settings["customer"])
    return TaskItem(
        task=task,
        key=e164,
        customer_ref=customer.pk if customer else None,
        channel_ref=customer.channel_id if customer else None,
        state=ItemState.PENDING if goes else verdict.state,
        code="" if goes else verdict.code,
        message=verdict.sentence[:500],
        data={"group": group},
    )
