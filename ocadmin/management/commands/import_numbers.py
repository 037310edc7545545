"""`manage.py import_numbers FILE`: check a file, say what would happen, and with --yes import it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM
from ocadmin.console import sheets
from ocadmin.numbers import import_files, importing
from ocadmin.numbers.models import ImportState, Mode, NumberImport
from ocadmin.numbers.operations.imports import NotReady, start_import
from ocadmin.numbers.operations.imports.lines import PER_ROW
from ocadmin.numbers.resources import COLUMNS
from ocadmin.tasks.models import TaskState

from ._following import follow


class Command(BaseCommand):
    """Works with a running worker and without one."""

    help = "Check a CSV or XLSX file of numbers and, with --yes, import it. Nothing is changed without --yes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and what its rows may do."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--mode", choices=Mode.values, default=Mode.UPSERT.value, help="default: upsert")
        parser.add_argument("--yes", action="store_true", help="import what can be imported")
        parser.add_argument("--all-or-nothing", action="store_true", help="import only if no row is refused")
        parser.add_argument("--column", action="append", default=[], metavar="HEADER=COLUMN", help="what a header is")
        parser.add_argument("--default", action="append", default=[], metavar="COLUMN=VALUE", help="for all rows")
        parser.add_argument("--rejected", type=Path, metavar="FILE", help="write the refused rows to this file")
        parser.add_argument("--ticket", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, report, import."""
        try:
            batch = importing.keep_path(options["file"], mode=options["mode"])
        except (sheets.Unreadable, OSError) as problem:
            raise CommandError(getattr(problem, "sentence", None) or str(problem)) from None
        self._assign(batch, options)
        check = importing.check(batch, by=SYSTEM, channel=Channel.COMMAND)
        if check is None:
            raise CommandError("The file is being checked already.")
        task = follow(check, self.stdout.write)
        batch.refresh_from_db()
        if batch.state != ImportState.READY:
            raise CommandError(batch.problem or task.message)
        self._report(batch, options)
        if batch.mode == Mode.COMPARE or not options["yes"]:
            return
        try:
            task = start_import(
                batch,
                whole=options["all_or_nothing"],
                by=SYSTEM,
                channel=Channel.COMMAND,
                ticket=options["ticket"],
                comment="",
            )
        except NotReady as problem:
            raise CommandError(str(problem)) from None
        task = follow(task, self.stdout.write)
        if task.state != TaskState.SUCCEEDED:
            raise CommandError(f"Task {task.pk} says what became of each number.")

    def _assign(self, batch: NumberImport, options: dict[str, Any]) -> None:
        """The columns and values of the command line; every header has to have a meaning in the end."""
        headers: list[str] = batch.sheet["headers"]
        for header, column in _pairs("--column", options["column"]):
            if header not in headers:
                raise CommandError(f"The file has no column “{header}”. It has: {', '.join(headers)}.")
            if column not in ("", *COLUMNS):
                raise CommandError(f"There is no column “{column}”. There are: {', '.join(COLUMNS)}.")
            place = headers.index(header)
            other = next(
                (one for one, taken in enumerate(batch.mapping) if taken == column != "" and one != place), None
            )
            if other is not None:
                raise CommandError(f"“{headers[other]}” is {column} already. A column can be named once.")
            batch.mapping[place] = column
        fillable = [name for name in COLUMNS if name not in PER_ROW]
        for column, value in _pairs("--default", options["default"]):
            if column not in fillable:
                raise CommandError(f"“{column}” cannot hold for all rows. What can: {', '.join(fillable)}.")
            batch.defaults[column] = value
        unknown = [header for header, column in zip(headers, batch.mapping, strict=True) if column is None]
        if unknown:
            words = f"The file has columns that nobody knows: {', '.join(unknown)}."
            raise CommandError(f"{words} Say what each is with --column HEADER=COLUMN, or leave it out with HEADER=.")
        if "telephoneNumber" not in batch.mapping:
            raise CommandError("No column holds the numbers. Say which with --column HEADER=telephoneNumber.")
        batch.save()

    def _report(self, batch: NumberImport, options: dict[str, Any]) -> None:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(batch.counts.items()))
        self.stdout.write(f"{batch.file_name}: {counts or 'no rows'}")
        for sentence, count in batch.notes.values():
            self.stdout.write(f"  {count}: {sentence}")
        for column, _code, sentence, count in batch.reasons:
            self.stdout.write(f"  refused {count}: {f'{column}: ' if column else ''}{sentence}")
        if options["rejected"]:
            with options["rejected"].open("w", encoding="utf-8", newline="") as file:
                file.writelines(import_files.rejected(batch))


def _pairs(option: str, given: list[str]) -> list[tuple[str, str]]:
    """NAME=VALUE each."""
    for text in given:
        if "=" not in text:
            raise CommandError(f"{option} “{text}” is not of the form NAME=VALUE.")
    return [(name.strip(), value.strip()) for name, _sign, value in (text.partition("=") for text in given)]
