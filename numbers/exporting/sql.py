"""Values as text, worked out in the database and the same on PostgreSQL and on SQLite.

A million rows do not pass through Python objects: the database hands over the text that the file holds.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from string import Formatter
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, TextField
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

from ocadmin.console import spreadsheet
from ocadmin.console.spreadsheet import SIGNS

WORDS_FUNCTION, PRINTABLE_FUNCTION = "export_words", "export_printable"  # on SQLite only
# What Python's strip() takes away; beyond the blank no word of a list should hold any of it.
BLANKS = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
_STRANGE_BLANKS = BLANKS.replace(" ", "")


class Sql(Func):
    """A piece of SQL that gives text, `{0}`, `{1}` … standing for expressions, each as often as it takes.

    `text`: for PostgreSQL, and for SQLite too where `sqlite` does not say otherwise. Names are columns.
    """

    def __init__(self, text: str, *expressions: Combinable | str, sqlite: str = "") -> None:
        super().__init__(*expressions, output_field=TextField())
        self.texts = {"postgresql": text, "sqlite": sqlite or text}

    def as_sql(  # type: ignore[override]
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_extra: Any
    ) -> tuple[str, list[Any]]:
        """The text with its expressions, and their parameters in the order in which they stand there."""
        parts = [compiler.compile(expression) for expression in self.get_source_expressions()]
        sql, params = "", list[Any]()
        for literal, place, _spec, _conversion in Formatter().parse(self.texts[connection.vendor]):
            sql += literal.replace("%", "%%")
            if place is not None:
                sql += parts[int(place)][0]
                params += parts[int(place)][1]
        return f"({sql})", params


def define(name: str, arguments: int, function: Callable[..., str | None]) -> None:
    """Give SQLite a function of ours, on this thread's connection; PostgreSQL needs none."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function(name, arguments, function, deterministic=True)


def harmless(value: Combinable | str, first: Combinable | str | None = None) -> Sql:
    """ocadmin.console.spreadsheet.harmless, to the letter.

    `first`: something cheaper that begins with the same sign as `value`, wherever that is one to be looked at.
    """
    signs = ", ".join(str(ord(sign)) for sign in SIGNS)
    number = "(substr({0}, 1, 1) = '+' AND length({0}) BETWEEN 2 AND 16 AND ltrim(substr({0}, 2), '0123456789') = '')"
    guarded = (
        f"CASE WHEN ascii({{1}}) IN (39, {signs}) AND NOT {number}"
        f" AND ascii(ltrim({{0}}, '''')) IN ({signs}) THEN '''' || {{0}} ELSE {{0}} END"
    )
    return Sql(guarded, value, value if first is None else first, sqlite=guarded.replace("ascii", "unicode"))


def written(column: str, *, guarded: bool) -> Sql:
    """What people have written: without control characters, guarded, or as a cell that is a text by its type."""
    define(PRINTABLE_FUNCTION, 1, spreadsheet.printable)
    text = Sql(
        f"CASE WHEN {{0}} ~ '{spreadsheet.CONTROLS}' THEN regexp_replace({{0}}, '{spreadsheet.CONTROLS}', '', 'g')"
        " ELSE {0} END",
        column,
        sqlite=f"{PRINTABLE_FUNCTION}({{0}})",
    )
    return harmless(text) if guarded else Sql("CASE ltrim({0}, '''') WHEN '-' THEN '''' || {0} ELSE {0} END", text)


def nothing_if_empty(value: Combinable | str) -> Sql:
    """NULL for the empty text: a cell without anything, and not a pair of quotes."""
    return Sql("NULLIF({0}, '')", value)


def guid(column: str) -> Sql:
    """A GUID with dashes, in small letters. SQLite keeps its 32 digits."""
    digits = " || '-' || ".join(f"substr({{0}}, {start}, {length})" for start, length in _GUID_PARTS)
    return Sql("{0}::text", column, sqlite=f"lower({digits})")


_GUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def moment(column: str) -> Sql:
    """A time in UTC, ISO 8601 with Z, with as much of a second as there is."""
    return Sql(
        "replace(({0} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'",
        column,
        sqlite="replace(CASE instr({0}, '.') WHEN 0 THEN {0} ELSE rtrim({0}, '0') END, ' ', 'T') || 'Z'",
    )


def truth(column: str) -> Sql:
    """true, false, or nothing."""
    return Sql("CASE {0} WHEN true THEN 'true' WHEN false THEN 'false' END", column)


def digits(column: str) -> Sql:
    """A number."""
    return Sql("CAST({0} AS text)", column)


def word_for(column: str, words: dict[int, str]) -> Sql:
    """The word for a number; the number itself where there is none."""
    cases = " ".join(f"WHEN {value} THEN '{word}'" for value, word in words.items())
    return Sql(f"CASE {{0}} {cases} ELSE CAST({{0}} AS text) END", column)


