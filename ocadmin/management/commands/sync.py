"""`sync`: synchronise with Microsoft from the command line."""

import argparse
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer
from ocadmin.numbers.operations import sync
from ocadmin.tasks.models import TaskState
from ocadmin.tasks.services import AlreadyRunning

from ._following import follow


class Command(BaseCommand):
    """Starts the task and goes through it here; a worker may take slices of it as well, whoever is first."""

    help = "Synchronise with Microsoft and say what was found. Exit code 1 when the task failed or was cancelled."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Everything, or one customer."""
        parser.add_argument("--customer", metavar="TENANT", help="Only the customer with this tenant ID.")
        parser.add_argument("--no-wait", action="store_true", help="Start the task and leave it to the workers.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the steps as they come and the result at the end."""
        customers = [self._customer(options["customer"])] if options["customer"] else None
        try:
            task = sync.start(by=SYSTEM, channel=Channel.COMMAND, customers=customers)
        except (AlreadyRunning, sync.OnHold) as why:
            raise CommandError(str(why)) from None
        self.stdout.write(_("Task %(id)d started.") % {"id": task.pk})
        if not options["no_wait"]:
            follow(task, self.stdout.write)
            if task.state not in (TaskState.SUCCEEDED, TaskState.PARTIAL):
                raise CommandError(f"{task.get_state_display()}: {task.message}")

    def _customer(self, tenant: str) -> Customer:
        try:
            return Customer.objects.get(tenant_id=uuid.UUID(tenant))
        except (ValueError, Customer.DoesNotExist):
            raise CommandError(_("There is no customer with the tenant ID %(id)s.") % {"id": tenant}) from None
