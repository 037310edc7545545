"""`manage.py grant` and `manage.py revoke`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command, load_command_class

from ocadmin.access.models import AuditEntry, Membership, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer
from tests.factories import ChannelFactory

NOWHERE = "6f3b0f6a-0000-4000-8000-000000000000"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(("verb", "sentence"), [("grant", "Give a person a role"), ("revoke", "Take a person's role")])
def test_help(verb: str, sentence: str) -> None:
    assert sentence in load_command_class("ocadmin", verb).create_parser("manage.py", verb).format_help()


def test_a_role_in_the_whole_system(charlie: User) -> None:
    assert run("grant", "charlie", "--role", "operator") == "charlie has the role Operator: whole system.\n"
    membership = charlie.memberships.get()
    assert (membership.role, membership.channel, membership.customer) == (Role.OPERATOR, None, None)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.channel, entry.object_id) == ("access.grant", "command", str(charlie.pk))
    assert run("revoke", "charlie") == "charlie has no role any more: whole system.\n"
    assert not charlie.memberships.exists()
    assert AuditEntry.objects.filter(action="access.revoke", channel="command").count() == 1


def test_a_role_for_a_customer(charlie: User, contoso: Customer) -> None:
    place = ("--customer", str(contoso.tenant_id))
    assert run("grant", "charlie", "--role", "lite", *place) == "charlie has the role Lite Operator: Contoso.\n"
    assert charlie.memberships.get().customer == contoso
    with pytest.raises(CommandError, match="charlie has no role there: whole system"):
        run("revoke", "charlie")
    run("revoke", "charlie", *place)
    assert not charlie.memberships.exists()


def test_a_role_in_a_channel(charlie: User) -> None:
    channel = ChannelFactory(name="Reseller", ovoc_channel_id=1574)
    run("grant", "charlie", "--role", "monitor", "--channel", "1574")
    assert charlie.memberships.get().channel == channel
    run("grant", "charlie", "--role", "ADMIN", "--channel", "1574")
    assert charlie.memberships.get().role == Role.ADMIN
    run("revoke", "charlie", "--channel", "1574")
    assert not charlie.memberships.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("grant", "dave", "--role", "admin"), "There is nobody called dave."),
        (("revoke", "dave"), "There is nobody called dave."),
        (
            ("grant", "charlie", "--role", "king"),
            "There is no role called king: use one of admin, operator, lite, monitor.",
        ),
        (
            ("grant", "charlie", "--role", "admin", "--customer", NOWHERE),
            f"There is no customer with the tenant ID {NOWHERE}.",
        ),
        (
            ("grant", "charlie", "--role", "admin", "--customer", "Contoso"),
            "Contoso is not a tenant ID: write it as a GUID.",
        ),
        (
            ("grant", "charlie", "--role", "admin", "--channel", "77"),
            "There is no channel with the ovocChannelId 77. No channel here has one.",
        ),
        (
            ("revoke", "charlie", "--channel", "x"),
            "There is no channel with the ovocChannelId x. No channel here has one.",
        ),
        (("revoke", "charlie"), "charlie has no role there: whole system."),
    ],
)
def test_what_is_refused_in_one_sentence(charlie: User, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert str(caught.value) == sentence
    assert not Membership.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_channel_is_named_as_the_interface_shows_it(charlie: User) -> None:
    """Never by the id of its row, which nobody is shown."""
    row = ChannelFactory(pk=1580, name="Reseller", ovoc_channel_id=1574)
    ChannelFactory(name="By hand", ovoc_channel_id=None)
    with pytest.raises(CommandError) as caught:
        run("grant", "charlie", "--role", "monitor", "--channel", str(row.pk))
    sentence = "There is no channel with the ovocChannelId 1580. There are: 1574 (Reseller)."
    assert str(caught.value) == sentence


def test_one_place_at_a_time(charlie: User) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        run("grant", "charlie", "--role", "admin", "--channel", "1", "--customer", NOWHERE)
