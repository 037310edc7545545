"""Rows about numbers that are not here: judged by the same checks as an upload from the form."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from ocadmin.access.principal import Principal

from ...countries import is_toll_free, may_be_in
from ..upload.checks import objections
from ..upload.judging import GOES, Ours, judge
from ..upload.known import Known, load
from ..upload.settings import Settings
from .wishes import Problem, Wish

# The column to correct for each field of an upload's settings.
COLUMN_OF = {
    "customer": "msTenantId",
    "calling_profile": "callingProfileId",
    "usage": "usage",
    "additional_usages": "additionalUsage",
    "capabilities": "capabilities",
    "location": "locationId",
    "displayed_country": "country",
}


class NewRows:
    """Judges rows of one file for one person. What settings are judged by is read once for each of them."""

    def __init__(self, by: Principal) -> None:
        self.by = by
        self.known = Known({}, {}, {}, {}, {})
        self.cautions: dict[str, tuple[str, int]] = {}
        self._objections: dict[Settings, list[Problem]] = {}
        self._plain: dict[Settings, Settings] = {}

    def learn(self, wishes: Iterable[Wish]) -> None:
        """Read what the settings of these rows are judged by. Asks Microsoft what nobody has told: no transaction."""
        fresh = {
            settings
            for wish in wishes
            if wish.settings is not None
            for settings in (wish.settings, self._without_country(wish.settings))
            if settings not in self._objections
        }
        if not fresh:
            return
        found = load(fresh, self.by)
        for name in ("customers", "profiles", "locations", "addresses", "usages", "unsaid"):
            getattr(self.known, name).update(getattr(found, name))
        self.known.routed.update(found.routed)
        for settings in fresh:
            self._objections[settings] = [
                Problem(COLUMN_OF.get(one.field, ""), "", one.code, one.sentence)
                for one in objections(settings, self.known)
            ]

    def judge(self, rows: Mapping[str, Wish], ours: Ours) -> dict[str, tuple[Settings | None, list[Problem]]]:
        """Number to the settings that it is uploaded with and what is wrong; nothing wrong: it goes.

        `ours`: those that are ours all the same, which this person may not see.
        """
        found: dict[str, tuple[Settings | None, list[Problem]]] = {}
        candidates: dict[str, Settings] = {}
        for e164, wish in rows.items():
            settings = self._settings_of(e164, wish)
            problems = [*wish.lacking, *self._country(e164, wish)]
            if settings is not None and (wrong := self._objections[settings]):
                problems += [self._shown(problem, wish) for problem in wrong]
            found[e164] = (settings, problems)
            if settings is not None and not problems:
                candidates[e164] = settings
        judged = judge(candidates, self.known, ours=ours)
        for e164, verdict in judged.verdicts.items():
            if verdict is not GOES:
                found[e164][1].append(Problem("", "", verdict.code, verdict.sentence))
        for code, (sentence, numbers) in judged.cautions.items():
            self.cautions[code] = (sentence, self.cautions.get(code, ("", 0))[1] + len(numbers))
        return found

    def _settings_of(self, e164: str, wish: Wish) -> Settings | None:
        """The country of a number that tells its own is no setting of it, unless a displayed one is asked for."""
        if wish.settings is None or not wish.settings.displayed_country:
            return wish.settings
        if "displayedCountry" in wish.values or is_toll_free(e164):
            return wish.settings
        return self._without_country(wish.settings)

    def _without_country(self, settings: Settings) -> Settings:
        if not settings.displayed_country:
            return settings
        if settings not in self._plain:
            self._plain[settings] = replace(settings, displayed_country="")
        return self._plain[settings]

    def _country(self, e164: str, wish: Wish) -> list[Problem]:
        country = wish.values.get("country")
        if country is None or is_toll_free(e164) or may_be_in(e164, country):
            return []
        sentence = _("By its digits it is no number of this country. Correct the number or the country.")
        return [Problem("country", wish.raw["country"], "country_contradicts", sentence)]

    def _shown(self, problem: Problem, wish: Wish) -> Problem:
        column = problem.column
        if column == "locationId" and column not in wish.raw and "civicAddressId" in wish.raw:
            column = "civicAddressId"
        return Problem(column, wish.raw.get(column, ""), problem.code, problem.sentence)
