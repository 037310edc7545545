"""Files that are recognised by their headers, and what the header of a column means.

Our own export and template; the upload files of the Azure Communications Gateway in their two forms (live-platform.md
§1.6); and what Teams PowerShell's Get-CsPhoneNumberAssignment gives, which is compared and never uploaded.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ...resources import COLUMNS, TOLD

LEFT_OUT = ""
# Columns that are only compared: a file cannot change them.
COMPARED = ("assignment", "assignedTo", "activationState", "status", "source", "teamsCapability", "numberType")
# Of the gateway: whether a row asks for a number to be with the customer at all.
ENABLED, ASSIGNED = "gatewayEnabled", "gatewayAssignment"
STANDING = (ENABLED, ASSIGNED)


def plain(header: str) -> str:
    """A header without capitals, blanks and signs."""
    return re.sub(r"[\W_]", "", header.casefold())


@dataclass(frozen=True)
class Shape:
    """A kind of file. `columns`: plain header to our column, LEFT_OUT for what has no meaning here."""

    code: str
    label: str | Promise
    columns: Mapping[str, str]
    compares: bool = False


ERROR = "error"  # the column that a file of rejected rows has besides: it is for people
_OWN = {plain(name): LEFT_OUT for name in (*TOLD, ERROR)} | {
    plain(name): name for name in (*COLUMNS, *COMPARED, *STANDING)
}
_ALIASES = {plain(alias): name for name, column in COLUMNS.items() for alias in column.aliases}
KNOWN: dict[str, str] = _ALIASES | _OWN

_GATEWAY = "serviceDetails_teamsOperatorConnect_"
OWN = Shape("own", _("this console's own columns"), _OWN)
GATEWAY_LIST = Shape(
    "gateway-list", _("a list of numbers for the Azure Communications Gateway"), {"numbers": "telephoneNumber"}
)
GATEWAY = Shape(
    "gateway",
    _("an upload file for the Azure Communications Gateway"),
    {
        plain(header): column
        for header, column in {
            "telephoneNumber": "telephoneNumber",
            "accountName": "customer",
            f"{_GATEWAY}enabled": ENABLED,
            f"{_GATEWAY}assignmentStatus": ASSIGNED,
            f"{_GATEWAY}configuration_usage": "usage",
            f"{_GATEWAY}configuration_choosableCapabilities": "capabilities",
            f"{_GATEWAY}configuration_additionalUsages": "additionalUsage",
            f"{_GATEWAY}configuration_civicAddressId": "civicAddressId",
            f"{_GATEWAY}configuration_locationId": "locationId",
            f"{_GATEWAY}configuration_allowTenantAddressUpdate": "allowTenantAddressUpdate",
            f"{_GATEWAY}configuration_displayedCountryCode": "displayedCountry",
            "configuration_customSipHeader": LEFT_OUT,
        }.items()
    },
)
TEAMS = Shape(
    "teams",
    _("what Get-CsPhoneNumberAssignment gives"),
    {
        plain(header): column
        for header, column in {
            "TelephoneNumber": "telephoneNumber",
            "PstnAssignmentStatus": "assignment",
            "AssignedPstnTargetId": "assignedTo",
            "ActivationState": "activationState",
            "IsoCountryCode": "country",
            "LocationId": "locationId",
            "CivicAddressId": "civicAddressId",
            "Capability": "teamsCapability",
            "NumberType": "numberType",
        }.items()
    }
    | {
        plain(header): LEFT_OUT
        for header in (
            "AssignmentCategory",
            "AssignmentBlockedState",
            "City",
            "IsManagedByServiceDesk",
            "IsoSubdivision",
            "LocationUpdateSupported",
            "NetworkSiteId",
            "NumberSource",
            "OperatorId",
            "PortInOrderStatus",
            "PstnPartnerId",
            "PstnPartnerName",
            "ReverseNumberLookup",
            "RoutingOptions",
            "SmsActivationState",
            "SupportedCustomerActions",
            "Tag",
        )
    },
    compares=True,
)
SHAPES = {shape.code: shape for shape in (OWN, GATEWAY_LIST, GATEWAY, TEAMS)}


def recognise(headers: Sequence[str]) -> Shape | None:
    """The shape whose columns these are; None where some header is none of them, or stands there twice."""
    names = [plain(header) for header in headers]
    if len(set(names)) < len(names):
        return None
    if {"pstnassignmentstatus", "telephonenumber"} <= set(names):
        return TEAMS
    found = (shape for shape in (OWN, GATEWAY_LIST, GATEWAY) if set(names) <= shape.columns.keys())
    return next((shape for shape in found if "telephoneNumber" in {shape.columns[name] for name in names}), None)


def guess(headers: Sequence[str], shape: Shape | None, remembered: Mapping[str, str]) -> list[str | None]:
    """One of our columns for each header: LEFT_OUT where it is known to mean nothing here, None where nobody knows.

    `remembered`: plain header to the column that this person has chosen for it before.
    """
    known = shape.columns if shape is not None else {}
    taken: set[str] = set()
    found: list[str | None] = []
    for header in headers:
        name = plain(header)
        column = known.get(name, remembered.get(name, KNOWN.get(name)))
        # What Teams adds one day is not ours to upload: it is only compared anyway.
        column = LEFT_OUT if column is None and shape is TEAMS else column
        found.append(None if column in taken else column)
        taken |= {column} if column else set()
    return found


OFFERED = (*COLUMNS, *COMPARED, *STANDING)  # what a header may be assigned to
