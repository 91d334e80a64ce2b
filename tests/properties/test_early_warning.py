"""Early warning: order and duplicates do not matter for what is said about subjects in the end, nor for a warning's standing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.early_warning.baseline import Baseline
from consumers.early_warning.findings import Warnings
from consumers.early_warning.season import Seasons
from consumers.early_warning.series import Counted, Series
from consumers.early_warning.signals import SubjectSignals
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS
from exchange.domain.facts import read_fact
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.record import Fact
from exchange.records import to_avro
from exchange.working_days import load_working_days
from tests.portal import CATALOGUE, CODEC, POLICY
from tests.unit.test_early_warning_signals import arrears, firm, judgment, licence, penalty, record, registered
from tests.worlds import day

SIGNALS = SubjectSignals(POLICY)
WARNINGS = Warnings(CATALOGUE, POLICY)
SEASONS = Seasons(load_working_days())
FIRMS = 3
AT = day("2026-05-20") * DAY_MS

numbers = st.sampled_from("一二三四")
revisions = st.integers(1, 3)
subjects = st.integers(0, FIRMS - 1).map(firm)
records = st.one_of(
    st.builds(lambda s, d, r, on: penalty(d, on, subject=s, revision=r), subjects, numbers, revisions, st.sampled_from(["2026-05-01", "2025-01-01"])),
    st.builds(lambda s, d, r, until: licence(d, until, subject=s, revision=r), subjects, numbers, revisions, st.sampled_from(["2026-05-01", "2027-01-01"])),
    st.builds(lambda s, d, k, r, paid: arrears(d, k, paid, subject=s, revision=r), subjects, numbers, st.integers(0, 3), revisions, st.sampled_from(["", "2026-05-02"])),
    st.builds(lambda s, d, c, o: judgment(d, c, o, subject=s), subjects, numbers, st.integers(0, 5), st.integers(0, 4)),
    st.builds(lambda s, status, r: registered(s, status=status, revision=r), subjects, st.sampled_from([0, 2, 3]), revisions),
    st.builds(lambda s, d, state, r: ("abnormal_entry", record(s, d, state=state, revision=r)), subjects, numbers, st.integers(0, 1), revisions),
    st.builds(
        lambda s, d, t: ("withdrawal", record(s, f"撤{d}", target_type="penalty", target_department="", target_document=t)),
        subjects, numbers, numbers,
    ),
)  # fmt: skip
histories = st.lists(records, max_size=14)


def facts_of(said: list[Any]) -> list[tuple[str, Fact]]:
    """The warnings as facts of the bus."""
    found = []
    for place, one in enumerate(said):
        plain = CODEC.plain("early_warning", to_avro(WARNINGS.of(one)))
        found.append((one.subject, read_fact("early_warning", plain, digest=place, arrived_at=place)))
    return found


def warned(history: list[tuple[str, dict[str, Any]]]) -> set[tuple[str, str, str]]:
    """(subject, measure, level) that follow in the end when records come in this order, each handed over as a process would."""
    firms: dict[str, bytes] = {}
    shared: dict[str, bytes] = {}
    said: list[Any] = []
    for place, (record_type, value) in enumerate(history):
        step = SIGNALS.step(firms.get(value["subject"], b""), record_type, value, AT + place * 10)
        firms[value["subject"]] = step.state
        said += step.findings
        for link in step.links:
            passed = SIGNALS.step_shared(link.key, shared.get(link.key, b""), link.fact)
            shared[link.key] = passed.state
            said += passed.findings
    book = RuleBook(POLICY, day("2026-05-20"))
    found = set()
    facts = facts_of(said)
    for subject in {subject for subject, _ in facts}:
        _, standing = fold_all(fact for whose, fact in facts if whose == subject)
        for holding in judge(standing, book).holdings:
            found.add((subject, holding.list_code, holding.grounds))
    return found


@settings(max_examples=60, deadline=None)
@given(histories, st.data())
def test_order_and_duplicates_do_not_matter(history: list[tuple[str, dict[str, Any]]], data: st.DataObject) -> None:
    unique = {(kind, value["subject"], value["document"], value["revision"]): (kind, value) for kind, value in history}
    once = list(unique.values())  # a department publishes one text for one revision
    permuted = data.draw(st.permutations(once + once[: len(once) // 2]))
    assert warned(permuted) == warned(once)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=60, max_size=120), st.data())
def test_a_warnings_end_is_its_standing_in_whatever_order_its_records_come(
    counts: list[int], data: st.DataObject
) -> None:
    series, baseline = Series("penalty", "region", "440300"), Baseline(SEASONS)
    first = day("2026-01-05")
    said = [
        found
        for place, count in enumerate(counts)
        for found in baseline.observe(
            Counted(series, (first + place) * DAY_MS - CHINA_OFFSET_MS, DAY_MS, 6 * count if count > 50 else count)
        )
    ]
    names = [(one.began, (one.start - one.began) // one.width) for one in said]
    assert len(set(names)) == len(names), "each record has a revision of its own"
    facts = [fact for _, fact in _series_facts(said)]
    permuted = data.draw(st.permutations(facts + facts[: len(facts) // 2]))
    assert fold_all(permuted) == fold_all(facts)
    book = RuleBook(POLICY, first + len(counts))
    in_force = judge(fold_all(permuted)[1], book).holdings
    open_ones = {one.began for one in said if one.valid_until >= book.as_of} - {one.began for one in said if one.ended}
    assert len(in_force) == len(open_ones)


def _series_facts(said: list[Any]) -> list[tuple[str, Fact]]:
    found = []
    for place, one in enumerate(said):
        plain = CODEC.plain("early_warning", to_avro(WARNINGS.of(one)))
        found.append((plain["subject"], read_fact("early_warning", plain, digest=place, arrived_at=0)))
    return found
