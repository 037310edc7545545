"""An uploaded file on its way to the preview: kept, recognised, its columns assigned, checked; forgotten in time."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import User
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.console import private_files, sheets
from ocadmin.tasks.models import Task

from . import e164
from .models import ImportRow, ImportState, Mode, NumberImport
from .models.number_import import FOLDER
from .operations.imports import start_check, within
from .operations.imports.shapes import SHAPES, Shape, guess, recognise

REMEMBERED = "import_columns"  # in a person's preferences: plain header to column
_MOST_REMEMBERED = 500


def keep(file: UploadedFile, *, mode: str, user: User) -> NumberImport:
    """Store an uploaded file and find out what it is. Raises sheets.Unreadable; then nothing is kept."""
    batch = NumberImport(user=user, file_name=(file.name or "")[-200:], size=file.size or 0, mode=mode)
    with batch.path.open("wb") as kept:
        for chunk in file.chunks():
            kept.write(chunk)
    return _recognised(batch, user.preferences.get(REMEMBERED, {}))


def keep_path(path: Path, *, mode: str) -> NumberImport:
    """The same for a file on this machine, for the command line. Raises sheets.Unreadable, OSError."""
    limits = sheets.Limits.of_settings()
    batch = NumberImport(file_name=path.name[-200:], size=path.stat().st_size, mode=mode)
    with path.open("rb") as source, batch.path.open("wb") as kept:
        while chunk := source.read(1 << 20):
            kept.write(chunk)
            if kept.tell() > limits.bytes:
                break
    return _recognised(batch, {})


def _recognised(batch: NumberImport, remembered: Mapping[str, str]) -> NumberImport:
    try:
        sheet = sheets.open_sheet(batch.path, batch.file_name, sheets.Limits.of_settings())
        _refuse_headless(sheet)
    except BaseException:
        batch.path.unlink(missing_ok=True)
        raise
    shape = recognise(sheet.headers)
    batch.sheet, batch.shape = sheet.as_dict(), shape.code if shape else ""
    batch.mapping = guess(sheet.headers, shape, remembered)
    if shape is not None and shape.compares:
        batch.mode = Mode.COMPARE
    batch.save(force_insert=True)
    return batch


def _refuse_headless(sheet: sheets.Sheet) -> None:
    """A list without a header would lose its first number. Raises sheets.Unreadable."""
    number = next((header for header in sheet.headers if e164.attempt(header)), None)
    if number is not None:
        sentence = _(
            "The first line has a number in it (%(number)s), so the header seems to be missing. Write one above it, "
            "such as telephoneNumber."
        )
        raise sheets.Unreadable("no_header", sentence % {"number": number[:30]})


def visible(batch: NumberImport, principal: Principal) -> bool:
    """Whether a person may (still) see every customer that was found in the file."""
    places = batch.rows.exclude(customer_ref=None).order_by().values_list("customer_ref", "channel_ref").distinct()
    return within(places, principal.scope(Permission.VIEW))


def those_visible(batches: Sequence[NumberImport], principal: Principal) -> list[NumberImport]:
    """Those of them of which the same is true. One query for all."""
    scope = principal.scope(Permission.VIEW)
    rows = ImportRow.objects.filter(batch__in=[batch.pk for batch in batches]).exclude(customer_ref=None).order_by()
    places: dict[uuid.UUID, list[tuple[int | None, int | None]]] = {batch.pk: [] for batch in batches}
    if not scope.everything:
        for pk, customer, channel in rows.values_list("batch_id", "customer_ref", "channel_ref").distinct():
            places[pk].append((customer, channel))
    return [batch for batch in batches if within(places[batch.pk], scope)]


def shape_of(batch: NumberImport) -> Shape | None:
    """What the file was recognised as."""
    return SHAPES.get(batch.shape)


def needs_nobody(batch: NumberImport) -> bool:
    """Whether all columns are clear, and whose new numbers would be: then there is nothing to ask."""
    mapping: Sequence[str | None] = batch.mapping
    if None in mapping or "telephoneNumber" not in mapping:
        return False
    return batch.mode in (Mode.UPDATE, Mode.COMPARE) or bool({"msTenantId", "customer"} & set(mapping))


def idle(batch: NumberImport) -> bool:
    """Whether neither a check nor an import of it is under way."""
    task = {ImportState.CHECKING: batch.check_ref, ImportState.SUBMITTED: batch.task_ref}.get(ImportState(batch.state))
    return not Task.objects.alive().filter(pk=task or 0).exists()


def check(batch: NumberImport, *, by: Principal, channel: str) -> Task | None:
    """Start the check with what the import says now; None where a check or an import of it is under way."""
    with transaction.atomic():
        fresh = NumberImport.objects.select_for_update().filter(pk=batch.pk).first()
        return start_check(batch, by=by, channel=channel) if fresh is not None and idle(fresh) else None


def remember(user: User, columns: Mapping[str, str]) -> None:
    """Propose these columns for these headers the next time this person brings them."""
    with transaction.atomic():
        fresh = User.objects.select_for_update().get(pk=user.pk)
        kept = {**fresh.preferences.get(REMEMBERED, {}), **columns}
        fresh.preferences[REMEMBERED] = dict(list(kept.items())[-_MOST_REMEMBERED:])
        fresh.save(update_fields=["preferences"])


def forget(batch: NumberImport) -> None:
    """Delete the file, its rows and what was found out about it. What was imported stays, with its history."""
    batch.path.unlink(missing_ok=True)
    batch.rows.all()._raw_delete(batch.rows.db)
    batch.delete()


def forget_old() -> int:
    """Forget all that is older than files are kept; returns how many imports that were. Living checks are spared."""
    limit = timezone.now() - timedelta(hours=settings.ENV.keep_files_hours)
    alive = list(Task.objects.alive().filter(kind__startswith="import").values_list("pk", flat=True))
    old = NumberImport.objects.filter(created_at__lt=limit).exclude(Q(check_ref__in=alive) | Q(task_ref__in=alive))
    batches = list(old)
    for batch in batches:
        forget(batch)
    private_files.forget(FOLDER, settings.ENV.keep_files_hours + 24)
    return len(batches)


def until(batch: NumberImport) -> datetime:
    """When it is forgotten."""
    return batch.created_at + timedelta(hours=settings.ENV.keep_files_hours)
