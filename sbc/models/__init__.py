"""The nouns of this app, one file each."""

from .dial_plan_rule import OUTSTANDING, DialPlanRule
from .hand_file import HandFile, HandFileKind
from .health_period import HealthPeriod
from .plan_reading import PlanReading, SeenRule
from .sbc import SBC, SBCQuerySet, State, WriteStrategy, validate_certificates, validate_one_certificate

__all__ = [
    "OUTSTANDING",
    "SBC",
    "DialPlanRule",
    "HandFile",
    "HandFileKind",
    "HealthPeriod",
    "PlanReading",
    "SBCQuerySet",
    "SeenRule",
    "State",
    "WriteStrategy",
    "validate_certificates",
    "validate_one_certificate",
]
