"""The province with known truth, and the statistics that judge on it: the same seed is the same, and nobody can see the truth."""

from datetime import date

import numpy as np
import pytest

from exchange.domain.calendar import to_day
from exchange.domain.record import DOCUMENT
from producers.simulator.latent import LatentProvince
from tests.bench.risk import TEST_DAYS, TEST_SEEDS, TRAINING_DAYS, TRAINING_SEEDS, see
from tests.bench.risk_statistics import auc, caught, highest, reliability

FIRMS = 150


@pytest.fixture(scope="module")
def province() -> LatentProvince:
    return LatentProvince(7, FIRMS)


def test_the_same_seed_is_the_same_province(province: LatentProvince) -> None:
    assert LatentProvince(7, FIRMS).firms == province.firms
    assert LatentProvince(8, FIRMS).firms != province.firms


def test_records_follow_the_rules_of_the_bus(province: LatentProvince) -> None:
    for firm in province.firms:
        documents = {fact.key for fact in firm.facts if fact.slot == DOCUMENT}
        assert all(fact.key in documents for fact in firm.facts), "an amendment is about a document"
        assert all(fact.version.arrived_at // 86_400 >= fact.version.decided_on for fact in firm.facts), (
            "heard of later"
        )


def test_what_is_seen_of_a_day_does_not_depend_on_what_comes_after(province: LatentProvince) -> None:
    day = to_day(date(2024, 1, 1))
    before = see(province, day)
    cut = LatentProvince(7, FIRMS)
    end = (day + 1) * 86_400 - 8 * 3600
    cut.firms = [
        firm._replace(facts=tuple(fact for fact in firm.facts if fact.version.arrived_at < end), violations=())
        for firm in cut.firms
    ]
    after = see(cut, day)
    assert (before.points.tolist(), before.letters) == (after.points.tolist(), after.letters)
    assert before.violates.any()
    assert not after.violates.any()


def test_what_is_learnt_from_and_what_is_judged_on_are_apart() -> None:
    assert not set(TRAINING_SEEDS) & set(TEST_SEEDS)
    assert max(TRAINING_DAYS) + 365 <= min(TEST_DAYS)


def test_statistics() -> None:
    truth = np.array([False, False, True, True])
    assert auc(np.array([1.0, 2.0, 3.0, 4.0]), truth) == 1.0
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), truth) == 0.5
    assert caught(np.array([False, True, True, False]), truth) == (0.5, 0.5)
    assert highest(np.array([1.0, 9.0, 3.0, 8.0]), 2).tolist() == [False, True, False, True]
    table = reliability(np.linspace(0, 1, 100), np.linspace(0, 1, 100) > 0.5)
    assert (len(table), table[0][1], table[-1][1]) == (10, 0.0, 1.0)
