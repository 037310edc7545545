"""What would become of each number of an upload.

Reads are set-based, the verdicts one loop over the candidates: a number that is to be uploaded has no row yet that a
condition of the database could be asked about.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem

from ...capabilities import CALLING_USER
from ...countries import countries_like, country_of, is_north_american, is_toll_free, may_be_in, same_country
from ...lifecycle import Status
from ...models import CivicAddress, Customer, PhoneNumber, ReleasedNumber
from .. import hindrances
from ..base import BUSY
from ..hindrances import Doing
from ..plan import WILL
from ..relocate import AREA_CODE_COUNTRIES, VALIDATED
from .checks import Objection, objections
from .known import Known
from .settings import Settings

AT_ONCE = 5000  # numbers in one query
LEAVING = (Status.RELEASE_REQUESTED, Status.MARKED_FOR_REMOVAL, Status.READY_FOR_REMOVAL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one number: WILL, or why not."""

    code: str
    sentence: str = ""
    state: ItemState = ItemState.REFUSED


GOES = Verdict(WILL)
Ours = dict[str, tuple[int, int]]  # number to customer and status


@dataclass(frozen=True)
class Release:
    """The last release of a number: whose it was, and until when nobody else may have it."""

    customer_id: int
    quarantine_until: datetime


@dataclass
class Standing:
    """Where the candidates stand with us: those that are numbers of ours, busy, or were released."""

    ours: Ours = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    released: dict[str, Release] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """The verdict of every number, and what to know of those that go: code of a caution to sentence and numbers."""

    verdicts: dict[str, Verdict]
    cautions: dict[str, tuple[str, list[str]]]

    def going(self) -> list[str]:
        """The numbers that will be uploaded."""
        return [e164 for e164, verdict in self.verdicts.items() if verdict is GOES]


def judge(rows: Mapping[str, Settings], known: Known, *, task: Task | None = None, ours: Ours | None = None) -> Judged:
    """Judge each number with its settings. `task` is the one that holds the numbers already, where there is one.

    `ours` are those of the numbers that are ours, where the caller has looked already.
    """
    standing = _standing(list(rows), task, ours)
    different = set(rows.values())
    wrong: dict[Settings, list[Objection]] = {one: objections(one, known) for one in different}
    places = {one: known.address(one) for one in different}
    ordinary = {one: _ordinary(one, known, places[one]) for one in different if not wrong[one]}
    verdicts = {}
    for e164, settings in rows.items():
        if wrong[settings]:
            first = wrong[settings][0]
            verdicts[e164] = Verdict(first.code, first.sentence)
        else:
            verdicts[e164] = _standing_verdict(e164, settings, standing) or (
                GOES
                if country_of(e164) in ordinary[settings] and not is_toll_free(e164)
                else _rules(e164, settings, known, places[settings])
            )
    judged = Judged(verdicts, {})
    going = judged.going()
    for code, sentence, applies in _cautions(places, standing, known):
        found = [e164 for e164 in going if applies(e164, rows[e164])]
        if found:
            judged.cautions[code] = (sentence, found)
    if task is None:  # a plan that people look at
        judged.cautions.update(_hindrances(rows, known, going))
    return judged


def _hindrances(rows: Mapping[str, Settings], known: Known, going: list[str]) -> dict[str, tuple[str, list[str]]]:
    """SBCs that stand in the way, with the numbers that need a rule there."""
    found = {}
    sbcs_of = {one: known.routed.get((one.customer, one.calling_profile), frozenset()) for one in set(rows.values())}
    concerned = frozenset().union(*sbcs_of.values()) if going else frozenset()
    for one in hindrances.find(Doing.WRITING, concerned) if concerned else []:
        through = [e164 for e164 in going if one.sbc_id in sbcs_of[rows[e164]]]
        if len(through) > (one.room or 0):
            found[one.code] = (one.sentence, through)
    return found


def standing_verdicts(numbers: Collection[str], customer: Customer) -> dict[str, Verdict]:
    """What speaks against uploading numbers to a customer, whatever they are uploaded with; only those it does."""
    anyhow = Settings(customer.pk, uuid.UUID(int=0), "")
    standing = _standing(numbers, None, None)
    found = {}
    for e164 in numbers:
        verdict = _standing_verdict(e164, anyhow, standing)
        if verdict is None and not is_toll_free(e164):
            verdict = _not_consented(e164, anyhow, customer)
        if verdict is not None:
            found[e164] = verdict
    return found


def _standing(numbers: Collection[str], task: Task | None, ours: Ours | None) -> Standing:
    """Three queries for each AT_ONCE numbers, two where it is known which are ours."""
    found = Standing(ours or {})
    alive = TaskItem.objects.filter(state__in=sorted(ITEM_ALIVE)).exclude(task=task)
    for some in _chunks(numbers):
        if ours is None:
            here = PhoneNumber.objects.filter(e164__among=some).values_list("e164", "customer_id", "status")
            found.ours |= {e164: (customer, status) for e164, customer, status in here}
        found.busy.update(alive.filter(key__among=some).values_list("key", flat=True))
        gone = ReleasedNumber.objects.filter(e164__among=some).order_by("released_at", "pk")
        for e164, customer, until in gone.values_list("e164", "customer_id", "quarantine_until"):
            found.released[e164] = Release(customer, until)  # the last one counts
    return found


def _chunks(numbers: Collection[str]) -> Iterator[frozenset[str]]:
    """As sets: Django would look at each element of a list for expressions, which takes longer than the query."""
    rows = list(numbers)
    return (frozenset(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE))


