"""`load_numbers FILE|URL`: move in from another platform that speaks the V3 interface."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.microsoft.errors import MicrosoftError
from ocadmin.numbers.operations import move_in


class Command(BaseCommand):
    """Reads everything, checks everything, then writes; a second run changes nothing."""

    help = "Load the numbers of another platform (V3 JSON: a file, or the address of its interface)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """FILE or URL, and how to get in."""
        parser.add_argument("source", metavar="FILE|URL", help="…/numbers.json or https://…/api/v3/oc/numbers")
        parser.add_argument("--token", help="Bearer token for the URL.")
        parser.add_argument("--token-file", type=Path, help="File that holds the bearer token.")
        parser.add_argument("--token-url", help="Token endpoint (OAuth2 client credentials) instead of a token.")
        parser.add_argument("--client-id", default="")
        parser.add_argument("--client-secret", default="")
        parser.add_argument(
            "--client-secret-file", type=Path, help="Better than --client-secret: not in the process list."
        )
        parser.add_argument("--scope", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say in one line what came of it, or in one sentence why nothing did."""
        source: str = options["source"]
        is_url = source.startswith(("http://", "https://"))
        try:
            records = (
                move_in.from_url(source, self._tokens(options), self._say_read)
                if is_url
                else move_in.from_file(Path(source))
            )
            result = move_in.load(records, by=SYSTEM, channel=Channel.COMMAND)
        except (MicrosoftError, move_in.MoveInRefused) as error:
            raise CommandError(str(getattr(error, "message", error))) from None
        text = _("%(created)d numbers created, %(completed)d completed, %(unchanged)d unchanged, %(n)d in conflict.")
        self.stdout.write(text % {**vars(result), "n": len(result.conflicts)})
        for e164 in result.conflicts[:20]:
            self.stderr.write(_("%(e164)s belongs to another customer here and was left as it is.") % {"e164": e164})

    def _tokens(self, options: dict[str, Any]) -> Callable[[], str]:
        """A function that gives the bearer token; with client credentials it is renewed when it ends."""
        if options["token"] or options["token_file"]:
            token = options["token"] or _read(options["token_file"])
            return lambda: token
        if not options["token_url"]:
            raise CommandError(_("An address needs --token, --token-file or --token-url with --client-id."))
        secret = options["client_secret"] or (
            _read(options["client_secret_file"]) if options["client_secret_file"] else ""
        )
        return move_in.renewing_token(options["token_url"], options["client_id"], secret, options["scope"])

    def _say_read(self, read: int, total: int) -> None:
        self.stderr.write(_("read %(read)d of %(total)d") % {"read": read, "total": total})


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise CommandError(
            _("%(path)s cannot be read: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from None
