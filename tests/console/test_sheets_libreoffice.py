"""Files as a real spreadsheet program writes them: LibreOffice, in several languages, formats and encodings."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ocadmin.console.sheets import Limits, Unreadable, open_sheet, rows

pytestmark = pytest.mark.slow

LIMITS = Limits(bytes=1_000_000, rows=50, columns=8, field=40)
LOCALES = ["en-US", "de-DE", "fr-FR"]
# Its filter for text: delimiter, quote, encoding (76 is UTF-8, 65535 is UTF-16), first line, -, quote all texts.
TEXT = "csv:Text - txt - csv (StarCalc):"

NAMES = "office:urn:oasis:names:tc:opendocument:xmlns:office:1.0 table:urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
NAMES += "text:urn:oasis:names:tc:opendocument:xmlns:text:1.0 style:urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
NAMES += "number:urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0 of:urn:oasis:names:tc:opendocument:xmlns:of:1.2"
HEAD = " ".join('xmlns:{}="{}"'.format(*name.split(":", 1)) for name in NAMES.split())
BOOK = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {HEAD} office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
<number:date-style style:name="N1" number:language="de" number:country="DE"><number:day number:style="long"/>
<number:text>. </number:text><number:month number:textual="true"/><number:text> </number:text><number:year/>
</number:date-style><number:boolean-style style:name="N2"><number:boolean/></number:boolean-style>
<style:style style:name="date" style:family="table-cell" style:data-style-name="N1"/>
<style:style style:name="boolean" style:family="table-cell" style:data-style-name="N2"/>
</office:automatic-styles><office:body><office:spreadsheet>%s</office:spreadsheet></office:body></office:document>"""


def text(value: str) -> str:
    lines = "".join(f"<text:p>{line}</text:p>" for line in value.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'


def number(value: str) -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def formula(code: str) -> str:
    return f'<table:table-cell table:formula="of:={code}"/>'


def table(name: str, *lines: list[str]) -> str:
    records = "".join(f"<table:table-row>{''.join(cells)}</table:table-row>" for cells in lines)
    return f'<table:table table:name="{name}">{records}</table:table>'


HEADERS = [text(name) for name in ("Nummer", "Ort", "Preis", "Summe")]
BOOLEAN = '<table:table-cell table:style-name="boolean" office:value-type="boolean" office:boolean-value="true"/>'
DATE = '<table:table-cell table:style-name="date" office:value-type="date" office:date-value="2024-02-29"/>'
EMPTY = ['<table:table-cell table:number-columns-repeated="4"/>']
LINES = [
    HEADERS,
    [text("+4930123456"), text('Köln; "Süd",\t5'), number("1.5"), formula("1+1")],
    EMPTY,
    [number("4930123457"), text("zwei\nZeilen"), number("-0.25"), formula("NA()")],
    [text("0049 30 123458"), text("Œuvre – 5 €"), BOOLEAN],
    [number("493012345701234"), text("x"), DATE],
]
FOLLOWING = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source in it."""
    if shutil.which("soffice") is None:
        pytest.skip("no LibreOffice")
    folder = tmp_path_factory.mktemp("office")
    numbers = table("Rufnummern", *LINES).replace("</table:table>", f"{FOLLOWING}</table:table>")
    (folder / "book.fods").write_text(BOOK % numbers)
    (folder / "tabs.fods").write_text(BOOK % (table("Leer") + numbers))
    return folder


def converted(folder: Path, target: str, locale: str = "en-US", source: str = "book.fods") -> Path:
    """The source as this program would save it for a person with this locale."""
    profile, output = folder / f"profile-{locale}", folder / "out"
    settings = profile / "user" / "registrymodifications.xcu"
    if not settings.exists():
        settings.parent.mkdir(parents=True)
        settings.write_text(
            '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
            '<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">'
            f"<value>{locale}</value></prop></item></oor:items>"
        )
    command = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", target]
    command += ["--outdir", str(output), str(folder / source)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    path = (output / source).with_suffix(f".{target.partition(':')[0]}")
    assert path.exists(), answer.stderr
    return path.rename(path.with_name(f"{len(list(output.iterdir()))}{path.suffix}"))


@pytest.mark.parametrize("locale", LOCALES)
def test_xlsx_says_the_same_in_every_language(office: Path, locale: str) -> None:
    path = converted(office, "xlsx", locale, "tabs.fods")
    sheet = open_sheet(path, path.name, LIMITS)
    assert (sheet.kind, sheet.name, sheet.header_line) == ("xlsx", "Rufnummern", 1)
    assert sheet.headers == ["Nummer", "Ort", "Preis", "Summe"]
    assert list(rows(path, sheet, LIMITS)) == [
        (2, ["+4930123456", 'Köln; "Süd",\t5', "1.5", "2"]),
        (4, ["4930123457", "zwei\nZeilen", "-0.25", "#N/A"]),
        (5, ["0049 30 123458", "Œuvre – 5 €", "TRUE", ""]),
        (6, ["493012345701234", "x", "2024-02-29", ""]),
    ]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("options", "delimiter", "encoding"),
    [
        ("44,34,76", ",", "utf-8"),
        ("44,34,76,1,,0,true", ",", "utf-8"),
        ("59,34,ANSI", ";", "cp1252"),
        ("9,34,65535", "\t", "utf-16"),
        ("124,34,76", "|", "utf-8"),
    ],
)
def test_csv(office: Path, locale: str, options: str, delimiter: str, encoding: str) -> None:
    path = converted(office, TEXT + options, locale)
    sheet = open_sheet(path, path.name, LIMITS)
    assert (sheet.delimiter, sheet.encoding) == (delimiter, encoding)
    assert sheet.headers == ["Nummer", "Ort", "Preis", "Summe"]
    found = list(rows(path, sheet, LIMITS))
    assert [line for line, _cells in found] == [2, 4, 6, 7]
    comma = "." if locale == "en-US" else ","
    assert found[0][1] == ["+4930123456", 'Köln; "Süd",\t5', f"1{comma}5", "2"]
    assert found[1][1] == ["4930123457", "zwei\nZeilen", f"-0{comma}25", "#N/A"]
    assert found[2][1][:2] == ["0049 30 123458", "Œuvre – 5 €"]


@pytest.mark.parametrize(
    ("target", "code"),
    [("ods", "open_document"), ("xls", "old_excel"), ("html", "web_page"), ("pdf", "pdf"), ("fods", "xml")],
)
def test_its_other_formats_are_named(office: Path, target: str, code: str) -> None:
    path = converted(office, target)
    with pytest.raises(Unreadable) as caught:
        open_sheet(path, "numbers.csv", LIMITS)
    assert caught.value.code == code
