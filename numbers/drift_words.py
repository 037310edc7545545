"""What a finding says in words: on the list, on a number's page, and in the file."""

from collections.abc import Iterable, Mapping

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ocadmin.access.principal import Principal

from .lifecycle import Source, Status
from .models import Customer, DriftFinding, Kind, Severity

TONES: Mapping[int, str] = {Severity.CRITICAL: "red", Severity.WARNING: "amber", Severity.NOTICE: "blue"}


def owners(findings: Iterable[DriftFinding], principal: Principal) -> dict[int, str]:
    """Names of the customers who have numbers at Microsoft, as far as this person may see them."""
    ids = {finding.details["owner"] for finding in findings if "owner" in finding.details}
    if not ids:
        return {}
    return dict(Customer.objects.visible_to(principal).filter(pk__in=ids).values_list("pk", "full_name"))


def database(finding: DriftFinding) -> str:
    """What our database says."""
    if not finding.in_database:
        if finding.kind == Kind.RESURRECTED and (until := _until(finding)):
            return _("Released, rests until %(date)s") % {"date": until}
        return _("Not here")
    status = finding.details.get("status")
    word = str(Status(status).label) if status in Status.values else str(status)
    if finding.details.get("source") == Source.EXTERNAL:
        return _("%(status)s, from elsewhere") % {"status": word}
    return word


def microsoft(finding: DriftFinding, names: Mapping[int, str]) -> str:
    """What Microsoft says; `names` as `owners` gives them."""
    if finding.at_microsoft is None:
        return _("Not known")
    if "owner" in finding.details:
        return names.get(finding.details["owner"]) or _("Another customer")
    return _("Listed") if finding.at_microsoft else _("Not listed")


def device(finding: DriftFinding) -> str:
    """What the SBC says: the tags and names of its rules for the number."""
    rules = finding.details.get("found", [])
    if rules:
        return ", ".join(f"{rule['prefix']} → {rule['tag']} ({rule['name']})" for rule in rules)
    return _("No rule") if finding.on_sbc is not None else _("Not known")


def expected(finding: DriftFinding) -> str:
    """The rule that should be there; empty where none should."""
    rule = finding.details.get("expected")
    return f"{rule['tag']} ({rule['name']})" if rule else ""


def _until(finding: DriftFinding) -> str:
    moment = parse_datetime(finding.details.get("until", ""))
    return date_format(moment.date(), "j M Y") if moment else ""
