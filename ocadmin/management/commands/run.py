"""`manage.py run`: the whole console by one command. `make run` prepares the environment and calls it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ocadmin.supervisor.start import run


class Command(BaseCommand):
    """Starts and watches broker, sandbox, worker, beat and web server; see ocadmin/supervisor."""

    help = "Run the whole console: broker, sandbox, worker, clock and web server, until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option, for `make`."""
        parser.add_argument(
            "--end-with-parent", action="store_true", help="end as well when the process that started this one dies"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; the exit code is the run's."""
        sys.exit(run(sys.stdout, with_parent=options["end_with_parent"]))
