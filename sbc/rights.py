"""Who may see SBCs and do something with them, for screens and programs: they are shared by customers."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal


def demand_sight(by: Principal) -> None:
    """Raise PermissionDenied for who does not see the whole system."""
    if not by.can_everywhere(Permission.VIEW):
        raise PermissionDenied(
            _("SBCs are shared by customers. Only people with a role for the whole system see them.")
        )


def demand(by: Principal, permission: Permission) -> None:
    """Raise PermissionDenied for who has the permission in a part of the system only, or not at all."""
    if not by.can_everywhere(permission):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": permission.label})
