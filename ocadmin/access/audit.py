"""Writing the audit trail: in the same transaction as the change, one row per object, many rows at once."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .principal import Principal

if TYPE_CHECKING:
    from .models import AuditEntry


class Channel(models.TextChoices):
    """Through what a piece of work came in."""

    WEB = "web", _("Web")
    API = "api", _("API")
    CSV = "csv", _("CSV import")
    SCHEDULE = "schedule", _("Schedule")
    COMMAND = "command", _("Command line")
    ADMIN = "admin", _("Django admin")


_titles: dict[str, Any] = {
    "access.grant": _("Role given"),
    "access.revoke": _("Role taken away"),
    "user.password": _("Password changed"),
    "api_client.add": _("API client made"),
    "api_client.change": _("API client changed"),
    "api_client.delete": _("API client deleted"),
    "api_client.secret": _("API client: new secret"),
}


def name_actions(titles: dict[str, Any]) -> None:
    """Tell how actions are called on the screens: code to (lazy) text. Every room names its own."""
    _titles.update(titles)


def title_of(action: str) -> str:
    """What an action is called; the code itself where nobody has named it."""
    return str(_titles.get(action, action))


def entry(action: str, *, by: Principal, channel: str, **fields: Any) -> "AuditEntry":
    """An unsaved AuditEntry. `fields` are the columns of the model; before/after are JSON objects."""
    from .models import AuditEntry

    return AuditEntry(action=action, actor_id=by.user_id, actor_name=by.name, channel=channel, **fields)


def record(action: str, *, by: Principal, channel: str, **fields: Any) -> None:
    """Write one entry."""
    entry(action, by=by, channel=channel, **fields).save()
