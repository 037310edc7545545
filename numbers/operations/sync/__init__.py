"""Synchronisation: what Microsoft has, compared with what we have, written where it differs."""

from .operation import UNIQUE_KEY, Sync, plan, start

__all__ = ["UNIQUE_KEY", "Sync", "plan", "start"]
