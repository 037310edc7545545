"""SBCs whose rules are written by people: what waits, the file to load, and the word that it was loaded.

A person brings what the device has exported, gets it back with our rules worked in (foreign ones byte for byte), loads
it, saves the device's configuration and says so. What the file says about our rules then counts as what the device
has; where the device can be asked, it is asked first. None of this was tried with the files of a real device.
"""

import hashlib
from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ocadmin.access.audit import record
from ocadmin.access.principal import Principal
from ocadmin.console import private_files
from ocadmin.tasks import services as tasks
from ocadmin.tasks.models import ITEM_ALIVE, Task

from . import cli, mirror
from .chunks import chunks
from .device import Device
from .dialplan import Difference, PlanFile, Rule, UnreadablePlan, difference, merge, parse, render
from .errors import ByHand, SBCError
from .models import SBC, DialPlanRule, HandFile, HandFileKind, PlanReading, SeenRule, WriteStrategy
from .models.hand_file import FOLDER, KEPT_HOURS
from .push import Pushed, check_capacity, note_done, note_missing, outstanding_of, rules_of
from .strategies import STRATEGIES, Plan, merged_csv, plan_of_cli
from .writer import only_writer

_HEAD = b"DialPlanName,Name,Prefix,Tag\r\n"
_READ_BY = {HandFileKind.CSV: WriteStrategy.CSV_FILE, HandFileKind.CLI: WriteStrategy.CLI_INCREMENTAL}


class Refused(Exception):
    """A file that cannot be used or confirmed. The text says why and what to do."""


def with_action(rules: QuerySet[DialPlanRule], sbc: SBC) -> QuerySet[DialPlanRule]:
    """The same with `there`: whether the latest reading of the device has a rule of that prefix."""
    reading = PlanReading.objects.current().filter(sbc=sbc).values("pk")
    return rules.annotate(there=Exists(SeenRule.objects.filter(reading__in=reading, prefix=OuterRef("prefix"))))


def push(sbc: SBC, prefixes: Collection[str]) -> Pushed:
    """All that is wanted for these prefixes (E.164 without #) is confirmed; raises ByHand where some is not."""
    waiting = outstanding_of(sbc)
    if any(waiting.filter(prefix__among=frozenset(some)).exists() for some in chunks(prefixes)):
        raise ByHand(sbc.name, count=waiting.count())
    return Pushed(unchanged=len(set(prefixes)))


def may_have(sbc: SBC, prefixes: Collection[str]) -> list[str]:
    """Those of the prefixes that the device may have rules for: we know of one, or no reading tells otherwise."""
    reading = PlanReading.objects.current().filter(sbc=sbc).first()
    found: list[str] = []
    for some in chunks(prefixes):
        if reading is None:
            found += some
            continue
        names = frozenset(some)
        known = set(rules_of(sbc, some).values_list("prefix", flat=True))
        found += known | set(reading.rules.filter(prefix__among=names).values_list("prefix", flat=True))
    return found


def prepare(sbc: SBC, content: bytes, *, by: Principal, channel: str) -> HandFile:
    """The file to load, made from the device's CSV export, or from its output of `cli.SHOW`.

    Notes what the export holds. Raises Refused, and changes nothing then.
    """
    try:
        kind, plan = _read(sbc, content)
        wanted = _all_wanted(sbc)
        todo = difference(plan.rules, wanted, with_hash=sbc.prefix_hash)
        check_capacity(sbc, plan.table_size, todo)
        load, after = _worked_in(sbc, plan, todo)
    except (UnreadablePlan, ValueError) as problem:
        raise Refused(_("This is no export of dial plans: %s.") % problem) from None
    except SBCError as error:
        raise Refused(error.message) from None
    private_files.forget(FOLDER, KEPT_HOURS)
    file = HandFile(sbc=sbc, dial_plan=sbc.dial_plan, kind=kind, digest=hashlib.sha256(load).hexdigest())
    file.made_by, file.added, file.changed = by.name, len(todo.added), len(todo.changed)
    file.removed = len(todo.removed)
    file.path.write_bytes(load)
    if kind == HandFileKind.CLI:
        file.plan_path.write_bytes(render(after))
    note_missing(sbc, [*todo.added, *todo.changed])
    mirror.note(sbc, plan.rules.items(), plan.table_size)
    with transaction.atomic():
        file.save(force_insert=True)
        _audit("sbc.hand_file", file, by, channel)
    return file


def _read(sbc: SBC, content: bytes) -> tuple[HandFileKind, Plan]:
    """Which of the two it is, and the plan in it. Raises UnreadablePlan, PlanMissing, Refused."""
    if content.lstrip()[:14] == b"configure voip":
        return HandFileKind.CLI, plan_of_cli(sbc, content.decode("utf-8", "replace"))
    file = parse(content)
    rules = file.rules(sbc.dial_plan)
    if next(iter(rules.items()), None) is None:
        sentence = _(
            "There is no rule of the dial plan %(plan)s in it, and a CSV file does not tell an empty plan from one "
            "that is missing. Create the plan on the SBC, then upload what the command shows."
        )
        raise Refused(sentence % {"plan": sbc.dial_plan})
    return HandFileKind.CSV, Plan(rules, file.size, file)


