"""`field__among=…`: the same as `__in`, as one parameter however many elements there are.

A thousand parameters cost Django and psycopg more time than the database needs to answer; here they travel as one
text, an array on PostgreSQL and JSON on SQLite. Give many as a set: Django walks through a list, in search of
expressions.
"""

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, IntegerField, Lookup
from django.db.models.sql.compiler import SQLCompiler


class Among(Lookup):
    """For whole numbers and texts."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """SQLite: a list as JSON."""
        column, values = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", (*values, json.dumps(list(self.rhs)))  # noqa: S608

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """PostgreSQL: a list as an array literal."""
        column, values = self.process_lhs(compiler, connection)
        if isinstance(self.lhs.output_field, IntegerField):
            kind, elements = "bigint[]", [str(number) for number in self.rhs]
        else:
            kind = "text[]"
            elements = ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in self.rhs]
        return f"{column} = ANY(%s::{kind})", (*values, "{" + ",".join(elements) + "}")


def register() -> None:
    """Make it known to every field."""
    Field.register_lookup(Among)
