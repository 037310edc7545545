"""Reading numbers: the lists of versions 3 and 2, and one number.

Source: get-numbers-v3.txt; live-platform.md, 3.2 and 3.3.
"""

import re
import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import BeforeValidator, Field, WithJsonSchema

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.paging import KeysetPage, link_after
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, answers, fold, json_answer, plus_back

from ..lifecycle import Status
from ..models import Customer, PhoneNumber
from ..models.phone_number import PhoneNumberQuerySet
from . import reading, records

router = Router(tags=["numbers"])

MOST_ROWS = 20_000
CHUNK = 1_000
_STATUSES = {fold(status.name): status for status in Status}
_WORDS = ", ".join(status.name.title().replace("_", " ") for status in Status)


def _read_status(value: Any) -> Any:
    """A status by its name, in any case and with or without blanks, or by its number; None for All."""
    text = str(value).strip()
    if text in {str(status.value) for status in Status}:
        return Status(int(text))
    word = fold(text)
    if word in ("", "all"):
        return None
    if word in _STATUSES:
        return _STATUSES[word]
    raise ValueError(_("write one of %s, its number from 0 to 4, or All") % _WORDS)


def _none_if_empty(value: Any) -> Any:
    return value or None


Tenant = Annotated[
    uuid.UUID | None, BeforeValidator(_none_if_empty), Field(description="The customer's tenant ID. Empty: all.")
]
Acquired = Annotated[
    Status | None,
    BeforeValidator(_read_status),
    WithJsonSchema({"type": "string"}),
    Field(description=f"{_WORDS}; also by number, and without blanks. All, or empty: every status."),
]


class Asked(Params):
    """Which numbers."""

    msTenantId: Tenant = None
    acquiredNumberStatus: Acquired = None


class PageAsked(Asked):
    """Which numbers, and which page of them."""

    pageNumber: int = Field(1, ge=1, le=10_000_000, description="The page, from 1.")
    pageSize: int = Field(200, ge=1, le=MOST_ROWS, description="Rows on a page.")
    after: Annotated[str | None, BeforeValidator(plus_back)] = Field(
        None,
        pattern=r"^(\+[0-9]{1,15})?$",
        description="Instead of pageNumber: the rows after this number. Empty: the first ones. "
        "Pages cost the same at any depth and come with nextLink instead of totals.",
    )


class Page(Schema):
    """A page by number."""

    currentPage: int
    pageSize: int
    totalPages: int
    totalRecords: int
    data: list[records.NumberV3]


@router.get(
    "/v3/oc/numbers",
    auth=may(Permission.VIEW),
    response=answers(Page | KeysetPage[records.NumberV3]),
    summary="List numbers",
)
def list_numbers(request: HttpRequest, asked: Query[PageAsked]) -> HttpResponse:
    """Numbers in the order of the numbers themselves, by page, or one after the other with `after`."""
    principal = principal_behind(request)
    numbers = chosen(principal, asked)
    if asked.after is not None:
        rows, last = reading.after(numbers, asked.after, asked.pageSize)
        link = link_after(request, last) if last else None
        return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": records.v3(rows)})
    key = f"api-list:{hash(principal.scope())}:{asked.msTenantId}:{asked.acquiredNumberStatus}"
    rows = reading.page(numbers, key, asked.pageNumber, asked.pageSize)
    count = reading.total(numbers, key, len(rows), asked.pageNumber, asked.pageSize)
    return json_answer(
        {
            "currentPage": asked.pageNumber,
            "pageSize": asked.pageSize,
            "totalPages": -(-count // asked.pageSize),
            "totalRecords": count,
            "data": records.v3(rows),
        }
    )


@router.get(
    "/v2/oc/numbers",
    auth=may(Permission.VIEW),
    response=answers(list[records.NumberV2]),
    summary="List numbers, version 2",
)
def list_numbers_v2(request: HttpRequest, asked: Query[Asked]) -> HttpResponse | StreamingHttpResponse:
    """All numbers in one answer, which is written as it is read."""
    pieces = _array(chosen(principal_behind(request), asked))
    first = next(pieces)  # before the answer begins: a failure is a problem then, not a connection that ends
    return StreamingHttpResponse(chain([first], pieces), content_type="application/json")


@router.get(
    "/v3/oc/numbers/{phonenumber}",
    auth=may(Permission.VIEW),
    response=answers(records.NumberV3),
    summary="Get a number",
)
def get_number(request: HttpRequest, phonenumber: str) -> HttpResponse:
    """One number, with or without its plus."""
    return json_answer(records.v3(_one(request, phonenumber))[0])


@router.get(
    "/v2/oc/numbers/{phonenumber}",
    auth=may(Permission.VIEW),
    response=answers(records.NumberV2),
    summary="Get a number, version 2",
)
def get_number_v2(request: HttpRequest, phonenumber: str) -> HttpResponse:
    """One number, with or without its plus."""
    return json_answer(records.v2(_one(request, phonenumber))[0])


def _one(request: HttpRequest, text: str) -> list[records.Row]:
    """The number that the client may see, alone in a list. Raises Problem 404."""
    visible = PhoneNumber.objects.visible_to(principal_behind(request))
    e164 = f"+{text.strip().removeprefix('+')}"
    rows = records.rows_of(visible.filter(e164=e164)) if re.fullmatch(r"\+[0-9]{1,15}", e164) else []
    if not rows:
        raise Problem(404, "number_not_found", _("There is no number %s.") % text[:20])
    return rows


def chosen(principal: Principal, asked: Asked) -> PhoneNumberQuerySet:
    """The numbers that are asked for, of those that the principal may see. Raises Problem 404 for an unknown tenant."""
    numbers = PhoneNumber.objects.visible_to(principal)
    if asked.msTenantId is not None:
        customer = Customer.objects.visible_to(principal).filter(tenant_id=asked.msTenantId).values_list("pk").first()
        if customer is None:
            raise Problem(404, "tenant_not_found", _("There is no customer with the tenant ID %s.") % asked.msTenantId)
        numbers = PhoneNumber.objects.filter(customer_id=customer[0])  # that customer is in scope, so its numbers are
    if asked.acquiredNumberStatus is not None:
        numbers = numbers.filter(status=asked.acquiredNumberStatus)
    return numbers


def _array(numbers: PhoneNumberQuerySet) -> Iterator[bytes]:
    """A JSON array, a thousand records at a time."""
    rows, last = reading.after(numbers, "", CHUNK)
    begin = b"["
    while rows:
        yield begin + orjson.dumps(records.v2(rows))[1:-1]
        begin = b","
        rows, last = reading.after(numbers, last, CHUNK) if last else ([], "")
    yield b"]" if begin == b"," else b"[]"
