"""Template tags of the console: {% load console %}. The pieces themselves are in console/html.py."""

from typing import Any

from django import template
from django.template.context import Context

from ocadmin.console import cells, html, navigation

register = template.Library()

register.filter("phone", html.reading_form)
register.filter("moment", html.moment)
register.filter("short_id", html.short_id)
register.simple_tag(html.copy_button, name="copy")
register.simple_tag(html.number, name="number")
register.simple_tag(html.pill, name="pill")
register.simple_tag(html.none, name="none")
register.simple_tag(cells.table_rows, name="table_rows")
register.simple_tag(navigation.url_or_empty, name="url_or_empty")


@register.simple_tag
def percent_in_tens(percent: int) -> int:
    """Progress in steps of ten: often enough for somebody who listens to the page."""
    return percent // 10 * 10


@register.simple_tag(takes_context=True, name="navigation")
def navigation_groups(context: Context) -> list[navigation.Group]:
    """The sidebar's groups; none on pages without a request (an error page)."""
    request = context.get("request")
    return navigation.groups(request) if request is not None and hasattr(request, "user") else []


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """The page's own query string with changes: {% query sort="-name" page=None %}. None takes a parameter out."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            parameters.pop(name, None)
        else:
            parameters[name] = value
    return "?" + parameters.urlencode(safe=",")


@register.simple_tag(takes_context=True)
def query_without(context: Context, names: list[str]) -> str:
    """The page's own query string without some parameters, and without the page number."""
    parameters = context["request"].GET.copy()
    for name in (*names, "page"):
        parameters.pop(name, None)
    return "?" + parameters.urlencode(safe=",")