def _worked_in(sbc: SBC, plan: Plan, todo: Difference) -> tuple[bytes, PlanFile]:
    """What is to be loaded, and the plan that the device has afterwards. Raises Rejected."""
    if plan.file is not None:
        after = merged_csv(sbc, plan.file, todo)
        return render(after), after
    load = "".join(cli.scripts(sbc.dial_plan, plan.rules, todo)).encode()
    gone = set(todo.remove)
    left = [todo.change.get(key, rule) for key, rule in plan.rules.items() if key not in gone]
    return load, merge(parse(_HEAD), sbc.dial_plan, Difference(add=[*left, *todo.add]))


def _all_wanted(sbc: SBC) -> dict[str, Rule | None]:
    """All our rules of the SBC's plan; None for those that must go."""
    rows = DialPlanRule.objects.filter(sbc=sbc, dial_plan=sbc.dial_plan).order_by("prefix")
    columns = rows.values_list("prefix", "name", "tag", "wanted").iterator(chunk_size=5000)
    return {prefix: Rule(prefix, name, tag) if wanted else None for prefix, name, tag, wanted in columns}


def confirm(file: HandFile, *, by: Principal, channel: str) -> int:
    """The file was loaded and the configuration saved: what it says of our rules counts from now on.

    What was wanted since it was made is not in it and stays outstanding. Returns how many rules are confirmed by it.
    Raises Refused, and confirms nothing then. Outside any transaction.
    """
    sbc = file.sbc
    try:
        with only_writer(sbc):
            file.refresh_from_db()
            plan = _plan_of(file)
            wanted = _all_wanted(sbc)
            left = difference(plan.rules, wanted, with_hash=sbc.prefix_hash)
            for prefix in (*left.added, *left.changed, *left.removed):
                del wanted[prefix]
            seen = _verified(file, wanted) if sbc.rest_url and sbc.has_credentials else plan
            waited = _waited_for(sbc, wanted)
            note_done(sbc, wanted)
            mirror.note(sbc, seen.rules.items(), seen.table_size)
            with transaction.atomic():
                file.confirmed_at, file.confirmed_by = timezone.now(), by.name
                file.save(update_fields=["confirmed_at", "confirmed_by"])
                _audit("sbc.hand_file_confirmed", file, by, channel)
    except SBCError as error:
        raise Refused(_("Nothing is confirmed. %s") % error.message) from None
    for some in chunks(waited):
        tasks.wake(Task.objects.filter(items__key__in=some, items__state__in=ITEM_ALIVE))
    return len(waited)


def _plan_of(file: HandFile) -> Plan:
    """The plan that the device has once the file is loaded. Raises Refused where it may not be confirmed any more."""
    words = {"who": file.confirmed_by, "file": file.name}
    if file.confirmed_at:
        raise Refused(_("%(who)s has already confirmed this file.") % words)
    if file.dial_plan != file.sbc.dial_plan:
        raise Refused(_("The SBC has another dial plan by now. Upload its export again."))
    since = HandFile.objects.filter(sbc=file.sbc, confirmed_at__gt=file.made_at).first()
    if since and since.confirmed_at:
        words |= {"who": since.confirmed_by, "when": date_format(timezone.localtime(since.confirmed_at), "H:i")}
        sentence = _(
            "%(who)s confirmed another file at %(when)s, after this one was made: this one may lack its rules. "
            "Upload a new export of the SBC."
        )
        raise Refused(sentence % words)
    try:
        found = parse(file.plan_path.read_bytes())
        sound = hashlib.sha256(file.path.read_bytes()).hexdigest() == file.digest
    except (FileNotFoundError, UnreadablePlan):
        sound = False
    if not sound:
        raise Refused(_("This file is no longer kept. Upload a new export of the SBC."))
    return Plan(found.rules(file.dial_plan), found.size, found)


def _verified(file: HandFile, settled: dict[str, Rule | None]) -> Plan:
    """What the device holds. Raises SBCError, and Refused where it is not what the file says, or is not saved."""
    sbc = file.sbc
    with Device(sbc) as device:
        seen = STRATEGIES[_READ_BY[HandFileKind(file.kind)]].read(device)
        unsaved = device.status().save_needed
    left = difference(seen.rules, settled, with_hash=sbc.prefix_hash)
    wrong = [*left.added, *left.changed, *left.removed]
    if wrong:
        sentence = ngettext(
            "Nothing is confirmed: %(sbc)s was read, and %(count)d rule is not as in the file, the one for %(prefix)s. "
            "Load the file, or upload a new export.",
            "Nothing is confirmed: %(sbc)s was read, and %(count)d rules are not as in the file, such as the one for "
            "%(prefix)s. Load the file, or upload a new export.",
            len(wrong),
        )
        raise Refused(sentence % {"sbc": sbc.name, "count": len(wrong), "prefix": wrong[0]})
    if unsaved:
        sentence = _("Nothing is confirmed: %s holds the rules, but its configuration is not saved. Save it there.")
        raise Refused(sentence % sbc.name)
    return seen


def _waited_for(sbc: SBC, settled: dict[str, Rule | None]) -> list[str]:
    """Those that were outstanding up to now."""
    waiting = outstanding_of(sbc).values_list("prefix", flat=True)
    return [prefix for prefix in waiting.iterator(chunk_size=5000) if prefix in settled]


def _audit(action: str, file: HandFile, by: Principal, channel: str) -> None:
    after: dict[str, str | int] = {"file": file.name, "sha256": file.digest}
    after |= {"added": file.added, "changed": file.changed, "removed": file.removed}
    label = str(file.sbc)[:200]
    record(action, by=by, channel=channel, object_type="sbc", object_id=str(file.sbc_id), label=label, after=after)
