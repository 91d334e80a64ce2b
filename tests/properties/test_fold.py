from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import bodies
from exchange.domain.fold import fold, fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.record import Entry, Fact, join, merge
from exchange.domain.standing import EMPTY, Standing
from tests.worlds import SMALL, day, fact, listing, registration

BOOK = RuleBook(SMALL, day("2026-06-01"))
revisions = st.integers(1, 4)
documents = st.sampled_from(["a", "b"])


def amendment(record_type: str, body: st.SearchStrategy[tuple[int | None, ...]]) -> st.SearchStrategy[Fact]:
    targets = documents.flatmap(lambda d: st.sampled_from([f"listing/gd.tax/{d}", f"penalty/gd.tax/{d}"]))
    return st.builds(
        lambda target, document, body, revision, on: fact(
            record_type, document, body, target=target, revision=revision, on=on, digest=hash((body, on)) & 0xFFFF
        ),
        targets,
        documents,
        body,
        revisions,
        st.sampled_from(["2026-01-01", "2026-02-01"]),
    )


facts = st.one_of(
    st.builds(
        lambda code, document, revision, grounds: listing(code, document, revision=revision, grounds=grounds),
        st.sampled_from(["TAX", "SAFE", "COURT"]), documents, revisions, st.sampled_from(["1", "3"]),
    ),
    st.builds(
        lambda document, revision, severity, fine: fact("penalty", document, (severity, fine, 0, None), revision=revision),
        documents, revisions, st.integers(0, 2), st.integers(0, 10**9),
    ),
    st.builds(lambda name, revision: registration(name, revision=revision), st.sampled_from("甲乙"), revisions),
    st.builds(lambda d, state: fact("commitment", d, (state, 0, None)), documents, st.integers(0, 2)),
    st.builds(lambda d, g: fact("rating", d, (0, g, d, None)), documents, st.sampled_from("ABMCD")),
    amendment("withdrawal", st.just((0,))),
    amendment("listing_extension", st.tuples(st.integers(1, 36))),
    amendment("objection", st.tuples(st.integers(0, 2))),
    amendment("repair", st.tuples(st.integers(0, 3), st.none(), st.just(1))),
    amendment("application", st.just(())),
)  # fmt: skip
histories = st.lists(facts, max_size=12)


def incrementally(history: list[Fact]) -> tuple[dict[str, Entry], Standing]:
    entries: dict[str, Entry] = {}
    standing = EMPTY
    for one in history:
        before = entries.get(one.key)
        after = merge(before, one)
        if after is not before:
            standing = fold(standing, one.key, before, after)
            entries[one.key] = after
    return entries, standing


@given(histories, st.randoms(use_true_random=False), st.data())
def test_order_and_duplicates_do_not_matter(history: list[Fact], random: object, data: st.DataObject) -> None:
    permuted = data.draw(st.permutations(history + history[: len(history) // 2]))
    assert incrementally(permuted) == incrementally(history)


@given(histories)
def test_the_incremental_fold_is_the_plain_meaning(history: list[Fact]) -> None:
    entries, standing = incrementally(history)
    plain_entries, plain = fold_all(history)
    assert entries == plain_entries
    assert standing == plain


@given(histories, histories)
def test_joined_histories_are_one_history(left: list[Fact], right: list[Fact]) -> None:
    one, _ = incrementally(left)
    other, _ = incrementally(right)
    joined = {key: join(one.get(key), other[key]) if key in other else one[key] for key in {**one, **other}}
    assert joined == incrementally(left + right)[0]


@given(histories)
def test_counts_are_never_negative_and_measures_have_support(history: list[Fact]) -> None:
    _, standing = incrementally(history)
    assert all(amount > 0 for amount in standing.counts.values())
    for measures in judge(standing, BOOK).measures.values():
        for supports in measures.values():
            assert supports
            assert {support.holding.key for support in supports} <= set(standing.active)


def test_equal_revisions_are_decided_by_digest() -> None:
    one = fact("penalty", "a", tuple(bodies.Penalty(0, 100, 0, None)), digest=1)
    other = fact("penalty", "a", tuple(bodies.Penalty(0, 200, 0, None)), digest=2)
    assert merge(merge(None, one), other) == merge(merge(None, other), one)
