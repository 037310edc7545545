"""Synchronisation: what Microsoft has, compared with what we have, written where it differs."""

from .on_hold import OnHold, hold, resume
from .operation import Sync, start

__all__ = ["OnHold", "Sync", "hold", "resume", "start"]
