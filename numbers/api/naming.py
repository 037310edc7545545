"""How a request names numbers: one by one and by ranges, all of one customer. Read strictly: programs can write E.164.

Source: live-platform.md, 3.4 to 3.7: numbers as `telephoneNumbers` or `phoneNumbersList`, ranges by `start` and `end`.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Body, OwnBody, plus_back

from .. import e164, pasting
from ..e164 import Flawed
from ..models import Customer, PhoneNumber
from ..operations.plan import Stranger
from ..selecting import UNKNOWN, unknown_number

MOST = pasting.LIMIT  # numbers in one request, ranges written out
_E164 = re.compile(r"\+[0-9]{1,15}")
_PLUS_MISSING = gettext_lazy("Write the number in E.164: a plus, the country code, and digits only.")
_FOREIGN = gettext_lazy("It belongs to another customer. One request is about the numbers of one customer.")


def without_nul(text: str) -> str:
    """The text. Raises ValueError: PostgreSQL cannot hold NUL."""
    if "\x00" in text:
        raise ValueError(_("a text must not contain the character NUL"))
    return text


Text = Annotated[str, AfterValidator(without_nul)]
NumberText = Annotated[str, StringConstraints(max_length=64), AfterValidator(without_nul)]
NumberList = Annotated[list[NumberText], Field(max_length=MOST, description="E.164.")]


def _with_plus(value: Any) -> Any:
    value = plus_back(value)
    return f"+{value}" if isinstance(value, str) and value.isascii() and value.isdigit() else value


# In the address of a list: with its plus, without it, or with one that was not written as %2B.
AskedNumber = Annotated[str, BeforeValidator(_with_plus), Field(max_length=16)]


class Range(Body):
    """From one number to another, both included, written out by the server."""

    start: NumberText = Field(description="E.164.")
    end: NumberText = Field(description="E.164, as long as start and of the same country.")


class Numbers(Body):
    """Which numbers: a list, ranges, or both. At most 10,000, ranges written out."""

    telephoneNumbers: NumberList = []
    phoneNumbersList: NumberList = []
    phoneNumberRanges: Annotated[list[Range], Field(max_length=1_000)] = []


class NumbersOrList(Numbers):
    """The same, or a bare JSON array of numbers."""

    most: ClassVar[int] = MOST

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        return {"telephoneNumbers": value} if isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Both forms, for the documentation."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        array = {"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": cls.most}
        both = {"title": cls.__name__, "description": schema.get("description", ""), "anyOf": [dict(schema), array]}
        schema.clear()
        schema.update(both)
        return schema


class OnlyNumbers(NumbersOrList, OwnBody):
    """The same, for actions of our own."""


@dataclass
class Reading:
    """What a request names: E.164, each once, in its order; what is no number; whether ranges were named."""

    numbers: list[str] = field(default_factory=list)
    strangers: list[Stranger] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    ranges: bool = False


def read(named: Numbers, *, new: bool = False, most: int = MOST) -> Reading:
    """The numbers. `new`: they are ours only from now on, so that their digits are checked, not only looked up.

    Raises Problem 400 for none at all, for more than `most` in whatever form, and for a range that is none.
    """
    found: dict[str, None] = {}
    again: dict[str, None] = {}
    reading = Reading(ranges=bool(named.phoneNumberRanges))
    for text in _texts(named):
        if (code := _flaw(text, new=new)) is not None:
            reading.strangers.append(Stranger(text, code, e164.SENTENCES.get(code, _PLUS_MISSING)))
        else:
            (again if text in found else found)[text] = None
        if len(found) + len(reading.strangers) > most:
            raise _too_many(most)
    if not found and not reading.strangers:
        raise Problem(400, "no_numbers", _("Name at least one number in telephoneNumbers."))
    reading.numbers, reading.repeated = list(found), list(again)
    return reading


def _texts(named: Numbers) -> Iterator[str]:
    yield from named.telephoneNumbers
    yield from named.phoneNumbersList
    written = 0
    for one in named.phoneNumberRanges:
        for end in (one.start, one.end):
            if (code := _flaw(end, new=True)) is not None:
                sentence = e164.SENTENCES.get(code, _PLUS_MISSING)
                raise Problem(400, code, f"phoneNumberRanges, “{end}”: {sentence}")
        try:
            numbers = pasting.expand(one.start, one.end)
        except Flawed as flaw:
            sentence = pasting.SENTENCES[flaw.code]
            raise Problem(400, flaw.code, f"phoneNumberRanges, “{one.start}” – “{one.end}”: {sentence}") from None
        written += len(numbers)
        if written > MOST:  # repeats too: a thousand times the same range would be ten million numbers to look at
            raise _too_many(MOST)
        yield from numbers


def _too_many(most: int) -> Problem:
    return Problem(400, "too_many_numbers", _("A request may name at most %(n)d numbers.") % {"n": most})


def _flaw(text: str, *, new: bool) -> str | None:
    """The code of what keeps a text from being a number in E.164; None: nothing. Known numbers are only looked up."""
    if _E164.fullmatch(text):
        return e164.flaw(text[1:]) if new else None
    try:
        e164.number(text)
    except Flawed as flaw:
        return flaw.code
    return "not_e164"


@dataclass(frozen=True)
class Chosen:
    """Numbers of ours that a request means, what it names beside them, and whether it named ranges."""

    numbers: QuerySet[PhoneNumber]
    strangers: list[Stranger]
    ranges: bool = False


def of_customer(named: Numbers, customer: Customer, by: Principal) -> Chosen:
    """The numbers that are the customer's; those of other customers and unknown ones are strangers.

    Of a number that `by` may not see nothing is told, not even that it exists. Raises what `read` raises.
    """
    reading = read(named)
    mine = PhoneNumber.objects.filter(customer=customer, e164__among=frozenset(reading.numbers))
    missing = set(reading.numbers).difference(mine.values_list("e164", flat=True))
    elsewhere = _visible(missing, by) if missing else set()
    strangers = [
        Stranger(number, "other_customer", _FOREIGN) if number in elsewhere else _unknown(number)
        for number in reading.numbers
        if number in missing
    ]
    return Chosen(mine, [*reading.strangers, *strangers], reading.ranges)


def of_anybody(named: Numbers, by: Principal, most: int = MOST) -> Chosen:
    """The numbers that `by` may see, of whichever customers. Raises what `read` raises."""
    reading = read(named, most=most)
    visible = PhoneNumber.objects.visible_to(by).filter(e164__among=frozenset(reading.numbers))
    there = set(visible.values_list("e164", flat=True))
    unknown = [_unknown(number) for number in reading.numbers if number not in there]
    return Chosen(visible, [*reading.strangers, *unknown], reading.ranges)


def _visible(numbers: Iterable[str], by: Principal) -> set[str]:
    visible = PhoneNumber.objects.visible_to(by).filter(e164__among=frozenset(numbers))
    return set(visible.values_list("e164", flat=True))


def _unknown(number: str) -> Stranger:
    return Stranger(number, UNKNOWN, unknown_number())


def customer_of(tenant: uuid.UUID, by: Principal, permission: Permission) -> Customer:
    """The customer with this tenant ID. Raises Problem 404 where `by` sees none, 403 where they may not do this."""
    customer = Customer.objects.visible_to(by).filter(tenant_id=tenant).select_related("channel").first()
    if customer is None:
        raise Problem(404, "tenant_not_found", _("There is no customer with the tenant ID %s.") % tenant)
    if not Customer.objects.visible_to(by, permission).filter(pk=customer.pk).exists():
        words = {"what": permission.label, "customer": customer}
        raise Problem(403, "forbidden", _("This API client may not: %(what)s, for %(customer)s.") % words)
    return customer
