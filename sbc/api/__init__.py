"""Endpoints of the REST interface that are about SBCs. One router for all: several methods share an address."""

from . import acting, by_hand, changing
from .reading import router

__all__ = ["acting", "by_hand", "changing", "router"]
