"""Reading XLSX: what cells become, which worksheet is read, and workbooks that are damaged or made to harm."""

import io
import time
import zipfile
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ocadmin.console.sheets import Limits, Sheet, Unreadable, open_sheet, rows, sample

from .workbooks import SHARED, SHEET, archive_of, like_excel, packed, repacked, workbook, worksheet

LIMITS = Limits(bytes=1_000_000, rows=50, columns=5, field=30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def read(file: Path, content: bytes, limits: Limits = LIMITS) -> tuple[Sheet, list[tuple[int, list[str]]]]:
    file.write_bytes(content)
    sheet = open_sheet(file, "numbers.xlsx", limits)
    return sheet, list(rows(file, sheet, limits))


def refusal(file: Path, content: bytes, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        read(file, content, limits)
    return caught.value.code, caught.value.sentence


PLAIN = packed(workbook(("Number", "City"), ("+441", "Zürich"), ("+442", "Köln")))


def test_a_plain_workbook(file: Path) -> None:
    sheet, found = read(file, PLAIN)
    assert sheet == Sheet("xlsx", "", "", "Sheet", ["Number", "City"], 1, [])
    assert found == [(2, ["+441", "Zürich"]), (3, ["+442", "Köln"])]
    assert sample(file, sheet, LIMITS, 1) == [["+441", "Zürich"]]
    assert Sheet.of(sheet.as_dict()) == sheet


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("+442079460958", "+442079460958"),
        ("00442079460958", "00442079460958"),
        ("  as it stands ", "  as it stands "),
        ("two\nlines", "two\nlines"),
        ("_x000D_", "\r"),
        ("_x0000_", "_x0000_"),
        ("<&>\"'", "<&>\"'"),
        (442079460958, "442079460958"),
        (442079460958.0, "442079460958"),
        (-5, "-5"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (4.4e20, "440000000000000000000"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 13, 5, 7), "2024-02-29T13:05:07"),
        (clock(13, 5), "13:05:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        ("#N/A", "#N/A"),
        ("=1+1", ""),  # openpyxl writes no results of formulas
        (None, ""),
    ],
)
def test_cells(file: Path, value: Any, text: str, shared: bool) -> None:
    content = packed(workbook(("A", "B"), (value, "x")))
    _sheet, found = read(file, like_excel(content) if shared else content)
    assert found == [(2, [text, "x"])]


def test_what_other_programs_write(file: Path) -> None:
    """Exponents, results of formulas, texts in place, rows and cells without an address, readings, a prefix."""
    cells = (
        "<x:row><x:c t='inlineStr'><x:is><x:t>A</x:t></x:is></x:c><x:c t='str'><x:f>B1</x:f><x:v>B</x:v></x:c></x:row>"
        "<x:row><x:c><x:v>4.42079460958E11</x:v></x:c>"
        "<x:c t='inlineStr'><x:is><x:r><x:t>東</x:t></x:r><x:r><x:t xml:space='preserve'> 京</x:t></x:r>"
        "<x:rPh><x:t>トウ</x:t></x:rPh></x:is></x:c></x:row>"
        "<x:row r='9'><x:c r='B9' t='e'><x:v>#REF!</x:v></x:c><x:c r='D9' t='d'><x:v>2024-02-29</x:v></x:c></x:row>"
        "<x:row r='10'><x:c r='E10' s='0'/></x:row>"
    )
    _sheet, found = read(file, repacked(PLAIN, {SHEET: worksheet(cells, "x:")}))
    assert found == [(2, ["442079460958", "東 京"]), (9, ["", "#REF!", "", "2024-02-29"])]


def test_the_calendar_of_old_macs(file: Path) -> None:
    book = workbook(("A",), (date(2024, 2, 29),))
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    assert read(file, packed(book))[1] == [(2, ["2024-02-29"])]


def test_blank_rows_and_columns(file: Path) -> None:
    table = [
        (),
        (None, "  "),
        (None, " A\u00a0", "B"),
        (),
        (None, "1"),
        (" ",),
        (None, "1", "2", "extra"),
        (None, "", ""),
    ]
    book = openpyxl.Workbook()
    for number, row in enumerate(table, 1):
        for column, value in enumerate(row, 1):
            book.active.cell(number, column, value)
    sheet, found = read(file, packed(book))
    assert (sheet.headers, sheet.header_line) == (["", "A", "B"], 3)
    assert found == [(5, ["", "1", ""]), (7, ["", "1", "2", "extra"])]
    for skip in range(4):
        assert list(rows(file, sheet, LIMITS, skip=skip)) == found[skip:]


def test_the_first_worksheet_with_cells_is_read_and_the_others_are_named(file: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Empty"
    hidden = book.create_sheet("Hidden")
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    book.create_chartsheet("Chart")
    for name in ("Müller & Söhne", "Old"):
        book.create_sheet(name).append(["Number"])
        book[name].append(["+441"])
    book["Old"]["ZZ1"] = "far out, but this worksheet is not read"
    sheet, found = read(file, packed(book))
    assert (sheet.name, sheet.headers, found) == ("Müller & Söhne", ["Number"], [(2, ["+441"])])
    assert sheet.notes == ["Only the worksheet “Müller & Söhne” is read.", "Not read: “Old”, “Hidden”."]


def test_a_name_that_lies_is_noted(file: Path) -> None:
    file.write_bytes(PLAIN)
    assert "read as XLSX" in open_sheet(file, "numbers.csv", LIMITS).notes[0]


@pytest.mark.parametrize(
    ("table", "code", "parts"),
    [
        ([], "no_worksheet", ["no worksheet with cells"]),
        ([("A", "B")], "no_rows", ["header"]),
        ([("A",), *[("1",)] * 51], "too_many_rows", ["50 rows", "row 52"]),
        ([("A", "B", "C", "D", "E", "F"), ("1",)], "too_many_columns", ["5 columns", "row 1"]),
        ([("A",), ("1", None, None, None, None, "6")], "too_many_columns", ["5 columns", "row 2"]),
        ([("A", "B"), ("1", "x" * 31)], "long_cell", ["row 2", "“B”", "30 characters"]),
        ([("A", "B" * 31), ("1", "2")], "long_cell", ["row 1", "column “2”", "30 characters"]),
    ],
)
def test_limits(file: Path, table: list[tuple[Any, ...]], code: str, parts: list[str]) -> None:
    found, sentence = refusal(file, packed(workbook(*table)))
    assert found == code, sentence
    assert [part for part in parts if part not in sentence] == [], sentence


TEXTS = b"<sst><si><t>A</t></si></sst>"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (archive_of({"readme.txt": b"x"}), "zip"),
        (archive_of({"word/document.xml": b"x"}), "word"),
        (archive_of({"xl/workbook.bin": b"x"}), "binary_workbook"),
        (archive_of({"Index/Document.iwa": b"x"}), "apple_numbers"),
        (archive_of({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "open_document"),
        (PLAIN[: len(PLAIN) // 2], "broken_workbook"),
        (b"PK\x03\x04 and no archive", "broken_workbook"),
        (repacked(PLAIN, {}, without=SHEET), "broken_workbook"),
        (repacked(PLAIN, {SHEET: worksheet("<row><c t='s'><v>99</v></c></row>")}), "broken_workbook"),
        (repacked(PLAIN, {SHEET: worksheet("<row><c t='s'><v>-1</v></c></row>"), SHARED: TEXTS}), "broken_workbook"),
        (repacked(PLAIN, {SHEET: worksheet("<row><c><v>five</v></c></row>")}), "broken_workbook"),
        (repacked(PLAIN, {SHEET: worksheet("<row><c r='ZZZZ1'><v>5</v></c></row>")}), "broken_workbook"),
        (repacked(PLAIN, {SHEET: worksheet("<row><c r='A1'><v>5</v></c>")}), "broken_workbook"),
        (repacked(PLAIN, {SHEET: ENTITIES + worksheet("<row><c><v>&b;</v></c></row>")}), "unsafe_workbook"),
        (repacked(PLAIN, {SHARED: ENTITIES + b"<sst><si><t>&b;</t></si></sst>"}), "unsafe_workbook"),
        (repacked(PLAIN, {SHARED: (ENTITIES.decode() + "<sst/>").encode("utf-16")}), "unsafe_workbook"),
        (repacked(PLAIN, {SHEET: b"<!--" + b"<a>" * 50_000 + b"-->" + ENTITIES + b"<a/>"}), "unsafe_workbook"),
        (repacked(PLAIN, {"xl/workbook.xml": ENTITIES + b"<workbook/>"}), "unsafe_workbook"),
        (repacked(PLAIN, {"xl/media/zeros": b"\x00" * 11_000_000}), "too_packed"),
        (repacked(PLAIN, {f"xl/media/{n}": b"" for n in range(2_000)}), "too_packed"),
        (repacked(PLAIN, {SHARED: b" " * 5_500_000}), "too_packed"),
    ],
)
def test_other_archives_and_harmful_ones(file: Path, content: bytes, code: str) -> None:
    found, sentence = refusal(file, content)
    assert found == code, sentence
    assert sentence.endswith(".")


def test_a_part_with_a_password(file: Path) -> None:
    content = bytearray(PLAIN)
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as zipped:
        start = zipped.start_dir
    content[start + 8] |= 1  # the flag of the first entry
    assert refusal(file, bytes(content))[0] == "encrypted"


def test_damage_in_the_middle_comes_after_the_rows_before_it(file: Path) -> None:
    lines = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(20_000))
    file.write_bytes(repacked(PLAIN, {SHEET: worksheet(lines + "<row><c><v>x</v></c></row>")}))
    limits = Limits(bytes=1_000_000, rows=50_000, columns=5, field=30)
    sheet = open_sheet(file, "numbers.xlsx", limits)
    found: list[tuple[int, list[str]]] = []
    with pytest.raises(Unreadable) as caught:
        found.extend(rows(file, sheet, limits))
    assert caught.value.code == "broken_workbook"
    assert 15_000 < len(found) < 20_000


def test_a_worksheet_that_is_formatted_to_its_end_takes_no_time(file: Path) -> None:
    formatted = "".join(f"<row r='{number}' s='1'><c r='A{number}' s='1'/></row>" for number in range(4, 200_000))
    cells = "<row><c t='str'><v>A</v></c></row><row><c><v>1</v></c></row>" + formatted
    cells += "<row r='1048576'><c r='A1048576'><v>9</v></c></row><row r='999999999999'><c><v>10</v></c></row>"
    started = time.process_time()
    content = repacked(PLAIN, {SHEET: worksheet(cells)})
    _sheet, found = read(file, content, Limits(bytes=5_000_000, rows=50, columns=5, field=30))
    assert found == [(2, ["1"]), (1_048_576, ["9"]), (999_999_999_999, ["10"])]
    assert time.process_time() - started < 5
