"""Who is asking, and which rows they may see or change.

A principal is a person or a program with a list of grants. Every queryset of a screen or of the API starts with
`visible_to(principal)`, which asks `principal.scope(permission)` and turns the answer into one WHERE clause.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .permissions import ROLE_PERMISSIONS, Permission, Role


@dataclass(frozen=True)
class Scope:
    """The rows a permission reaches: all of them, or those of some channels and customers (ids of their rows)."""

    everything: bool = False
    channels: frozenset[int] = frozenset()
    customers: frozenset[int] = frozenset()

    @property
    def empty(self) -> bool:
        """True when no row is reached."""
        return not (self.everything or self.channels or self.customers)


@dataclass(frozen=True)
class Grant:
    """One role in one place. Both ids None means the whole system."""

    role: str
    channel_id: int | None = None
    customer_id: int | None = None


@dataclass(frozen=True)
class Principal:
    """A person or program. `user_id` is None for the scheduler and for commands.

    `only`: the permissions that a program's token is limited to; None where nothing but the roles limits it.
    `narrowed`: its roles are those inside one channel, for this request: what it did elsewhere is not its business now.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    user_id: int | None = None
    only: frozenset[Permission] | None = None
    narrowed: bool = False

    def scope(self, permission: Permission = Permission.VIEW) -> Scope:
        """The union of the places in which a role grants the permission."""
        if self.only is not None and permission not in self.only:
            return Scope()
        grants = [grant for grant in self.grants if permission in ROLE_PERMISSIONS.get(grant.role, ())]
        if any(grant.channel_id is None and grant.customer_id is None for grant in grants):
            return Scope(everything=True)
        return Scope(
            channels=_ids(grant.channel_id for grant in grants),
            customers=_ids(grant.customer_id for grant in grants),
        )

    def can(self, permission: Permission) -> bool:
        """Whether the permission is granted anywhere at all."""
        return not self.scope(permission).empty

    def can_everywhere(self, permission: Permission) -> bool:
        """Whether the permission is granted for the whole system."""
        return self.scope(permission).everything


def _ids(values: Iterable[int | None]) -> frozenset[int]:
    return frozenset(value for value in values if value is not None)


NOBODY = Principal(name="")
SYSTEM = Principal(name="system", grants=(Grant(Role.ADMIN),))
