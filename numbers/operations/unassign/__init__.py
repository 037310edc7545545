"""Un-assign: take numbers from whoever uses them, through the customer's own tenant; and release them afterwards."""

from .chain import UnassignRelease
from .operation import Unassign

__all__ = ["Unassign", "UnassignRelease"]
