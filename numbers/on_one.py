"""What may be done with one number, and why the rest may not: all actions judged in one query."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, CharField, Value, When

from ocadmin.access.principal import Principal

from .action_forms import FORMS
from .models import PhoneNumber
from .operations import ON_NUMBERS, standing
from .operations.plan import WILL, Verdict


@dataclass(frozen=True)
class Button:
    """One action. `why_not` is empty where it is possible."""

    kind: str
    label: str
    why_not: str


def buttons(number: PhoneNumber, by: Principal) -> list[Button]:
    """All actions on numbers, in the order of the screens."""
    reasons = why_not(number, by, ON_NUMBERS)
    return [Button(kind, str(operation.label), reasons[kind]) for kind, operation in ON_NUMBERS.items()]


def button(number: PhoneNumber, by: Principal, kind: str) -> Button:
    """One of them."""
    return Button(kind, str(ON_NUMBERS[kind].label), why_not(number, by, [kind])[kind])


def why_not(number: PhoneNumber, by: Principal, kinds: Iterable[str]) -> dict[str, str]:
    """Kind of action to the sentence why it is not possible on the number now; empty where it is."""
    verdicts = {kind: {one.code: one for one in _verdicts(kind, by)} for kind in kinds}
    if not verdicts:
        return {}
    columns = {kind: f"judged_{place}" for place, kind in enumerate(verdicts)}
    cases = {columns[kind]: _case(codes.values()) for kind, codes in verdicts.items()}
    found = PhoneNumber.objects.filter(pk=number.pk).annotate(**cases).values(*cases).first() or {}
    return {
        kind: str(codes[code].sentence) if (code := found.get(columns[kind], WILL)) in codes else ""
        for kind, codes in verdicts.items()
    }


def _verdicts(kind: str, by: Principal) -> list[Verdict]:
    """What the action leaves alone. Where it has to be said first what to change, only what holds whatever is said."""
    operation = ON_NUMBERS[kind]
    return operation.with_general(standing.only_active() if kind in FORMS else operation.verdicts({}), by)


def _case(verdicts: Iterable[Verdict]) -> Case:
    whens = [When(verdict.condition, then=Value(verdict.code)) for verdict in verdicts]
    return Case(*whens, default=Value(WILL), output_field=CharField())
