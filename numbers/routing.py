"""Which SBC rules a number needs: one per SBC behind the customer's calling profile.

Only numbers that came in through this console or its API touch an SBC (design §5, live-platform.md §4.4).
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sbc import services
from sbc.dialplan import Rule
from sbc.models import SBC, DialPlanRule

from .lifecycle import Source
from .models import Customer, PhoneNumber, SipConnection, Trunk

MANAGED = (Source.WEB_API, Source.WEB_UI)
CHUNK = 1000  # far longer lists PostgreSQL looks up in the index for searching, which takes seconds
NAME_LENGTH = 15  # of a rule (upstreams.md §4)

Pair = tuple[int, uuid.UUID | None]  # customer row id, calling profile id


@dataclass(frozen=True)
class Way:
    """An SBC that carries a customer's numbers of a profile; `tag` is the trunk's FQDN there."""

    sbc: SBC
    tag: str


def rules(numbers: Iterable[PhoneNumber]) -> dict[SBC, list[Rule]]:
    """The rules that managed ones of `numbers` need, by SBC; their `customer` should be loaded."""
    managed = [number for number in numbers if number.source in MANAGED]
    ways_of = ways({(number.customer_id, number.calling_profile_id) for number in managed})
    found: dict[SBC, list[Rule]] = defaultdict(list)
    for number in managed:
        for way in ways_of[number.customer_id, number.calling_profile_id]:
            found[way.sbc].append(Rule(number.e164, rule_name(number.customer), way.tag))
    return dict(found)


def ways(pairs: set[Pair]) -> dict[Pair, list[Way]]:
    """The SBCs for each (customer, profile): those of its SIP connections, else those behind the profile's trunks."""
    customers = {customer for customer, _profile in pairs}
    profiles = {profile for _customer, profile in pairs if profile is not None}
    trunks = Trunk.objects.filter(profile__in=profiles, sbc__isnull=False).select_related("sbc").order_by("fqdn")
    behind: dict[uuid.UUID | None, dict[int, Way]] = defaultdict(dict)
    for trunk in trunks:
        if trunk.sbc is not None:
            behind[trunk.profile_id].setdefault(trunk.sbc.pk, Way(trunk.sbc, trunk.fqdn))
    links = SipConnection.objects.filter(customer__in=customers, calling_profile__in=profiles).select_related("sbc")
    connected: dict[Pair, list[Way]] = defaultdict(list)
    for link in links.order_by("sbc_id"):
        way = behind[link.calling_profile_id].get(link.sbc_id)
        connected[link.customer_id, link.calling_profile_id].append(
            way or Way(link.sbc, link.sbc.fqdn or link.sbc.name)
        )
    return {pair: connected[pair] or list(behind[pair[1]].values()) for pair in pairs}


class Placed(NamedTuple):
    """Numbers of ours: the ids of their rows, and those that may have rules by what decides where they are routed."""

    ids: dict[str, int]
    managed: dict[Pair, list[str]]


def placed(e164s: Sequence[str]) -> Placed:
    """Those of the numbers that are ours."""
    found = Placed({}, defaultdict(list))
    for start in range(0, len(e164s), CHUNK):
        # Lists, not subqueries: of rows written a moment ago the database has no statistics, and plans badly.
        rows = PhoneNumber.objects.filter(e164__among=frozenset(e164s[start : start + CHUNK])).order_by()
        names = ("pk", "e164", "source", "customer_id", "calling_profile_id")
        for pk, e164, source, customer, profile in rows.values_list(*names):
            found.ids[e164] = pk
            if source in MANAGED:
                found.managed[customer, profile].append(e164)
    return found


def behind(numbers: Placed) -> dict[SBC, list[str]]:
    """The SBCs that have, or may have, rules for these numbers, each with the numbers; managed ones only.

    Those of the customer's ways, and those where we know of a rule: a number that has moved in from elsewhere may have
    a rule that nobody has told us of.
    """
    found: dict[int, set[str]] = defaultdict(set)
    for pair, ways_of in ways(set(numbers.managed)).items():
        for way in ways_of:
            found[way.sbc.pk].update(numbers.managed[pair])
    managed = [e164 for some in numbers.managed.values() for e164 in some]
    for start in range(0, len(managed), CHUNK):
        rules = DialPlanRule.objects.filter(prefix__among=frozenset(managed[start : start + CHUNK])).order_by()
        for sbc_id, prefix in rules.values_list("sbc_id", "prefix"):
            found[sbc_id].add(prefix)
    return {sbc: sorted(found[sbc.pk]) for sbc in SBC.objects.filter(pk__in=found).order_by("pk")}


def unwant(e164s: Sequence[str]) -> None:
    """Write down that no SBC may have rules for these numbers of ours any more."""
    for sbc, prefixes in behind(placed(e164s)).items():
        services.unwant(sbc, prefixes)


def rule_name(customer: Customer) -> str:
    """The customer's short form: letters, digits and dashes, at most 15 characters."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", customer.full_name).strip("-")
    return words[:NAME_LENGTH].rstrip("-") or f"customer-{customer.pk}"
