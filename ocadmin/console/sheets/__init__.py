"""Reading spreadsheets that people upload: CSV in any of its dialects, and XLSX.

A file is judged by its content and never by its name. Whatever its bytes are, the end is either rows or one sentence
that says what is wrong, where, and what to do (`Unreadable`). Rows are read lazily, in flat memory.
"""

from .encodings import name_of
from .reading import open_sheet, rows, sample
from .sheet import CSV, Limits, Sheet, Unreadable

__all__ = ["CSV", "Limits", "Sheet", "Unreadable", "name_of", "open_sheet", "rows", "sample"]
