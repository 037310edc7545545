"""Template tags of this room: {% load sbc %}."""

from django import template

from sbc.tables import state_pill

register = template.Library()

register.filter("state_pill", state_pill)
