"""What the operator decides about numbers that customers give back, told to Microsoft (upstreams.md §9.3, §9.4).

A number that is merely missing at Microsoft has no request there: about that one there is nothing to tell.
"""

import uuid
from collections.abc import Iterable, Mapping

from ..microsoft.errors import Refused
from ..microsoft.operator_connect import LIST_SIZE, OperatorConnect
from ..microsoft.release_requests import ReleaseRequest
from ..models import PhoneNumber

APPROVE, HOLD = "Approve", "Hold"
_OPEN = ("Pending", "Held")
_DECIDED = {APPROVE: "Approved", HOLD: "Held"}
_TOO_LATE = "AlreadyDecided"

Requests = Mapping[tuple[str, uuid.UUID], ReleaseRequest]  # by number and tenant


def open_requests(client: OperatorConnect) -> Requests:
    """The requests that may still be decided: two lists at Microsoft. A held one may still be approved."""
    return {(one.e164, one.tenant_id): one for status in _OPEN for one in client.release_requests(status)}


def tell(
    client: OperatorConnect, requests: Requests, numbers: Iterable[PhoneNumber], decision: str, comment: str = ""
) -> set[str]:
    """Decide the requests of `numbers` (with their customers) that are not decided like this already.

    Returns the numbers whose request is no longer open and was not decided like this: taken back by the customer, or
    decided otherwise. May be repeated after a lost answer, with requests that were read anew.
    """
    found = (requests.get((number.e164, number.customer.tenant_id)) for number in numbers) if requests else ()
    todo = [one for one in found if one is not None and one.status != _DECIDED[decision]]
    otherwise: set[str] = set()
    for start in range(0, len(todo), LIST_SIZE):
        otherwise |= _decide(client, {one.e164: one for one in todo[start : start + LIST_SIZE]}, decision, comment)
    return otherwise


def _decide(client: OperatorConnect, todo: dict[str, ReleaseRequest], decision: str, comment: str) -> set[str]:
    """Microsoft decides all or none, so those that it names as decided are taken out and the rest go again."""
    otherwise: set[str] = set()
    while todo:
        try:
            client.decide([one.id for one in todo.values()], decision, comment)
            return otherwise
        except Refused as error:
            late = {str(detail.get("target")) for detail in error.details} & todo.keys()
            if error.upstream_code != _TOO_LATE or not late:
                raise
            alike = {one.id for one in client.release_requests(_DECIDED[decision])}
            otherwise |= {e164 for e164 in late if todo[e164].id not in alike}
            todo = {e164: one for e164, one in todo.items() if e164 not in late}
    return otherwise
