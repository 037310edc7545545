"""Numbers from a file: read it whole, say what would become of each number, then hand them to the verbs."""

from .check import CHECK, ImportCheck, preview, start_check
from .run import IMPORT, NEEDS, Import, NotReady, start_import, within

__all__ = [
    "CHECK",
    "IMPORT",
    "NEEDS",
    "Import",
    "ImportCheck",
    "NotReady",
    "preview",
    "start_check",
    "start_import",
    "within",
]
