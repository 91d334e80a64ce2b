"""What tests of risk classes share: the real model and policy, and facts about one firm that arrive on given days."""

from functools import lru_cache
from typing import Any

from exchange.catalogue import load_catalogue
from exchange.domain import bodies
from exchange.domain.bodies import RepairState, Severity
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS
from exchange.domain.policy import Policy
from exchange.domain.record import Fact
from exchange.domain.risk.assess import Assessment, assess
from exchange.domain.risk.known import entries_on
from exchange.domain.risk.model import RiskModel, Rules
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.risk_files import load_risk
from tests.worlds import FIRM, day, fact, registration

TODAY = "2026-11-28"


@lru_cache
def model() -> RiskModel:
    return load_risk(SCHEMAS, load_catalogue(SCHEMAS))


@lru_cache
def real_policy() -> Policy:
    return load_policy(SCHEMAS, load_catalogue(SCHEMAS))


def rules(on: str = TODAY) -> Rules:
    found = model().on(day(on))
    assert found is not None
    return found


def arriving(one: Fact, on: str, hour: int = 12) -> Fact:
    """A fact that the bus received on a day, at an hour in China."""
    at = (day(on) * DAY_MS - CHINA_OFFSET_MS) // 1000 + hour * 3600
    return one._replace(version=one.version._replace(arrived_at=at))


def penalty(document: str, severity: Severity = Severity.GENERAL, on: str = "2026-06-01", **more: Any) -> Fact:
    body = bodies.Penalty(severity, 1_000_00, 0, None)
    return arriving(fact("penalty", document, tuple(body), department="gd.eco", on=on, **more), on)


def repair(of: Fact, document: str = "修1", on: str = "2026-08-01") -> Fact:
    body = bodies.Repair(RepairState.GRANTED, day(on), 1)
    return arriving(fact("repair", document, tuple(body), on=on, target=of.key), on)


def withdrawal(of: Fact, document: str = "撤1", on: str = "2026-08-01") -> Fact:
    return arriving(fact("withdrawal", document, (0,), on=on, target=of.key), on)


def counted(record_type: str, document: str, state: int, on: str = "2026-06-01") -> Fact:
    """A document of a type whose body begins with its state."""
    return arriving(fact(record_type, document, (state, 0, None), department="gd.amr", on=on), on)


def firm(on: str = "2018-01-01", representative: str = "") -> Fact:
    return arriving(registration(on=on, representative=representative), on)


def class_of(*facts: Fact, on: str = TODAY, representative: tuple[Fact, ...] = ()) -> Assessment | None:
    """The class of the firm with these facts on a day."""
    return assess(
        FIRM, entries_on(facts, day(on)), entries_on(representative, day(on)), real_policy(), rules(on)
    )  # fmt: skip


def must_class(*facts: Fact, on: str = TODAY, representative: tuple[Fact, ...] = ()) -> Assessment:
    found = class_of(*facts, on=on, representative=representative)
    assert found is not None
    return found
