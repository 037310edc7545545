"""Reading CSV in all its dialects; what cannot be read ends in one sentence that says what, where and what to do."""

import json
from pathlib import Path

import pytest

from ocadmin.console.sheets import Limits, Sheet, Unreadable, open_sheet, rows, sample

LIMITS = Limits(bytes=1_000_000, rows=50, columns=5, field=30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def read(file: Path, content: bytes, limits: Limits = LIMITS) -> tuple[Sheet, list[tuple[int, list[str]]]]:
    file.write_bytes(content)
    sheet = open_sheet(file, "numbers.csv", limits)
    return sheet, list(rows(file, sheet, limits))


def refusal(file: Path, content: bytes, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        read(file, content, limits)
    assert str(caught.value) == caught.value.sentence
    return caught.value.code, caught.value.sentence


TABLE = "Nümber{0}City\r\n+441{0}Zürich\r\n+442{0}Köln\r\n"
RECORDS = [(2, ["+441", "Zürich"]), (3, ["+442", "Köln"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("codec", "mark", "encoding"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "utf-32"),
        ("cp1252", b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_dialects(file: Path, delimiter: str, codec: str, mark: bytes, encoding: str, line_end: str) -> None:
    text = TABLE.format(delimiter).replace("\r\n", line_end)
    sheet, found = read(file, mark + text.encode(codec))
    assert (sheet.kind, sheet.encoding, sheet.delimiter, sheet.name) == ("csv", encoding, delimiter, "")
    assert (sheet.headers, sheet.header_line) == (["Nümber", "City"], 1)
    assert found == RECORDS
    assert bool(sheet.notes) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("text", "delimiter", "line"),
    [
        ("sep=;\r\nA,1;B\r\nx,y;z\r\n", ";", 2),
        ('"sep=|"\nA,1|B\nx|z\n', "|", 2),
        ("SEP=\t\nA,1\tB\nx\tz\n", "\t", 2),
        ("sep=^\nA,1^B\nx^z\n", "^", 2),
        ("\n  \n,,\nA,B\n1,2\n", ",", 4),
        ("Numbers\n+441\n\n+442\n", ",", 1),
        ('"A;B",C\n1,2\n', ",", 1),
        ("Address (street, house, city);Number\nMain Street 5;+441\n", ";", 1),
        ("A,B;C\n1,2;3\n4;5\n", ";", 1),
        ("A,B\n1,2\nx;y;z,1\n", ",", 1),
    ],
)
def test_the_delimiter_and_the_header(file: Path, text: str, delimiter: str, line: int) -> None:
    sheet, _found = read(file, text.encode())
    assert (sheet.delimiter, sheet.header_line) == (delimiter, line)


def test_cells_stand_as_they_are(file: Path) -> None:
    text = '\u00a0A , B\ufeff,,B\n  x ,"1\n2",\n"say ""so""",,\n,  ,\n1\n1,2,3,4,,\n1,2,3,,extra\n'
    sheet, found = read(file, text.encode())
    assert sheet.headers == ["A", "B", "", "B"]
    assert found == [
        (2, ["  x ", "1\n2", "", ""]),
        (4, ['say "so"', "", "", ""]),
        (6, ["1", "", "", ""]),
        (7, ["1", "2", "3", "4"]),
        (8, ["1", "2", "3", "", "extra"]),
    ]


def test_resuming(file: Path) -> None:
    sheet, found = read(file, b"A,B\n" + b"".join(b"%d,\n\n" % n for n in range(20)))
    for skip in (0, 1, 19, 20, 21):
        assert list(rows(file, sheet, LIMITS, skip=skip)) == found[skip:]
    assert sample(file, sheet, LIMITS, 2) == [["0", ""], ["1", ""]]


def test_kept_as_json(file: Path) -> None:
    sheet, _found = read(file, "Größe\nü\n".encode("cp1252"))
    assert Sheet.of(json.loads(json.dumps(sheet.as_dict()))) == sheet


@pytest.mark.parametrize(
    ("content", "code", "parts"),
    [
        (b"", "empty", ["empty"]),
        (b" \r\n\n\t\n", "blank", ["blanks"]),
        (b"\xef\xbb\xbf", "blank", ["blanks"]),
        (b"sep=;\n", "blank", ["blanks"]),
        (b"A,B\n", "no_rows", ["header", "no rows"]),
        (b"A,B\n,\n \n", "no_rows", ["header", "no rows"]),
        (b"A;B\nx\x81;2\n", "undecodable", ["0x81", "line 2", "Windows-1252", "UTF-8"]),
        (b"\xef\xbb\xbfA;B\nx\xfc;2\n", "undecodable", ["0xFC", "line 2", "UTF-8"]),
        ("A\tB\n1\t2\n".encode("utf-16") + b"\n", "undecodable", ["line 3", "UTF-16"]),
        ("A\nü\n".encode() + "ü\n".encode("cp1252"), "mixed_encodings", ["line 3"]),
        (b"A,B\n1,\x00\n", "control_character", ["Line 2", "0x00"]),
        (bytes(range(256)), "control_character", ["Line 1"]),
        (b'A,B\n1,"x\ny,z\n', "open_quote", ["line 2"]),
        (b'A,B\n"1\n2","x\ny,z\n', "open_quote", ["line 3"]),
        (b'A,B\n1,"x\ny"z,4\n', "stray_quote", ["line 3", "line 2"]),
        (b'A,B\n1,2\n1,"x" ,4\n', "stray_quote", ["line 3"]),
        (b"A,B\n" + b"1,2\n" * 51, "too_many_rows", ["50 rows", "line 52"]),
        (b"A,B,C,D,E,F\n1,2\n", "too_many_columns", ["5 columns", "line 1"]),
        (b"A,B\n1,2\n1,2,3,4,5,6\n", "too_many_columns", ["5 columns", "line 3"]),
        (b"A,B\n1," + b"x" * 31, "long_cell", ["line 2", "“B”", "30 characters"]),
        (b"A,\n1," + b"x" * 31, "long_cell", ["line 2", "column “2”", "30 characters"]),
        (b"A," + b"B" * 31 + b"\n1,2\n", "long_cell", ["line 1", "column “2”"]),
        (b'A,B\n1,"' + b"x\n" * 20 + b'"\n', "long_cell", ["line 2", "quote", "several lines"]),
        (b'A,B\n1,"' + b"x\n" * 90_000 + b'"\n', "long_cell", ["line 2", "quote", "several lines"]),
        (b"A,B\n1," + b"x" * 2000, "long_line", ["line 2"]),
        (b"A,B\n1,2\n" * 200_000, "too_large", ["1.6 MB", "1 MB", "Split"]),
    ],
)
def test_refusals(file: Path, content: bytes, code: str, parts: list[str]) -> None:
    found, sentence = refusal(file, content)
    assert found == code, sentence
    assert [part for part in parts if part not in sentence] == [], sentence


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"GIF89a", "picture"),
        (b"\x1f\x8b\x08", "archive"),
        (b"7z\xbc\xaf\x27\x1c", "archive"),
        (b"\x7fELF\x02", "program"),
        (b"MZ\x90\x00\x03", "program"),
        (b"SQLite format 3\x00", "database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old_excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"  <!DOCTYPE html><p>", "web_page"),
        (b"\xef\xbb\xbf<html><body>", "web_page"),
        (b"<table><tr><td>1", "web_page"),
        ("<html>".encode("utf-16"), "web_page"),
        (b'<?xml version="1.0"?><Workbook/>', "xml"),
        (b'{"numbers": []}', "json"),
        (b'[{"number": 1}]', "json"),
        (b"{\\rtf1 x}", "rich_text"),
    ],
)
def test_other_kinds_of_files(file: Path, content: bytes, code: str) -> None:
    found, sentence = refusal(file, content)
    assert found == code, sentence
    assert sentence.endswith(".")


def test_a_name_that_lies_is_noted(file: Path) -> None:
    file.write_bytes(b"A,B\n1,2\n")
    assert "read as CSV" in open_sheet(file, "Numbers.XLSX", LIMITS).notes[0]


def test_the_limits_come_from_the_settings() -> None:
    assert Limits.of_settings() == Limits(50_000_000, 100_000, 100, 10_000)
