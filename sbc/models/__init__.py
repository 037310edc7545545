"""The nouns of this app, one file each."""

from .dial_plan_rule import DialPlanRule
from .hand_file import HandFile, HandFileKind
from .plan_reading import PlanReading, SeenRule
from .sbc import SBC, SBCQuerySet, WriteStrategy, validate_certificates

__all__ = [
    "SBC",
    "DialPlanRule",
    "HandFile",
    "HandFileKind",
    "PlanReading",
    "SBCQuerySet",
    "SeenRule",
    "WriteStrategy",
    "validate_certificates",
]
