"""Synchronisation: what Microsoft has, compared with what we have, written where it differs."""

from .on_hold import OnHold, check_hold, hold, resume
from .operation import UNIQUE_KEY, Sync, plan, start

__all__ = ["UNIQUE_KEY", "OnHold", "Sync", "check_hold", "hold", "plan", "resume", "start"]