def _standing_verdict(e164: str, settings: Settings, standing: Standing) -> Verdict | None:
    """What keeps a number from being uploaded because of what we know of it; None where nothing does."""
    if e164 in standing.ours:
        return _of_ours(settings, *standing.ours[e164])
    if e164 in standing.busy:
        return Verdict(BUSY.code, str(BUSY.sentence))
    release = standing.released.get(e164)
    if release and release.customer_id != settings.customer and release.quarantine_until > timezone.now():
        sentence = _("Another customer gave it back, and it rests until %(day)s. Upload it after that day.")
        return Verdict("quarantined", sentence % {"day": _day(release.quarantine_until)})
    return None


def _rules(e164: str, settings: Settings, known: Known, address: CivicAddress | None) -> Verdict:
    """The first rule that keeps a number from being uploaded, the most telling first."""
    return (
        _toll_free(e164, settings, known)
        or _not_consented(e164, settings, known.customers[settings.customer])
        or _elsewhere(e164, settings, address)
        or GOES
    )


def _ordinary(settings: Settings, known: Known, address: CivicAddress | None) -> frozenset[str]:
    """Countries whose numbers, if they are not toll-free, pass all rules: nearly all numbers of most lists do."""
    consented = known.customers[settings.customer].consented_countries
    allowed = frozenset().union(*(countries_like(country) for country in consented))
    return allowed if address is None else allowed & countries_like(address.country)


def _of_ours(settings: Settings, customer_id: int, status: int) -> Verdict:
    """Whose it is, is not told: the person may not be one who may know."""
    if customer_id != settings.customer:
        return Verdict("foreign", _("It belongs to another customer. It has to be released there first."))
    if status in LEAVING:
        return Verdict("leaving", _("This customer has it, and it is about to leave. See what its page says."))
    return Verdict("already", _("This customer has it already."), ItemState.UNCHANGED)


def _toll_free(e164: str, settings: Settings, known: Known) -> Verdict | None:
    """upstreams.md §1.2 and §1.3, design §5: no use for users, and a displayed country where the digits tell none."""
    if not is_toll_free(e164):
        return None
    usages = (settings.usage, *settings.additional_usages)
    plan = known.usages[settings.customer][settings.usage]
    if CALLING_USER in usages or not plan.supports_toll_free:
        sentence = _("It is a toll-free number, which cannot be used for %(usage)s. Choose another usage for it.")
        usage = CALLING_USER if CALLING_USER in usages else settings.usage
        return Verdict("toll_free_usage", sentence % {"usage": usage})
    if not settings.displayed_country and (is_north_american(e164) or country_of(e164) is None):
        sentence = _("It is a toll-free number that does not tell its country. Name the displayed country.")
        return Verdict("displayed_country_required", sentence)
    return None


def _not_consented(e164: str, settings: Settings, customer: Customer) -> Verdict | None:
    """upstreams.md §6: the country has to be one that the customer has consented to."""
    if any(_counts_as(e164, settings, country) for country in customer.consented_countries):
        return None
    words = {"customer": customer, "consented": ", ".join(customer.consented_countries) or _("none")}
    country = country_of(e164)
    if country is None:
        sentence = _("Its digits do not tell its country, and %(customer)s has consented only to: %(consented)s.")
        return Verdict("country_unknown", sentence % words)
    sentence = _("It is a number of %(country)s; %(customer)s has consented only to: %(consented)s.")
    return Verdict("country_not_consented", sentence % {"country": country, **words})


def _elsewhere(e164: str, settings: Settings, address: CivicAddress | None) -> Verdict | None:
    """upstreams.md §5: number and location are in the same country."""
    if address is None or _counts_as(e164, settings, address.country):
        return None
    sentence = _("The emergency location is in %(country)s, and it is no number of that country.")
    return Verdict("country_mismatch", sentence % {"country": address.country})


def _counts_as(e164: str, settings: Settings, country: str) -> bool:
    """Whether the number is one of the country: a toll-free one by its displayed country, where that is named."""
    if settings.displayed_country and is_toll_free(e164):
        return same_country(settings.displayed_country, country)
    return may_be_in(e164, country)


def _cautions(
    places: Mapping[Settings, CivicAddress | None], standing: Standing, known: Known
) -> list[tuple[str, str, Callable[[str, Settings], bool]]]:
    """What to know of numbers that go: code, sentence, and to whom it applies."""
    now = timezone.now()
    unvalidated = {one for one, place in places.items() if place and place.validation_status.lower() != VALIDATED}
    held = {one for one in places if (owner := known.customers.get(one.customer)) and owner.sync_held_at}
    by_area = {one for one, place in places.items() if place and place.country in AREA_CODE_COUNTRIES}

    def resting(e164: str, _settings: Settings) -> bool:
        release = standing.released.get(e164)
        return release is not None and release.quarantine_until > now

    def not_validated(_e164: str, settings: Settings) -> bool:
        return bool(unvalidated) and settings in unvalidated

    def on_hold(_e164: str, settings: Settings) -> bool:
        return bool(held) and settings in held

    def by_area_code(e164: str, settings: Settings) -> bool:
        return bool(by_area) and settings in by_area and not is_toll_free(e164)

    return [
        (
            "quarantined_here",
            _("It still rests after its release; the customer who gave it back may have it."),
            resting,
        ),
        ("address_not_validated", _("The address has not been validated; Microsoft may refuse it."), not_validated),
        (
            "area_code",
            _("In this country the address has to match the area code of the number; Microsoft may refuse it."),
            by_area_code,
        ),
        (
            "sync_on_hold",
            _("The customer's synchronisation is on hold: until it is resumed they stay “Pending first sync”."),
            on_hold,
        ),
    ]


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F Y")
