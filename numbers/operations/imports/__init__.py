"""Numbers from a file: read it whole, say what would become of each number, then hand them to the verbs."""

from .check import CHECK, ImportCheck, preview, start_check
from .planning import plan_of
from .run import IMPORT, NEEDS, Import, NotReady, changes_of, start_import, within

__all__ = [
    "CHECK",
    "IMPORT",
    "NEEDS",
    "Import",
    "ImportCheck",
    "NotReady",
    "changes_of",
    "plan_of",
    "preview",
    "start_check",
    "start_import",
    "within",
]
