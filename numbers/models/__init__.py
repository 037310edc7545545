"""One file per noun."""

from .calling_profile import CallingProfile, Trunk
from .channel import Channel
from .civic_address import CivicAddress, Location
from .customer import ConnectionState, Customer
from .drift_finding import SEVERITY, DriftFinding, Kind, Severity
from .drift_run import DriftRun
from .microsoft_number import MicrosoftNumber, MicrosoftReading
from .number_import import ImportGroup, ImportRow, ImportState, Mode, NumberImport, RowOutcome
from .pasted_list import PastedList
from .phone_number import PhoneNumber
from .released_number import ReleasedNumber
from .sip_connection import SipConnection
from .staged_number import StagedNumber
from .upstream_job import UpstreamJob

__all__ = [
    "SEVERITY",
    "CallingProfile",
    "Channel",
    "CivicAddress",
    "ConnectionState",
    "Customer",
    "DriftFinding",
    "DriftRun",
    "ImportGroup",
    "ImportRow",
    "ImportState",
    "Kind",
    "Location",
    "MicrosoftNumber",
    "MicrosoftReading",
    "Mode",
    "NumberImport",
    "PastedList",
    "PhoneNumber",
    "ReleasedNumber",
    "RowOutcome",
    "Severity",
    "SipConnection",
    "StagedNumber",
    "Trunk",
    "UpstreamJob",
]
