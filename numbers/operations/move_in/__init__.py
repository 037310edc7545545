"""Moving in: the V3 JSON of another platform becomes customers, profiles, SBC links and numbers here."""

from .load import Loaded, load
from .source import MoveInRefused, from_file, from_url, renewing_token

__all__ = ["Loaded", "MoveInRefused", "from_file", "from_url", "load", "renewing_token"]
