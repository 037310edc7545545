"""The table of roles, and how grants turn into scopes."""

import pytest
from django.contrib.auth.models import AnonymousUser

from ocadmin.access.models import User
from ocadmin.access.permissions import ROLE_PERMISSIONS, Permission, Role
from ocadmin.access.principal import NOBODY, SYSTEM, Grant, Principal, Scope
from ocadmin.access.services import principal_of
from tests.factories import ChannelFactory, CustomerFactory, UserFactory, grant

# One letter per role that has the permission: Admin, Operator, Lite Operator, Monitor.
TABLE = {
    Permission.VIEW: "AOLM",
    Permission.EXPORT: "AOLM",
    Permission.UNASSIGN: "AOL",
    Permission.RELOCATE: "AOL",
    Permission.CAPABILITIES: "AOL",
    Permission.ANNOTATE: "AOL",
    Permission.UPLOAD: "AO",
    Permission.SYNC: "AO",
    Permission.RELEASE: "AO",
    Permission.PUSH_SBC: "AO",
    Permission.MANAGE_SBC: "A",
    Permission.APPROVE_REMOVAL: "A",
    Permission.END_QUARANTINE: "A",
    Permission.MANAGE_ACCESS: "A",
}
LETTERS = {Role.ADMIN: "A", Role.OPERATOR: "O", Role.LITE_OPERATOR: "L", Role.MONITOR: "M"}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_each_role_has_what_the_table_says(role: Role, permission: Permission) -> None:
    assert (permission in ROLE_PERMISSIONS[role]) == (LETTERS[role] in TABLE[permission])


def test_an_unknown_role_allows_nothing() -> None:
    stranger = Principal("x", (Grant("king"),))
    assert not any(stranger.can(permission) for permission in Permission)


def test_a_scope_is_the_union_of_the_places_that_grant_it() -> None:
    person = Principal(
        "x",
        (
            Grant(Role.MONITOR, channel_id=1),
            Grant(Role.OPERATOR, customer_id=2),
            Grant(Role.LITE_OPERATOR, customer_id=3),
        ),
    )
    assert person.scope() == Scope(channels=frozenset({1}), customers=frozenset({2, 3}))
    assert person.scope(Permission.UPLOAD) == Scope(customers=frozenset({2}))
    assert person.scope(Permission.APPROVE_REMOVAL).empty
    assert person.can(Permission.UPLOAD)
    assert not person.can_everywhere(Permission.UPLOAD)


def test_a_role_for_the_whole_system_beats_places() -> None:
    person = Principal("x", (Grant(Role.MONITOR), Grant(Role.OPERATOR, customer_id=2)))
    assert person.scope() == Scope(everything=True)
    assert person.scope(Permission.UPLOAD) == Scope(customers=frozenset({2}))


def test_nobody_and_the_system() -> None:
    assert not any(NOBODY.can(permission) for permission in Permission)
    assert all(SYSTEM.can_everywhere(permission) for permission in Permission)


def test_a_visitor_is_nobody() -> None:
    assert principal_of(AnonymousUser()) is NOBODY


@pytest.mark.django_db
def test_a_superuser_is_admin_of_everything() -> None:
    person = principal_of(UserFactory(is_superuser=True))
    assert all(person.can_everywhere(permission) for permission in Permission)


def test_a_person_who_may_no_longer_sign_in_is_nobody(alice: User) -> None:
    alice.is_active = False
    assert principal_of(alice) is NOBODY


@pytest.mark.django_db
def test_grants_are_read_from_memberships() -> None:
    channel, customer = ChannelFactory(), CustomerFactory()
    person = UserFactory(first_name="Dana", last_name="Scully")
    grant(person, Role.MONITOR, channel=channel)
    grant(person, Role.OPERATOR, customer=customer)
    principal = principal_of(person)
    assert (principal.name, principal.user_id) == ("Dana Scully", person.pk)
    assert set(principal.grants) == {
        Grant(Role.MONITOR, channel_id=channel.pk),
        Grant(Role.OPERATOR, customer_id=customer.pk),
    }
