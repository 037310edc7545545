"""Every sentence with which a file is refused. `place` is a line of a text or a row of a worksheet, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .sheet import MEGABYTE, XLSX, Limits, Sheet, Unreadable


def megabytes(size: int) -> str:
    """A size in words, rounded up to a tenth, so that what is over a limit never looks equal to it."""
    tenths = -(-size * 10 // MEGABYTE)
    return f"{tenths // 10:,} MB" if tenths % 10 == 0 else f"{tenths / 10:,.1f} MB"


def place(kind: str, number: int) -> str:
    """Where in the file, in the word that the person's program shows."""
    word = _("row %(number)s") if kind == XLSX else _("line %(number)s")
    return word % {"number": number}


def too_large(size: int, limit: int) -> Unreadable:
    """More bytes than are read."""
    sentence = _("The file is %(size)s; at most %(limit)s are read. Split it.")
    return Unreadable("too_large", sentence % {"size": megabytes(size), "limit": megabytes(limit)})


def too_many_rows(limits: Limits, where: str) -> Unreadable:
    """More records than are read; `where` is the first one too many."""
    sentence = _("The file has more than %(limit)s rows: %(place)s is one too many. Split it.")
    return Unreadable("too_many_rows", sentence % {"limit": f"{limits.rows:,}", "place": where})


def too_many_columns(limits: Limits, where: str) -> Unreadable:
    """More cells in one record than are read."""
    sentence = _(
        "There are more than %(limit)s columns in %(place)s. Remove those that are not needed, or look for a "
        "line end that is missing."
    )
    return Unreadable("too_many_columns", sentence % {"limit": limits.columns, "place": where})


def long_cell(limits: Limits, sheet: Sheet, number: int, column: int, *, broken: bool) -> Unreadable:
    """More characters in a cell than are read; `broken` when it has line ends, as after a quote that is not closed."""
    sentence = _("A cell in %(place)s, column “%(column)s”, has more than %(limit)s characters. Shorten it.")
    if broken:
        sentence = _(
            "A cell that begins in %(place)s, column “%(column)s”, has more than %(limit)s characters in several "
            "lines. Look for a quote that is not closed, or shorten it."
        )
    name = sheet.headers[column] if column < len(sheet.headers) else ""
    values = {"place": place(sheet.kind, number), "column": name or column + 1, "limit": f"{limits.field:,}"}
    return Unreadable("long_cell", sentence % values)


def refuse_long_cells(cells: list[str], number: int, sheet: Sheet, limits: Limits) -> None:
    """Raises Unreadable for the first cell of a record with more characters than are read."""
    for column, cell in enumerate(cells):
        if len(cell) > limits.field:
            raise long_cell(limits, sheet, number, column, broken="\n" in cell or "\r" in cell)


def long_line(number: int) -> Unreadable:
    """A line so long that it is no line of a table."""
    sentence = _("From line %(line)s on there is no line end for too long: this is no table. Save it as CSV or XLSX.")
    return Unreadable("long_line", sentence % {"line": number})


def open_quote(line: int) -> Unreadable:
    """A quoted cell that never ends."""
    sentence = _(
        "The quote that opens in line %(line)s is never closed. Close it. Where it belongs to the text, write "
        "it twice, and quotes around the cell."
    )
    return Unreadable("open_quote", sentence % {"line": line})


def stray_quote(line: int, opened: int) -> Unreadable:
    """Text after the quote that ends a cell."""
    sentence = _(
        "In line %(line)s something follows the quote that ends a cell (it opens in line %(opened)s). Remove it, or "
        "write a quote twice where it belongs to the text."
    )
    return Unreadable("stray_quote", sentence % {"line": line, "opened": opened})


def undecodable(byte: int, line: int, encoding: str) -> Unreadable:
    """A byte that belongs to no character."""
    sentence = _(
        "Byte 0x%(byte)02X in line %(line)s is no character in %(encoding)s. Save the file as “CSV UTF-8” or as XLSX."
    )
    return Unreadable("undecodable", sentence % {"byte": byte, "line": line, "encoding": encoding})


def mixed_encodings(line: int) -> Unreadable:
    """Neither reading would be right for all of it."""
    sentence = _(
        "The file is UTF-8 in some lines, but line %(line)s is not: two encodings are mixed. Save it as “CSV UTF-8” "
        "or as XLSX from the program that it comes from."
    )
    return Unreadable("mixed_encodings", sentence % {"line": line})


def control_character(code: int, line: int) -> Unreadable:
    """A character that no text has."""
    sentence = _(
        "Line %(line)s has a control character (0x%(code)02X), which is not text: the file is damaged or no table. "
        "Save it as CSV or XLSX from the program that it comes from."
    )
    return Unreadable("control_character", sentence % {"line": line, "code": code})


def unusable(code: str) -> Unreadable:
    """A file that is something else, or has nothing in it."""
    return Unreadable(code, _(UNUSABLE[code]))


UNUSABLE = {
    "empty": gettext_noop("The file is empty. Choose another one."),
    "blank": gettext_noop("The file has nothing but blanks in it. Choose another one."),
    "no_rows": gettext_noop("The file has a header but no rows below it. Add the rows, or choose another file."),
    "old_excel": gettext_noop("This is a file of an old Office program (.xls). Save it as XLSX or CSV."),
    "encrypted": gettext_noop("This workbook is protected with a password. Save it without one."),
    "binary_workbook": gettext_noop("This is a binary workbook (.xlsb). Save it as XLSX or CSV."),
    "open_document": gettext_noop("This is an OpenDocument file (.ods). Save it as XLSX or CSV."),
    "apple_numbers": gettext_noop("This is a file of Apple Numbers. Export it as XLSX or CSV."),
    "word": gettext_noop("This is a Word document. Put the table into a spreadsheet and save it as XLSX or CSV."),
    "zip": gettext_noop("This is a ZIP archive. Unpack it, and choose the CSV or XLSX file in it."),
    "archive": gettext_noop(
        "This is a compressed file or an archive. Unpack it, and choose the CSV or XLSX file in it."
    ),
    "pdf": gettext_noop("This is a PDF. Ask for the table as XLSX or CSV."),
    "picture": gettext_noop("This is a picture. Ask for the table as XLSX or CSV."),
    "program": gettext_noop("This is a program, no table. Choose a CSV or XLSX file."),
    "database": gettext_noop("This is a database file. Export the table as CSV."),
    "web_page": gettext_noop(
        "This is a web page, perhaps one that asks to sign in. Download the file itself, as XLSX or CSV."
    ),
    "xml": gettext_noop("This is an XML file. Save it as XLSX or CSV."),
    "json": gettext_noop("This is a JSON file. Save it as CSV or XLSX."),
    "rich_text": gettext_noop(
        "This is a text document (RTF). Put the table into a spreadsheet and save it as XLSX or CSV."
    ),
    "no_worksheet": gettext_noop("The workbook has no worksheet with cells. Fill one, or choose another file."),
    "broken_workbook": gettext_noop(
        "The workbook is damaged and cannot be read. Open it in a spreadsheet program and save it anew."
    ),
    "too_packed": gettext_noop(
        "The workbook unpacks to far more than is read. Copy the rows that are needed into a new workbook, or save "
        "it as CSV."
    ),
    "unsafe_workbook": gettext_noop(
        "The workbook has a document type declaration in it, which no spreadsheet program writes."
    ),
}
