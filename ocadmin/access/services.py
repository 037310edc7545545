"""What is done with access: reading a person's grants, giving and taking roles."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from .audit import Channel, record
from .models import Membership, User
from .permissions import Role
from .principal import NOBODY, Grant, Principal


def principal_of(user: User | AnonymousUser) -> Principal:
    """The principal of a signed-in person; NOBODY for a visitor. A superuser is Admin of the whole system."""
    if not user.is_authenticated or not user.is_active:
        return NOBODY
    if user.is_superuser:
        grants: tuple[Grant, ...] = (Grant(Role.ADMIN),)
    else:
        rows = Membership.objects.filter(user_id=user.pk).values_list("role", "channel_id", "customer_id")
        grants = tuple(Grant(*row) for row in rows)
    return Principal(name=user.get_full_name() or user.get_username(), grants=grants, user_id=user.pk)


@transaction.atomic
def grant(user: User, role: str, *, by: Principal, channel: Channel, place: dict[str, Any] | None = None) -> Membership:
    """Give `user` the role in a place; it replaces the one they have there.

    `place`: None for the whole system, {"channel": row} or {"customer": row}.
    Returns the membership. Raises ValueError for an unknown role.
    """
    if role not in Role.values:
        raise ValueError(f"there is no role called {role!r}: use one of {', '.join(Role.values)}")
    place = {"channel": None, "customer": None} | (place or {})
    membership = Membership.objects.filter(user=user, **place).first()
    before = {"role": membership.role} if membership else {}
    if membership is None:
        membership = Membership(user=user, **place)
    membership.role = role
    membership.save()
    if before.get("role") != role:
        record(
            "access.grant",
            by=by,
            channel=channel,
            object_type="user",
            object_id=str(user.pk),
            label=str(membership),
            before=before,
            after={"role": role},
            **_place(membership),
        )
    return membership


@transaction.atomic
def revoke(membership: Membership, *, by: Principal, channel: Channel) -> None:
    """Take a role away."""
    record(
        "access.revoke",
        by=by,
        channel=channel,
        object_type="user",
        object_id=str(membership.user_id),
        label=str(membership),
        before={"role": membership.role},
        after={},
        **_place(membership),
    )
    membership.delete()


def _place(membership: Membership) -> dict[str, int | None]:
    """Customer and channel of the entry, so that the people of that place see it."""
    customer = membership.customer
    return {
        "customer_ref": membership.customer_id,
        "channel_ref": customer.channel_id if customer is not None else membership.channel_id,
    }
