"""`manage.py load_demo`: the sandbox's operator as a new installation would take it over."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils.translation import gettext as _

from ocadmin.access.audit import Channel, record
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer
from ocadmin.numbers.operations import drift, sync
from ocadmin.supervisor.probe import get_json
from ocadmin.tasks.services import AlreadyRunning
from sbc.models import SBC
from sbc.secrets import seal

# The tenant of the ten numbers with which the interface's documentation shows its answers.
EXAMPLE_TENANT = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
WITH_HASH = {12}  # the sandbox's devices differ in how their rules are written


class Command(BaseCommand):
    """SBCs from the sandbox's state, numbers from the platform it stands in for, then the first synchronisation.

    The customer of the documented example is put on hold before that one, so that its numbers stay as they moved in.
    """

    help = "Fill an empty database from the sandbox: SBCs, numbers of the former platform, first synchronisation."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do these steps. Raises CommandError where there is no sandbox or it does not answer."""
        url = settings.ENV.sandbox_url
        if not url:
            raise CommandError("OCADMIN_SANDBOX_URL is not set: the demonstration data come from a sandbox.")
        status, state = get_json(f"{url}/_sim/state", timeout=30)
        if status != 200 or not isinstance(state, dict):
            raise CommandError(f"the sandbox at {url} does not tell its state (it has to run with --control).")
        load_sbcs(url, state["sbcs"])
        call_command(
            "load_numbers",
            f"{url}/platform/api/v3/oc/numbers",
            "--token-url",
            f"{url}/login/{state['directoryTenantId']}/oauth2/v2.0/token",
            "--client-id",
            settings.ENV.client_id,
            "--client-secret",
            settings.ENV.client_secret,
            "--scope",
            "platform/.default",
            stdout=self.stdout,
        )
        for customer in Customer.objects.filter(tenant_id=EXAMPLE_TENANT):
            reason = _("Kept as the documented example of the interface shows it.")
            sync.hold(customer, reason=reason, by=SYSTEM, channel=Channel.COMMAND)
        try:
            task = sync.start(by=SYSTEM, channel=Channel.COMMAND)
        except AlreadyRunning as running:
            task = running.task
        self.stdout.write(f"first synchronisation: task {task.pk}")
        try:
            task = drift.start(by=SYSTEM, channel=Channel.COMMAND)  # waits for the synchronisation
        except AlreadyRunning as running:
            task = running.task
        self.stdout.write(f"first drift report: task {task.pk}")


@transaction.atomic
def load_sbcs(url: str, devices: list[dict[str, Any]]) -> None:
    """Make or update one SBC row per device of the sandbox, under the device's own id, with the sandbox's login."""
    for device in devices:
        row, created = SBC.objects.update_or_create(
            pk=device["id"],
            defaults={
                "name": device["name"],
                "fqdn": device["fqdn"],
                "ip_address": device["ipAddress"],
                "rest_url": f"{url}/sbc/{device['slug']}",
                "prefix_hash": device["id"] in WITH_HASH,
                "username": settings.ENV.client_id,
                "sealed_password": seal(settings.ENV.client_secret),
            },
        )
        record(
            "sbc.create" if created else "sbc.change",
            by=SYSTEM,
            channel=Channel.COMMAND,
            object_type="sbc",
            object_id=str(row.pk),
            label=row.name,
            after={"fqdn": row.fqdn, "rest_url": row.rest_url},
        )
    # Rows with ids of their own leave PostgreSQL's counter behind.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [SBC]):
            cursor.execute(statement)
