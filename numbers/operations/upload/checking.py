"""The checks right before an upload: ours again, because time has passed since the plan, then Microsoft's.

Nothing is written to an SBC before all numbers of the task are through (upstreams.md §9.7 F11, F13).
"""

from collections import defaultdict

from django.conf import settings as project
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.principal import SYSTEM
from ocadmin.tasks.models import ItemState
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ...microsoft.errors import MicrosoftError
from ...microsoft.job_records import Validation
from ...microsoft.operator_connect import OperatorConnect
from ...models import Customer
from .. import failures
from ..items import close, pending
from .judging import GOES, Verdict, judge
from .known import load
from .routes import ALREADY_THERE, CHECKED, unwant
from .settings import Settings


def check_next(run: Run) -> Outcome | None:
    """Check the next numbers of one customer; None where all are checked."""
    fresh = pending(run.task).filter(code="")
    first = fresh.first()
    if first is None:
        return None
    items = list(fresh.filter(customer_ref=first.customer_ref)[: project.ENV.job_size])
    groups = run.task.params["groups"]
    rows = {item.key: Settings.of(groups[item.data["group"]]) for item in items}
    known = load(set(rows.values()), SYSTEM, strict=True)
    verdicts = judge(rows, known, task=run.task).verdicts  # time has passed since the plan
    going = [key for key, verdict in verdicts.items() if verdict is GOES]
    for customer in known.customers.values() if going else ():  # one, as all items are of one
        verdicts |= _microsofts(run, customer, going)
    with run.commit():
        stopped: dict[Verdict, list[str]] = defaultdict(list)
        for key, verdict in verdicts.items():
            if verdict is not GOES:
                stopped[verdict].append(key)
        for verdict, keys in stopped.items():
            state = verdict.state if verdict.state == ItemState.UNCHANGED else ItemState.FAILED
            close(run, keys, state, code=verdict.code, message=verdict.sentence)
            unwant(run, keys)  # one that is checked again, because Microsoft refused others of its job, has a rule
        passed = pending(run.task).filter(pk__in=[item.pk for item in items])
        passed.update(code=CHECKED, message=_("Checked: it may be uploaded."), updated_at=timezone.now())
        run.task.step = _("Checking the numbers")
    return Continue()


def _microsofts(run: Run, customer: Customer, numbers: list[str]) -> dict[str, Verdict]:
    """Numbers that Microsoft would refuse. Where it refuses the question, all of them."""
    try:
        answers = OperatorConnect(run.task.uid).validate(customer.tenant_id, numbers)
    except failures.REFUSALS as error:
        if failures.about_us(error):
            raise
        return dict.fromkeys(numbers, _refusal(error))
    found = {answer.e164: verdict_of(answer) for answer in answers if answer.problems or answer.found}
    return {e164: found[e164] for e164 in numbers if e164 in found}


def _refusal(error: MicrosoftError) -> Verdict:
    return Verdict(error.code, error.message)


def verdict_of(answer: Validation) -> Verdict:
    """Microsoft's word on a number that cannot be uploaded."""
    sentences = {
        "NumberOwnedByAnotherTenant": _("At Microsoft this number belongs to another tenant. Nothing was changed."),
        "InvalidTelephoneNumber": _("Microsoft does not take this for a number. Check its digits."),
    }
    if answer.problems:
        code = answer.problems[0]
        said = _("Microsoft does not accept this number: %s.") % ", ".join(answer.problems)
        return Verdict(code[:64], sentences.get(code, said))
    there = _("At Microsoft the customer has this number already. Synchronise the customer to see it here.")
    return Verdict(ALREADY_THERE, there)
