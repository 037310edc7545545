"""Dial plans as values: rules, the CSV file of a device, what has to change, and where a number would go.

Pure functions: nothing here talks to anybody. A plan may have a million rules, so rules are passed on one by one, and a
file is kept as its bytes only. A prefix with and without the trailing # is the same prefix in every comparison
(design.md §5).
"""

from .changes import Difference, difference
from .files import PlanFile, UnreadablePlan, merge, parse, render
from .matching import Malformed, Matcher
from .prefixes import META
from .rules import END, Rule, Rules, are_right, bare, is_right, same_prefix, written

__all__ = [
    "END",
    "META",
    "Difference",
    "Malformed",
    "Matcher",
    "PlanFile",
    "Rule",
    "Rules",
    "UnreadablePlan",
    "are_right",
    "bare",
    "difference",
    "is_right",
    "merge",
    "parse",
    "render",
    "same_prefix",
    "written",
]
