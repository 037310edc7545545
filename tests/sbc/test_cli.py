"""The command line's words: what `show` prints is read, what scripts say is what has to change."""

import pytest

from sbc.cli import RULES_PER_SCRIPT, read_plans, scripts
from sbc.dialplan import Difference, Rule, UnreadablePlan

ONE_LINE = """configure voip
 sbc dial-plan OCDialPlan
  dial-plan-rule 0 name oc prefix +44207# tag t1
  dial-plan-rule 7 name "by hand" prefix [1-5]x tag ""
 exit
 sbc dial-plan "Other one"
 exit
exit
"""
SPREAD = """configure voip
 sbc dial-plan OCDialPlan
  dial-plan-rule 0
   name oc
   prefix +44207#
   tag t1
   activate
  exit
  dial-plan-rule 7
   name "by hand"
   prefix [1-5]x
  exit
 exit
 sbc dial-plan "Other one"
 exit
exit
"""


@pytest.mark.parametrize("output", [ONE_LINE, SPREAD])
def test_rules_are_read_by_index(output: str) -> None:
    assert read_plans(output) == {
        "OCDialPlan": {0: Rule("+44207#", "oc", "t1"), 7: Rule("[1-5]x", "by hand", "")},
        "Other one": {},
    }


@pytest.mark.parametrize("lines", [0, 1, 3, 4, 7])
def test_output_that_ends_early_is_refused(lines: int) -> None:
    with pytest.raises(UnreadablePlan):
        read_plans("\n".join(ONE_LINE.splitlines()[:lines]))


@pytest.mark.parametrize(
    "line", ["-- More --", "dial-plan-rule x name a", "dial-plan-rule 1 name", "rule 1 colour red"]
)
def test_a_line_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(UnreadablePlan, match="line 3"):
        read_plans(f"configure voip\nsbc dial-plan OCDialPlan\n{line}\nexit\nexit\n")


def test_removals_come_first_and_new_rules_take_the_lowest_free_indices() -> None:
    present = {index: Rule(f"+{index}", "oc", "t") for index in (0, 1, 3)}
    change = Difference(add=[Rule("+5#", "oc", "t"), Rule("+6#", "oc", "t")], change={3: present[3]}, remove=[0])
    (script,) = scripts("My plan", present, change)
    assert script.splitlines() == [
        *("configure voip", 'sbc dial-plan "My plan"', "no dial-plan-rule 0"),
        *("dial-plan-rule 3", 'prefix "+3"', 'name "oc"', 'tag "t"', "activate", "exit"),
        *("dial-plan-rule 0", 'prefix "+5#"', 'name "oc"', 'tag "t"', "activate", "exit"),
        *("dial-plan-rule 2", 'prefix "+6#"', 'name "oc"', 'tag "t"', "activate", "exit"),
        *("exit", "exit"),
    ]


def test_long_scripts_are_cut() -> None:
    add = [Rule(f"+{number}", "oc", "t") for number in range(RULES_PER_SCRIPT + 1)]
    found = list(scripts("OCDialPlan", {}, Difference(add=add)))
    assert [script.count("\ndial-plan-rule ") for script in found] == [RULES_PER_SCRIPT, 1]


@pytest.mark.parametrize("text", ['oc" tag "x', "oc\nno dial-plan-rule 0"])
def test_no_value_becomes_a_command(text: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a script"):
        list(scripts("OCDialPlan", {}, Difference(add=[Rule("+1", text, "t")])))
