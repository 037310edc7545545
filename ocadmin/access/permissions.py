"""The one table of roles and what each may do (design: people and programs)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """One role per membership; a person may have different roles in different scopes."""

    ADMIN = "admin", _("Admin")
    OPERATOR = "operator", _("Operator")
    LITE_OPERATOR = "lite", _("Lite Operator")
    MONITOR = "monitor", _("Monitor")


class Permission(models.TextChoices):
    """What can be allowed or refused. Values are stable: they appear in the audit trail and in API scopes."""

    VIEW = "view", _("See numbers")
    EXPORT = "export", _("Export")
    UPLOAD = "upload", _("Upload numbers")
    SYNC = "sync", _("Synchronise")
    UNASSIGN = "unassign", _("Un-assign numbers")
    RELOCATE = "relocate", _("Change emergency locations")
    CAPABILITIES = "capabilities", _("Change capabilities")
    ANNOTATE = "annotate", _("Edit notes and tags")
    RELEASE = "release", _("Release numbers")
    APPROVE_REMOVAL = "approve_removal", _("Approve removals")
    PUSH_SBC = "push_sbc", _("Write to SBCs")
    MANAGE_SBC = "manage_sbc", _("Change SBCs and their logins")
    END_QUARANTINE = "end_quarantine", _("End quarantine early")
    MANAGE_ACCESS = "manage_access", _("Manage access")


_MONITOR = frozenset({Permission.VIEW, Permission.EXPORT})
_LITE = _MONITOR | {Permission.UNASSIGN, Permission.RELOCATE, Permission.CAPABILITIES, Permission.ANNOTATE}
_OPERATOR = _LITE | {Permission.UPLOAD, Permission.SYNC, Permission.RELEASE, Permission.PUSH_SBC}

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.MONITOR: _MONITOR,
    Role.LITE_OPERATOR: _LITE,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: frozenset(Permission),
}
