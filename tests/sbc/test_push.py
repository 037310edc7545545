"""Bringing a device in step: what is written, what is left alone, what our rows say afterwards."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from sbc import services
from sbc.dialplan import Rule
from sbc.errors import Rejected
from sbc.models import DialPlanRule
from sbc.services import Pushed

from .bench import MINE, PREFIXES, Bench


def test_wanted_rules_are_written_and_saved(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    assert bench.known() == dict.fromkeys(PREFIXES, (True, None))
    assert services.push(bench.sbc, PREFIXES) == Pushed(added=3)
    assert bench.rules() == bench.rules("saved") == MINE
    assert bench.known() == dict.fromkeys(PREFIXES, (True, True))
    bench.sbc.refresh_from_db()
    assert (bench.sbc.online, bench.sbc.problem, bench.sbc.save_pending, bench.sbc.writer) == (True, "", False, "")
    assert bench.sbc.online_checked_at is not None


def test_a_second_run_only_looks(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    services.push(bench.sbc, PREFIXES)
    before = len(bench.asked())
    assert services.push(bench.sbc, PREFIXES) == Pushed(unchanged=3)
    assert len(bench.asked()) == before + 2


def test_new_rules_are_written_in_the_form_of_the_setting(bench: Bench) -> None:
    bench.sbc.prefix_hash = True
    services.want(bench.sbc, MINE[:1])
    services.push(bench.sbc, PREFIXES)
    assert [rule.prefix for rule in bench.rules()] == [f"{PREFIXES[0]}#"]


def test_a_rule_that_differs_in_the_hash_only_is_left(bench: Bench) -> None:
    bench.by_hand(f"dial-plan-rule 5 name {MINE[0].name} prefix {PREFIXES[0]}# tag {MINE[0].tag}")
    services.want(bench.sbc, MINE[:1])
    assert services.push(bench.sbc, PREFIXES) == Pushed(unchanged=3)
    assert bench.rules() == [MINE[0]._replace(prefix=f"{PREFIXES[0]}#")]


def test_a_wrong_tag_and_a_wrong_name_are_corrected(bench: Bench) -> None:
    bench.by_hand(
        f"dial-plan-rule 5 name {MINE[0].name} prefix {PREFIXES[0]}# tag wrong",
        f"dial-plan-rule 6 name wrong prefix {PREFIXES[1]} tag {MINE[1].tag}",
    )
    services.want(bench.sbc, MINE)
    assert services.push(bench.sbc, PREFIXES) == Pushed(added=1, changed=2)
    assert bench.rules("saved") == [MINE[0]._replace(prefix=f"{PREFIXES[0]}#"), *MINE[1:]]


def test_rules_go_that_are_not_wanted_any_more_and_so_do_our_rows(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    services.push(bench.sbc, PREFIXES)
    services.unwant(bench.sbc, PREFIXES[:2])
    assert services.push(bench.sbc, PREFIXES) == Pushed(removed=2, unchanged=1)
    assert bench.rules("saved") == MINE[2:]
    assert bench.known() == {PREFIXES[2]: (True, True)}


def test_a_rule_that_we_never_knew_goes_when_it_is_unwanted_and_only_then(bench: Bench) -> None:
    bench.by_hand(f"dial-plan-rule 5 name x prefix {PREFIXES[0]}# tag y")
    assert services.push(bench.sbc, PREFIXES) == Pushed(unchanged=3)
    assert len(bench.rules()) == 1
    services.unwant(bench.sbc, PREFIXES)
    assert services.push(bench.sbc, PREFIXES) == Pushed(removed=1, unchanged=2)
    assert (bench.rules("saved"), bench.known()) == ([], {})


def test_only_the_given_prefixes_are_touched(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    assert services.push(bench.sbc, PREFIXES[:1]) == Pushed(added=1)
    assert bench.rules() == MINE[:1]
    assert bench.known()[PREFIXES[1]] == (True, None)


def test_what_changes_in_a_wish_has_to_be_looked_at_again(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    services.push(bench.sbc, PREFIXES)
    moved = MINE[0]._replace(tag="trunk2.us.example")
    services.want(bench.sbc, [moved, *MINE[1:]])
    assert bench.known() == {PREFIXES[0]: (True, None), PREFIXES[1]: (True, True), PREFIXES[2]: (True, True)}
    assert services.push(bench.sbc, PREFIXES) == Pushed(changed=1, unchanged=2)
    assert bench.rules() == [moved, *MINE[1:]]


def test_wanting_what_was_to_go_has_to_be_looked_at_again(cli_bench: Bench) -> None:
    services.want(cli_bench.sbc, MINE)
    services.push(cli_bench.sbc, PREFIXES)
    services.unwant(cli_bench.sbc, PREFIXES)
    assert cli_bench.known() == dict.fromkeys(PREFIXES, (False, True))
    services.want(cli_bench.sbc, MINE)
    assert cli_bench.known() == dict.fromkeys(PREFIXES, (True, None))


def test_of_equal_prefixes_the_last_counts(cli_bench: Bench) -> None:
    services.want(cli_bench.sbc, [MINE[0], MINE[0]._replace(name="other")])
    assert DialPlanRule.objects.get().name == "other"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule("+4420#", "oc", "t"), "“\\+4420#” is not a number in E.164 form"),
        (Rule("+4420", "sixteen letters!", "t"), "name “sixteen letters!” .* is longer than 15 characters"),
        (Rule("+4420", 'o"c', "t"), "name .* has a quotation mark"),
        (Rule("+4420", "oc", "t\nno dial-plan-rule 0"), "tag .* control character"),
        (Rule("+4420", "oc", ""), "has no tag"),
    ],
)
def test_a_rule_that_no_device_takes_is_refused_before_it_is_noted(cli_bench: Bench, rule: Rule, sentence: str) -> None:
    with pytest.raises(Rejected, match=sentence):
        services.want(cli_bench.sbc, [*MINE, rule])
    assert not DialPlanRule.objects.exists()


def test_scripts_carry_only_what_changes(cli_bench: Bench) -> None:
    services.want(cli_bench.sbc, MINE)
    services.push(cli_bench.sbc, PREFIXES)
    assert "PUT /files/dialplan" not in cli_bench.asked()


def test_the_last_rule_of_a_plan_cannot_go_by_csv(csv_bench: Bench) -> None:
    csv_bench.control(rules=[])
    services.want(csv_bench.sbc, MINE[:1])
    services.push(csv_bench.sbc, PREFIXES)
    services.unwant(csv_bench.sbc, PREFIXES)
    with pytest.raises(Rejected, match="a CSV file cannot empty a dial plan"):
        services.push(csv_bench.sbc, PREFIXES)
    csv_bench.sbc.write_strategy = "cli_incremental"
    assert services.push(csv_bench.sbc, PREFIXES).removed == 1


def test_ten_thousand_prefixes_in_one_go(bench: Bench) -> None:
    rules = [Rule(f"+4477009{number:05}", "bulk", f"trunk{number % 3}.example") for number in range(10_000)]
    prefixes = [rule.prefix for rule in rules]
    with CaptureQueriesContext(connection) as caught:
        services.want(bench.sbc, rules)
        assert services.push(bench.sbc, prefixes) == Pushed(added=10_000)
    assert len(caught) < 250  # by the thousand, not by the prefix
    assert bench.rules("saved") == rules
    services.unwant(bench.sbc, prefixes)
    assert services.push(bench.sbc, prefixes) == Pushed(removed=10_000)
    assert not DialPlanRule.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_device_is_not_written_inside_a_transaction(cli_bench: Bench) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        services.push(cli_bench.sbc, PREFIXES)
    assert cli_bench.asked() == []


def test_how_a_device_is(bench: Bench) -> None:
    status = services.check(bench.sbc)
    assert (status.operational_state, status.save_needed, status.product) == ("UNLOCKED", False, "Mediant VE SBC")
    bench.sbc.refresh_from_db()
    assert (bench.sbc.online, bench.sbc.problem) == (True, "")
    bench.sbc.rest_url = f"{bench.sandbox.url}/sbc/emea-sp1-sbc/api/v1/"  # writes booleans as text
    assert services.check(bench.sbc).save_needed is False
