"""The index for fragments of a number, on an expression: PostgreSQL takes a plain one for equality as well.

It does so where it expects many rows of a long list, and then looks for each number by its trigrams: seconds instead of
milliseconds. `icontains` asks for the capitals of a number, which are the number itself.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_TABLES = {"number_trigram": "numbers_phonenumber", "released_trigram": "numbers_releasednumber"}


def on_expression(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Only search uses it."""
    _create(editor, "upper(e164)")


def on_column(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """As it was."""
    _create(editor, "e164")


def _create(editor: BaseDatabaseSchemaEditor, what: str) -> None:
    if editor.connection.vendor != "postgresql":
        return
    for name, table in _TABLES.items():
        editor.execute(f"DROP INDEX IF EXISTS {name}")
        editor.execute(f"CREATE INDEX {name} ON {table} USING gin ({what} gin_trgm_ops)")


class Migration(migrations.Migration):
    """Search indexes."""

    dependencies = [("numbers", "0005_imports")]

    operations = [migrations.RunPython(on_expression, on_column)]
