"""The cells of a worksheet, and the texts they share, straight from the XML parser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import IO
from xml.parsers import expat

from openpyxl.utils.datetime import from_excel

CHUNK = 1 << 16
WIDEST = 16_384  # columns of a worksheet
LONGEST_TEXT = 40_000  # more than any limit allows; beyond it a text would only cost time until it is refused
# How a workbook writes what XML cannot hold. Others than these would be control characters, and are left as they are.
ESCAPE = re.compile(r"_x(0009|000A|000D|005F)_", re.IGNORECASE)

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Formats:
    """Numbers of the cell formats that show dates and durations, and the day from which days are counted."""

    dates: set[str]
    durations: set[str]
    base: datetime


def read_rows(file: IO[bytes], texts: list[str], formats: Formats) -> Iterator[Row]:
    """Every row that has a cell with a text: its number, and its cells up to the last one with a text."""
    reader = RowReader(texts, formats)
    over = False
    while not over:
        chunk = file.read(CHUNK)
        over = reader.feed(chunk) or not chunk
        yield from reader.rows
        reader.rows.clear()


def read_texts(file: IO[bytes], longest: int) -> list[str]:
    """The shared texts in their order, cut to this length."""
    reader = TextReader(longest)
    reader.parser.ParseFile(file)
    return reader.texts


class Reader:
    """What both have in common: texts stand in elements called `t`; readings of Japanese texts (rPh) are left out."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.buffer_size = CHUNK
        self.parser.StartElementHandler = self.root
        self.parser.CharacterDataHandler = self.data
        self.parser.EndElementHandler = self.end
        self.reading = self.aside = False
        self.text = ""

    def root(self, tag: str, _attributes: dict[str, str]) -> None:
        """The first element says which prefix all have, mostly none; then it is off to `start`."""
        self.name_tags(tag[: tag.rfind(":") + 1])
        self.parser.StartElementHandler = self.start

    def name_tags(self, prefix: str) -> None:
        """The tags as this file writes them."""
        self.text_tag, self.aside_tag = f"{prefix}t", f"{prefix}rPh"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag == self.text_tag:
            self.reading = not self.aside
        elif tag == self.aside_tag:
            self.aside = True

    def data(self, text: str) -> None:
        """A text, or a part of one."""
        if self.reading and len(self.text) < LONGEST_TEXT:
            self.text += text

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == self.text_tag:
            self.reading = False
        elif tag == self.aside_tag:
            self.aside = False


class TextReader(Reader):
    """Collects the shared texts."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.longest = longest

    def name_tags(self, prefix: str) -> None:
        """With the element of one text."""
        super().name_tags(prefix)
        self.item_tag = f"{prefix}si"

    def end(self, tag: str) -> None:
        """One text is complete, in however many parts it stood."""
        super().end(tag)
        if tag == self.item_tag:
            self.texts.append(unescaped(self.text)[: self.longest])
            self.text = ""


class RowReader(Reader):
    """Collects the rows of what was fed. Its handlers run a few million times for a large worksheet."""

    def __init__(self, texts: list[str], formats: Formats) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.shared, self.formats = texts, formats
        self.over = False
        self.number = self.column = 0
        self.cells: list[str] = []
        self.kind = self.format = ""

    def feed(self, chunk: bytes) -> bool:
        """More of the worksheet, nothing for its end. Returns whether its cells are over."""
        self.parser.Parse(chunk, not chunk)
        return self.over

    def name_tags(self, prefix: str) -> None:
        """With those of cells."""
        super().name_tags(prefix)
        self.cell_tag, self.value_tag, self.row_tag = f"{prefix}c", f"{prefix}v", f"{prefix}row"
        self.all_tag = f"{prefix}sheetData"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A cell, its value, a row."""
        if tag == self.cell_tag:
            place = attributes.get("r")
            self.column = column_of(place.rstrip("0123456789")) if place else self.column + 1
            self.kind = attributes.get("t", "n")
            self.format = attributes.get("s", "")
            self.text = ""
        elif tag == self.value_tag:
            self.reading = True
        elif tag == self.row_tag:
            self.number = int(attributes.get("r", self.number + 1))
            self.column = 0
        else:
            super().start(tag, attributes)

    def end(self, tag: str) -> None:
        """Where a cell ends its text is known."""
        if tag == self.cell_tag:
            if self.text:
                self.put(self.shown() if self.kind != "s" else self.shared[self.place()])
        elif tag == self.value_tag:
            self.reading = False
        elif tag == self.row_tag:
            if self.cells:
                self.rows.append((self.number, self.cells))
                self.cells = []
        elif tag == self.all_tag:
            self.over = True
        else:
            super().end(tag)

    def put(self, text: str) -> None:
        """Into the row, which gets empty cells up to this one."""
        missing = self.column - len(self.cells)
        if missing == 1:
            self.cells.append(text)
        elif missing > 1 and text:
            self.cells.extend([""] * (missing - 1))
            self.cells.append(text)
        elif missing < 1:
            self.cells[self.column - 1] = text

    def place(self) -> int:
        """The number of the shared text. Raises ValueError for what is none."""
        place = int(self.text)
        if place < 0:
            raise ValueError(place)
        return place

    def shown(self) -> str:
        """The text of a cell that is no shared text."""
        if self.kind == "n":
            if self.format in self.formats.dates:
                return moment(self.text, self.formats.base)
            return duration(self.text) if self.format in self.formats.durations else number(self.text)
        if self.kind == "b":
            return "FALSE" if self.text == "0" else "TRUE"
        return self.text if self.kind == "e" else unescaped(self.text)


@lru_cache(maxsize=WIDEST)
def column_of(letters: str) -> int:
    """A is 1. Raises ValueError for what is no column."""
    column = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or column > WIDEST:
            raise ValueError(letters)
        column = column * 26 + ord(letter) - 64
    if not 1 <= column <= WIDEST:
        raise ValueError(letters)
    return column


def number(text: str) -> str:
    """A number as a person would write it: phone numbers without exponent and without “.0”."""
    if text.isascii() and text.isdigit():
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() else repr(value)


def moment(text: str, base: datetime) -> str:
    """A date, with its time where it has one, in ISO form. What is outside the calendar stays the number it is."""
    try:
        value = from_excel(float(text), base)
    except (ValueError, OverflowError):
        return number(text)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat()


def duration(text: str) -> str:
    """Hours, minutes and seconds of so many days."""
    seconds = round(float(text) * 86_400)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def unescaped(text: str) -> str:
    """The text with the line ends and tabs that the workbook wrote in its own way."""
    if "_x" not in text:
        return text
    return ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
