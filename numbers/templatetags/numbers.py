"""Template tags for numbers: {% load numbers %}."""

from django import template

from .. import tables

register = template.Library()
register.filter("status_pill", tables.status_pill)
register.filter("assignment", tables.assignment_text)
register.filter("validation_pill", tables.validation_pill)
