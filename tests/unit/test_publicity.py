"""The public picture of penalties: the term of their own day, stated ends, repair, withdrawal."""

import pytest

from exchange.catalogue import load_catalogue
from exchange.domain.bodies import ObjectionState, RepairState, Severity
from exchange.domain.policy import Policy
from exchange.domain.publicity import is_public, publicity_of
from exchange.domain.record import DOCUMENT, Entry, Version
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from tests.worlds import day


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(SCHEMAS, load_catalogue(SCHEMAS))


def penalty(severity: Severity, on: str, *, stated_until: str | None = None, **amendments: tuple[str, object]) -> Entry:
    body = (int(severity), 0, 0, day(stated_until) if stated_until else None)
    versions = {DOCUMENT: Version(1, 0, day(on), 0, 0, 0, body)}
    for record_type, (when, amendment) in amendments.items():
        versions[f"{record_type}/1"] = Version(1, 0, day(when), 0, 0, 0, amendment)  # type: ignore[arg-type]
    return Entry(versions)


@pytest.mark.parametrize(
    ("severity", "on", "first_day_gone"),
    [
        (Severity.MINOR, "2025-06-01", "2028-06-01"),
        (Severity.MINOR, "2026-03-31", "2029-03-31"),
        (Severity.GENERAL, "2026-04-01", "2027-04-01"),
        (Severity.SERIOUS, "2026-04-01", "2029-04-01"),
        (Severity.GENERAL, "2020-02-29", "2021-02-28"),
    ],
)
def test_the_term_is_that_of_the_day_of_decision(
    policy: Policy, severity: Severity, on: str, first_day_gone: str
) -> None:
    entry = penalty(severity, on)
    assert is_public(entry, policy, day(on))
    assert is_public(entry, policy, day(first_day_gone) - 1)
    assert not is_public(entry, policy, day(first_day_gone))
    assert not is_public(entry, policy, day(on) - 1)


def test_a_minor_penalty_is_not_public_since_april_2026(policy: Policy) -> None:
    assert not any(
        is_public(penalty(Severity.MINOR, "2026-04-01"), policy, day("2026-04-01") + n) for n in range(1200)
    )  # fmt: skip
    assert not publicity_of(Severity.MINOR, day("2026-04-01"), policy).is_published


def test_without_a_basis_nothing_is_public(policy: Policy) -> None:
    assert not is_public(penalty(Severity.SERIOUS, "2014-01-01"), policy, day("2014-02-01"))


def test_a_stated_end_shortens_and_never_lengthens(policy: Policy) -> None:
    short = penalty(Severity.GENERAL, "2026-05-01", stated_until="2026-08-01")
    assert is_public(short, policy, day("2026-07-31"))
    assert not is_public(short, policy, day("2026-08-01"))
    assert not is_public(
        penalty(Severity.GENERAL, "2026-05-01", stated_until="2036-08-01"), policy, day("2027-05-01")
    )  # fmt: skip


def test_repair_takes_effect_after_the_minimum(policy: Policy) -> None:
    early = penalty(Severity.GENERAL, "2026-05-01", repair=("2026-06-01", (int(RepairState.GRANTED), None, 1)))
    assert is_public(early, policy, day("2026-07-31"))
    assert not is_public(early, policy, day("2026-08-01"))
    late = penalty(Severity.GENERAL, "2026-05-01", repair=("2026-10-10", (int(RepairState.GRANTED), None, 1)))
    assert is_public(late, policy, day("2026-10-09"))
    assert not is_public(late, policy, day("2026-10-10"))
    refused = penalty(Severity.GENERAL, "2026-05-01", repair=("2026-10-10", (int(RepairState.REFUSED), None, 1)))
    assert is_public(refused, policy, day("2026-10-10"))


def test_withdrawn_or_upheld_objection_ends_it_at_once(policy: Policy) -> None:
    withdrawn = penalty(Severity.SERIOUS, "2026-05-01", withdrawal=("2026-05-02", (0,)))
    upheld = penalty(Severity.SERIOUS, "2026-05-01", objection=("2026-05-02", (int(ObjectionState.UPHELD),)))
    assert not is_public(withdrawn, policy, day("2026-05-03"))
    assert not is_public(upheld, policy, day("2026-05-03"))
