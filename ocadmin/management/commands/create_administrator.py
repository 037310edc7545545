"""`manage.py create_administrator`: the first person who can sign in."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.db import transaction

from ocadmin.access.audit import Channel
from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.access.services import grant

USERNAME = "admin"


@dataclass(frozen=True)
class Administrator:
    """Who was made, and the password where it was generated. Both empty: there were people already."""

    username: str = ""
    generated_password: str = ""
    weakness: str = ""


@transaction.atomic
def ensure_administrator() -> Administrator:
    """Make the user `admin`, Admin of the whole system, in a database without people; do nothing in any other.

    The password is OCADMIN_ADMIN_PASSWORD, else a generated one, which is returned and kept nowhere.
    """
    if User.objects.exists():
        return Administrator()
    given = settings.ENV.admin_password
    password = given or secrets.token_urlsafe(15)
    user = User.objects.create_superuser(USERNAME, password=password)
    grant(user, Role.ADMIN, by=SYSTEM, channel=Channel.COMMAND)
    return Administrator(USERNAME, "" if given else password, _weakness(given, user) if given else "")


def _weakness(password: str, user: User) -> str:
    """What the rules for passwords object to; empty for nothing. A person's own choice is followed all the same."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def describe(made: Administrator) -> str:
    """How to sign in, in one line."""
    if made.generated_password:
        return f"{made.username} / {made.generated_password} (generated; shown only now)"
    if made.username:
        note = f" (weak: {made.weakness})" if made.weakness else ""
        return f"{made.username}, with the password from OCADMIN_ADMIN_PASSWORD{note}"
    return f"as before (password forgotten: .venv/bin/python manage.py changepassword {USERNAME})"


class Command(BaseCommand):
    """Makes the administrator of a new installation."""

    help = "Create the user 'admin' in a database without people; password: OCADMIN_ADMIN_PASSWORD or generated."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done."""
        made = ensure_administrator()
        if made.username:
            self.stdout.write(f"created {describe(made)}")
        else:
            self.stdout.write("nothing to do: there are people already")
