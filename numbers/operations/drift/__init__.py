"""The drift report: where database, Microsoft and SBCs disagree, and putting it right."""

from .operation import Drift, plan, start
from .repair import Repair

__all__ = ["Drift", "Repair", "plan", "start"]