def first_of(*values: Combinable | str) -> Sql:
    """The first that is not empty."""
    *first, last = (f"{{{place}}}" for place in range(len(values)))
    return Sql(f"COALESCE({', '.join(f'NULLIF({one}, {_EMPTY})' for one in first)}, {last})", *values)


_EMPTY = "''"


def address(path: str) -> Sql:
    """CivicAddress.one_line, to the letter, of the address that the foreign key `path` leads to."""
    street = [_after(" ", part) for part in ("{0}", "({1} || {2})", "{3}", "{4}", "{5}")]
    line = [f"substr({' || '.join(street)}, 2)", "{6}", f"trim({_REGION})", "{9}"]
    return Sql(
        "concat_ws(', ', NULLIF(concat_ws(' ', NULLIF({0}, ''), NULLIF({1} || {2}, ''), NULLIF({3}, ''),"
        f" NULLIF({{4}}, ''), NULLIF({{5}}, '')), ''), NULLIF({{6}}, ''), NULLIF(btrim({_REGION}), ''),"
        " NULLIF({9}, ''))",
        *_parts(path),
        sqlite=f"substr({' || '.join(_after(', ', part) for part in line)}, 3)",
    )


def harmless_address(path: str) -> Sql:
    """An address, guarded: it begins as the first of its parts that is not empty does."""
    parts = ["{0}", "{1}", "{2}", "{3}", "{4}", "{5}", "{6}", f"trim({_REGION})"]
    start = f"COALESCE({', '.join(f'NULLIF({part}, {_EMPTY})' for part in parts)}, {{9}})"
    begin = Sql(start.replace("trim", "btrim"), *_parts(path), sqlite=start)
    return harmless(address(path), begin)


def _parts(path: str) -> list[str]:
    return [f"{path}__{name}" for name in _ADDRESS]


_ADDRESS = (
    "pre_directional",
    "house_number",
    "house_number_suffix",
    "street_name",
    "street_suffix",
    "post_directional",
    "city",
    "state",
    "postal_code",
    "country",
)
_REGION = f"{{7}} || ' ' || {{8}}, '{BLANKS}'"


def _after(separator: str, part: str) -> str:
    """A part with what stands before it; nothing where it is empty. SQLite has no concat_ws before 3.44."""
    return f"CASE WHEN {part} <> '' THEN '{separator}' || {part} ELSE '' END"


# What makes a list of words, as the text of its JSON, unfit for being written with ; between them. In words: a
# separator, an escape; a comma that is none of JSON's; a blank at the edge of a word; an empty word; strange blanks;
# "-", which clears a column at an import; a first word that looks like JSON; anything that is no list of texts.
_UNFIT = "|".join(
    (
        r"[;|\\]",
        r'[^"],',
        r",[^ ]",
        r', [^"]',
        r', ",',
        r'^\[",',
        r'" ',
        r'[^,] "',
        r'""',
        f"[{_STRANGE_BLANKS}]",
        r'"-"',
        r'^\["\[',
        r'^\[[^"\]]',
        r"^[^[]",
    )
)


def words(column: str) -> Sql:
    """A list of words (a JSON column), with ; between them; as JSON where that could not be read back."""
    define(WORDS_FUNCTION, 1, words_text)
    return Sql(
        "CASE WHEN {0} = '[]' THEN '' WHEN {0}::text ~ '" + _UNFIT + "' THEN {0}::text"
        ' ELSE replace("left"("right"({0}::text, -2), -2), \'", "\', \';\') END',
        column,
        sqlite=f"{WORDS_FUNCTION}({{0}})",
    )


def harmless_words(column: str) -> Sql:
    """A list of words, guarded: it begins as its first word does, or with a bracket."""
    return harmless(words(column), Sql("{0} ->> 0", column, sqlite=f"{WORDS_FUNCTION}({{0}})"))


@lru_cache(maxsize=4096)
def words_text(text: str | None) -> str | None:
    """What `words` gives, for SQLite: there JSON is kept with escapes that only Python can take away."""
    if text is None:
        return None
    found = json.loads(text)
    fit = isinstance(found, list) and all(isinstance(word, str) and _fit(word) for word in found)
    if fit and not "".join(found[:1]).startswith("["):
        return ";".join(found)
    return json.dumps(found, ensure_ascii=False)


def _fit(word: str) -> bool:
    """Whether a word can stand in a list with ; between its words."""
    return (
        bool(word)
        and word != "-"
        and word == word.strip()
        and not any(sign in word for sign in ';|,"\\')
        and not any(character in _STRANGE_BLANKS or character < " " for character in word)
    )
