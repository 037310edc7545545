"""Template tags of tasks: {% load tasks %}."""

from django import template

from ocadmin.tasks.tables import state_pill

register = template.Library()

register.filter("state_pill", state_pill)
