"""One writer per SBC at a time (upstreams.md §8). The lock is in its row; it ends by itself, or with its process."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.tasks.lease import is_dead, new_owner

from .errors import Busy
from .models import SBC

BUSY_SECONDS = 5.0


class Writer:
    """The holding of one SBC's lock. `renew` before every request that changes something."""

    def __init__(self, sbc: SBC) -> None:
        self.sbc = sbc
        self.owner = new_owner()

    def take(self) -> None:
        """Take the lock: a free one, one that ran out, or that of a process that died. Raises Busy.

        Raises RuntimeError inside a transaction: nobody else would see the lock, and HTTP would hold it open.
        """
        with transaction.atomic(durable=True):
            free = Q(writer="") | Q(writer_until=None) | Q(writer_until__lt=timezone.now())
            if self._set(free):
                return
            holder = SBC.objects.values_list("writer", flat=True).get(pk=self.sbc.pk)
            if not (is_dead(holder) and self._set(Q(writer=holder))):
                raise Busy(self.sbc.name, said=_("somebody else writes to it"), retry_after=BUSY_SECONDS)

    def renew(self) -> None:
        """Hold on to it. Raises Busy where it ran out and somebody else took it: then nothing may be written."""
        if not self._set(Q(writer=self.owner)):
            raise Busy(self.sbc.name, said=_("somebody else has begun to write to it"), retry_after=BUSY_SECONDS)

    def release(self) -> None:
        """Give it back, if it is still ours."""
        SBC.objects.filter(pk=self.sbc.pk, writer=self.owner).update(writer="", writer_until=None)

    def _set(self, condition: Q) -> bool:
        # Longer than the slowest request with all its limits, so that nobody else begins during one.
        until = timezone.now() + timedelta(seconds=60 + 4 * settings.ENV.http_timeout)
        return bool(SBC.objects.filter(condition, pk=self.sbc.pk).update(writer=self.owner, writer_until=until))


@contextmanager
def only_writer(sbc: SBC) -> Iterator[Writer]:
    """Hold the SBC's lock for the block. Raises Busy."""
    writer = Writer(sbc)
    writer.take()
    try:
        yield writer
    finally:
        writer.release()
