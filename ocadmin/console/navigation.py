"""What stands in the sidebar. Screens are named by their URL names; one that does not exist is left out."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import Request

_Entry = tuple[str | Promise, str, str]

# Screens that only people of the whole system may see, and what they need there: SBCs are shared by customers, webhooks
# carry data out of the house.
SYSTEM_ONLY = {"sbc:list": Permission.VIEW, "webhooks:list": Permission.MANAGE_ACCESS}

GROUPS: list[tuple[str | Promise, list[_Entry]]] = [
    ("", [(_("Overview"), "layout-dashboard", "console:dashboard")]),
    (
        _("Inventory"),
        [
            (_("Numbers"), "phone", "numbers:list"),
            (_("Customers"), "building-2", "numbers:customers"),
            (_("Calling profiles"), "route", "numbers:calling-profiles"),
            (_("Emergency addresses"), "map-pin", "numbers:emergency-addresses"),
        ],
    ),
    (_("Routing"), [(_("SBCs"), "server", "sbc:list")]),
    (
        _("Operations"),
        [(_("Approvals"), "clipboard-check", "numbers:approvals"), (_("Tasks"), "list-checks", "tasks:list")],
    ),
    (_("Administration"), [(_("Webhooks"), "webhook", "webhooks:list")]),
]


# URL name to what counts the things that wait for a person there. The rooms above say it when they are ready.
Counter = Callable[[Principal], int]
_counters: dict[str, Counter] = {}
MOST = 99


def count_beside(name: str, counter: Counter) -> None:
    """Show beside a screen's link how much waits there for this person; `counter` need not count beyond MOST + 1."""
    _counters[name] = counter


@dataclass(frozen=True)
class Link:
    """One line of the sidebar. `current` is the value of aria-current: page, true (a page below it), or empty.

    `waiting` is how much waits there, "99+" for more than that, empty for nothing.
    """

    label: str | Promise
    icon: str
    url: str
    current: str
    waiting: str = ""


@dataclass(frozen=True)
class Group:
    """Links under one heading; the heading may be empty."""

    label: str | Promise
    links: list[Link]


def groups(request: Request) -> list[Group]:
    """The sidebar for this request: what this person can open, and Django's admin at its end for staff."""
    principal = request.principal
    shown = [
        Group(label, _links([entry for entry in entries if _may_open(principal, entry[2])], request))
        for label, entries in GROUPS
    ]
    if request.user.is_staff:
        shown[-1].links.extend(_links([(_("Django admin"), "wrench", "admin:index")], request))
    return [group for group in shown if group.links]


def _may_open(principal: Principal, name: str) -> bool:
    if name in SYSTEM_ONLY:
        return principal.can_everywhere(SYSTEM_ONLY[name])
    return name == "console:dashboard" or principal.can(Permission.VIEW)


def _links(entries: list[_Entry], request: Request) -> list[Link]:
    links = []
    for label, icon, name in entries:
        url = url_or_empty(name)
        if url:
            links.append(Link(label, icon, url, _current(url, request.path), _waiting(name, request.principal)))
    return links


def _waiting(name: str, principal: Principal) -> str:
    counter = _counters.get(name)
    count = counter(principal) if counter else 0
    return f"{MOST}+" if count > MOST else str(count or "")


def _current(url: str, path: str) -> str:
    if path == url:
        return "page"
    return "true" if url != "/" and path.startswith(url) else ""


def url_or_empty(name: str, *args: object) -> str:
    """The address of a screen; empty where this installation has none of that name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
