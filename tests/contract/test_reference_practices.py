"""The reference departments know every measure that the policy asks of them, and answer as gravely as it does."""

import pytest

from consumers.reference import market_entry_desk, resource_trading_centre
from consumers.reference.practice import Practice
from exchange.catalogue import load_catalogue
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy


@pytest.mark.parametrize("practice", [market_entry_desk.PRACTICE, resource_trading_centre.PRACTICE])
def test_the_practice_is_the_policys(practice: Practice) -> None:
    policy = load_policy(SCHEMAS, load_catalogue(SCHEMAS))
    rules = [
        (list_code, rule)
        for list_code, of_list in policy.rules_by_list.items()
        for rule in of_list
        if rule.department == practice.department
    ]
    assert {rule.measure for _, rule in rules} == set(practice.duties)
    for list_code, rule in rules:
        duty = practice.duties[rule.measure]
        assert duty.name_zh == rule.name_zh
        if duty.at_counter:
            assert duty.answer_for([{"list_code": list_code}]) == rule.effect, (rule.measure, list_code)
