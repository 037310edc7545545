"""INSERT … SELECT in the ORM's words: rows made from rows, none of which passes through Python; and its statistics."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BooleanField,
    DateTimeField,
    Field,
    ForeignKey,
    Func,
    JSONField,
    Model,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.expressions import BaseExpression, Combinable, F
from django.db.models.functions import JSONObject


def insert(
    model: type[Model], rows: QuerySet[Any], /, *, ignore_conflicts: bool = False, order: str = "", **columns: Any
) -> int:
    """One new row of `model` for each of `rows`. Returns how many were inserted.

    `columns`: column name (attname) to an expression over `rows`, or to a plain value. All columns without a default
    in the database have to be named. With `ignore_conflicts` rows that break a unique rule are left out; where two may
    insert the same at once, `order` (a column of `rows`) has to be the same for both: each waits for the rows of the
    other, and in different orders for ever.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    expressions = {f"new_{name}": _expression(fields[name], given) for name, given in columns.items()}
    selected = rows.order_by(*filter(None, [order])).annotate(**expressions).values_list(*expressions)
    try:
        sql, values = selected.query.sql_with_params()
    except EmptyResultSet:  # rows that cannot be, such as pk__in=[]
        return 0
    names = ", ".join(str(fields[name].column) for name in columns)
    rest = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) {sql}{rest}", values)
        return int(cursor.rowcount)


def _expression(field: Field, given: Any) -> BaseExpression:
    if hasattr(given, "resolve_expression"):
        return given
    kind = field.target_field if isinstance(field, ForeignKey) else field
    return Value(given, output_field=kind.__class__() if kind.primary_key else kind)


def refresh_statistics(model: type[Model], *columns: str) -> None:
    """Let PostgreSQL look anew at a table that was just filled, before a join by these columns; once a pass.

    What it knows may be from a moment when the table was empty. Then it takes a million rows for one, and reads all of
    them for each of the other table. By itself it looks a minute later, and a query that has begun keeps its plan.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {model._meta.db_table} ({', '.join(columns)})")


def as_json(model: type[Model], *names: str) -> Func:
    """A row of `model` as a JSON object: column name to value, times in ISO 8601 with zone, GUIDs with dashes.

    Only the columns `names` where any are named. In a query without joins.
    """
    if connection.vendor == "postgresql" and not names:
        return Func(template=f"to_jsonb({model._meta.db_table}.*)", output_field=JSONField())
    fields = [field for field in model._meta.concrete_fields if not names or field.attname in names]
    return JSONObject(**{field.attname: _json_value(field) for field in fields})


def _json_value(field: Field) -> Combinable:
    """SQLite keeps times, GUIDs, truths and JSON as plain text and numbers; PostgreSQL knows what they are."""
    column = F(field.attname)
    if connection.vendor != "sqlite":
        return column
    kind = field.target_field if isinstance(field, ForeignKey) else field
    templates = {
        JSONField: "json(%(expressions)s)",
        BooleanField: "json(CASE %(expressions)s WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)",
        DateTimeField: "replace(%(expressions)s, ' ', 'T') || '+00:00'",
        UUIDField: "lower(printf('%%%%s-%%%%s-%%%%s-%%%%s-%%%%s', "
        + ", ".join(f"substr(%(expressions)s, {start}, {length})" for start, length in _GUID_PARTS)
        + "))",
    }
    template = next((text for known, text in templates.items() if isinstance(kind, known)), None)
    if template is None:
        return column
    if isinstance(kind, UUIDField):
        template = f"CASE WHEN %(expressions)s IS NULL THEN NULL ELSE {template} END"
    return Func(column, template=template, output_field=JSONField())


_GUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
