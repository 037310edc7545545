"""Whatever the bytes of a file are, the end is rows or one sentence, and never another exception."""

import csv
import io
import random
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocadmin.console.sheets import Limits, Unreadable, open_sheet, rows

from .workbooks import archive_of, like_excel, packed, parts_of, repacked, workbook

LIMITS = Limits(bytes=100_000, rows=50, columns=8, field=40)
TABLE = [["Number", "City", "Note"], ["+441", "Zürich", 'say "so"'], ["+442", "a, b; c", "two\nlines"], ["", "", "x"]]


def as_csv(encoding: str, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(TABLE)
    return text.getvalue().encode(encoding)


TEXTS = [as_csv("utf-8"), as_csv("utf-8-sig", ";"), as_csv("utf-16", "\t"), as_csv("utf-16-le"), as_csv("cp1252", "|")]
# Stored without packing, so that a change reaches the XML; packed, so that it reaches the archive.
BOOK = like_excel(packed(workbook(*((*row, 5, 1.5, True) for row in TABLE))))
WORKBOOKS = [archive_of(parts_of(BOOK), zipfile.ZIP_STORED), BOOK]


def ends_well(content: bytes) -> None:
    """Reads everything, twice: as a whole, and in two parts that make the same whole."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        path = Path(file.name)
        try:
            sheet = open_sheet(path, "any", LIMITS)
            found = list(rows(path, sheet, LIMITS))
            assert list(rows(path, sheet, LIMITS, skip=1)) == found[1:]
        except Unreadable:
            return
        assert 1 <= len(found) <= LIMITS.rows
        assert [line for line, _cells in found if line <= sheet.header_line] == []
        for _line, cells in found:
            assert len(sheet.headers) <= len(cells) <= LIMITS.columns
            assert max(map(len, cells)) <= LIMITS.field
            assert any(cell.strip() for cell in cells)
            "".join(cells).encode()  # no half characters, which no database takes
            assert "\x00" not in "".join(cells)


@st.composite
def changed(draw: Callable[[st.SearchStrategy], object], whole: list[bytes]) -> bytes:
    """A file with bytes flipped, cut out, put in or moved."""
    content = bytearray(draw(st.sampled_from(whole)))  # type: ignore[call-overload]
    for _ in range(draw(st.integers(1, 4))):  # type: ignore[call-overload]
        at = draw(st.integers(0, len(content)))
        to = draw(st.integers(0, len(content)))
        start, end = min(at, to), max(at, to)  # type: ignore[type-var]
        match draw(st.sampled_from(["flip", "cut", "insert", "end", "repeat"])):
            case "flip" if start < len(content):
                content[start] = draw(st.integers(0, 255))
            case "cut":
                del content[start : start + draw(st.integers(1, 20))]
            case "insert":
                content[start:start] = draw(
                    st.binary(max_size=20) | st.sampled_from([b'"', b"\n", b"\x00", b"<", b"]]>"])
                )
            case "end":
                del content[end:]
            case "repeat":
                content[end:end] = content[start : start + 200]
    return bytes(content)


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    ends_well(content)


@given(
    st.text(alphabet='ab",;|\t\r\n \u00a0ü+1\ufeff=sep', max_size=200), st.sampled_from(["utf-8", "utf-16", "cp1252"])
)
def test_any_text(text: str, encoding: str) -> None:
    ends_well(text.encode(encoding, "replace"))


@given(changed(TEXTS))
def test_damaged_texts(content: bytes) -> None:
    ends_well(content)


@given(changed(WORKBOOKS))
def test_damaged_workbooks(content: bytes) -> None:
    ends_well(content)


PARTS = [
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "xl/worksheets/sheet1.xml",
]


@st.composite
def changed_part(draw: Callable[[st.SearchStrategy], object]) -> bytes:
    """A sound archive with damaged XML in it."""
    name = draw(st.sampled_from(PARTS))
    return repacked(BOOK, {name: draw(changed([parts_of(BOOK)[name]]))})  # type: ignore[index, dict-item]


@given(changed_part())
def test_damaged_parts_of_workbooks(content: bytes) -> None:
    ends_well(content)


@pytest.mark.slow
@settings(max_examples=1000)
@given(changed(WORKBOOKS) | changed(TEXTS) | changed_part())
def test_many_damaged_files(content: bytes) -> None:
    ends_well(content)


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20) | st.just('"a\n""b",;\t')


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_what_was_written_is_read(table: list[list[str]], delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([["A", "B", "C"], ["a", "b", "c"], *table])
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.getvalue().encode())
        file.flush()
        sheet = open_sheet(Path(file.name), "any", LIMITS)
        assert sheet.delimiter == delimiter
        found = [record for _line, record in rows(Path(file.name), sheet, LIMITS)]
    assert found == [["a", "b", "c"], *(row for row in table if any(cell.strip() for cell in row))]


def test_a_late_letter_and_flat_memory(tmp_path: Path) -> None:
    """20 MB that are ASCII but for one letter near the end, which is Windows-1252."""
    path, limits = tmp_path / "large.csv", Limits(bytes=30_000_000, rows=1_000_000, columns=20, field=2_000)
    seed = random.Random(1)
    line = ";".join(f"{seed.random()}" for _ in range(11)) + "\r\n"
    lines = 20_000_000 // len(line)
    path.write_bytes(b";".join(b"%d" % n for n in range(11)) + b"\r\n" + line.encode() * lines + b"Z\xfcrich\r\n")
    tracemalloc.start()
    try:
        sheet = open_sheet(path, "large.csv", limits)
        count = 0
        for _line, record in rows(path, sheet, limits):
            count, last = count + 1, record[0]
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (sheet.encoding, count, last) == ("cp1252", lines + 1, "Zürich")
    assert most < 5_000_000
