"""Synchronisation: what Microsoft has, compared with what we have, written where it differs."""

from .operation import Sync, start

__all__ = ["Sync", "start"]
