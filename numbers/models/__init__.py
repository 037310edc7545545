"""One file per noun."""

from .calling_profile import CallingProfile, Trunk
from .channel import Channel
from .civic_address import CivicAddress, Location
from .customer import ConnectionState, Customer
from .number_import import ImportGroup, ImportRow, ImportState, Mode, NumberImport, RowOutcome
from .pasted_list import PastedList
from .phone_number import PhoneNumber
from .released_number import ReleasedNumber
from .sip_connection import SipConnection
from .staged_number import StagedNumber
from .upstream_job import UpstreamJob

__all__ = [
    "CallingProfile",
    "Channel",
    "CivicAddress",
    "ConnectionState",
    "Customer",
    "ImportGroup",
    "ImportRow",
    "ImportState",
    "Location",
    "Mode",
    "NumberImport",
    "PastedList",
    "PhoneNumber",
    "ReleasedNumber",
    "RowOutcome",
    "SipConnection",
    "StagedNumber",
    "Trunk",
    "UpstreamJob",
]
