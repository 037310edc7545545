"""What a spreadsheet must not take for a formula, written so that it can be read back to the letter.

A cell that begins with one of a few signs is executed by spreadsheets. Such a text gets an apostrophe in front, and so
does a text that begins with apostrophes and such a sign: taking one apostrophe off gives every text back. The plus of
a number in E.164 form is left alone: it is no formula, and without it the number is damaged.
"""

import re

SIGNS = "=+-@\t\r\n"  # what makes a formula (CSV injection); with it line ends, which hide what follows
NUMBER = r"\+[0-9]{1,15}"
_NUMBER = re.compile(NUMBER)
CONTROLS = r"[\x01-\x08\x0b\x0c\x0e-\x1f]"
_CONTROLS = re.compile(CONTROLS)
_DASH = re.compile("'*-")  # an import empties a column for “-”
_DANGEROUS = re.compile(rf"'*[{re.escape(SIGNS)}]")


class Echo:
    """A file for `csv.writer` that gives back what is written to it: lines are sent as they come."""

    def write(self, text: str) -> str:
        """The text itself."""
        return text


def harmless(text: str) -> str:
    """The text as a cell may hold it."""
    return f"'{text}" if _DANGEROUS.match(text) and not _NUMBER.fullmatch(text) else text


def original(cell: str) -> str:
    """The text that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell) else cell


def typed(text: str) -> str:
    """The text as a cell that is a text by its type may hold it: nothing is executed there, but “-” has a meaning."""
    return f"'{text}" if _DASH.fullmatch(text) else text


def from_typed(cell: str) -> str:
    """The text that `typed` was given."""
    return cell[1:] if cell.startswith("'") and _DASH.fullmatch(cell) else cell


def printable(text: str) -> str:
    """Without control characters, which no table can hold: a file with one is taken for damaged."""
    return _CONTROLS.sub("", text)
