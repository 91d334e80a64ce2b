"""In whatever order and however often registrations, withdrawals and objections come, the same is found by every form of the directory."""

import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.directory import Directory, DirectoryKeeper, Hit, Intake
from exchange.directory_keeper import SqliteKeeper
from exchange.directory_memory import MemoryDirectory
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.domain.enrolment import Amended, Registered
from exchange.domain.naming import cut, normalise_name, wanted
from exchange.fed_folder import Bus
from exchange.records.words import SubjectKind
from tests.postgres import RunningPostgres

ALIASES = ("reg:440301100000017", "orgcode:PDY000019")
SUBJECTS = ("org:91440300PDY00001X3", "org:91440300PDY00002X4", "person:k1.00", *ALIASES)
ENTRIES = ("registration/gd.amr/设立", "registration/gd.amr/变更", "registration/sz.amr/设立")
NAMES = ("", "广东建明科技有限公司", "建明科技", "重庆建明", "ABC建明")
ASKED = ("建明", "科技有限", "建明科技", "gdjm", "cqjm", "abc", "914403", "440301", "PDY000019", "00建明")
FEW = st.integers(0, 3)


def _with_digest(one: Registered) -> Registered:
    return one._replace(digest=crc32(repr(one).encode()))


registrations = st.builds(
    Registered, st.sampled_from(SUBJECTS), st.sampled_from(ENTRIES), FEW, st.just(0), FEW, st.sampled_from(NAMES),
    st.sampled_from(("", "440305", "440111")), st.integers(0, 1), FEW,
    st.lists(st.sampled_from(ALIASES), max_size=2, unique=True).map(tuple),
).map(_with_digest)  # fmt: skip
amendments = st.builds(
    lambda subject, entry, slot, revision, voids: Amended(
        subject, entry, slot, revision, int(voids), voids or slot[0] == "w"
    ),
    st.sampled_from(SUBJECTS),
    st.sampled_from(ENTRIES),
    st.sampled_from(("withdrawal/1", "objection/1")),
    FEW,
    st.booleans(),
)
facts = st.lists(st.one_of(registrations, amendments), max_size=12)


def intake(some: Iterable[Registered | Amended]) -> Intake:
    kept = list(some)
    return Intake(
        registered=[one for one in kept if isinstance(one, Registered)],
        amended=[one for one in kept if isinstance(one, Amended)],
    )


def everything_found(directory: Directory) -> dict[str, list[Hit]]:
    among: list[dict[str, object]] = [{}, {"division": "440300"}, {"kind": SubjectKind.SELF_EMPLOYED}]
    return {
        f"{text} {where}": sorted(directory.search(text, **where).hits)  # type: ignore[arg-type]
        for text in ASKED
        for where in among
    }


Example = tuple[list[Registered | Amended], list[Registered | Amended]]
examples = facts.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some + some[:4])))
BUS = Bus("credit", 4, "cluster")


def agree(keeper: DirectoryKeeper, example: Example, batch: int) -> None:
    """What was kept in another order, some of it twice, is found as in memory."""
    some, mixed = example
    memory = MemoryDirectory()
    memory.keep(intake(some))
    with closing(keeper):
        for begin in range(0, len(mixed), batch):
            keeper.keep(intake(mixed[begin : begin + batch]))
        assert everything_found(keeper) == everything_found(memory)


@settings(max_examples=60, deadline=None)
@given(examples, st.integers(1, 5))
def test_order_duplicates_and_batches_do_not_matter(example: Example, batch: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        agree(SqliteKeeper(Path(folder), BUS), example, batch)


@settings(max_examples=30, deadline=None)
@given(examples, st.integers(1, 5))
def test_order_duplicates_and_batches_do_not_matter_in_postgresql(
    postgres: RunningPostgres, example: Example, batch: int
) -> None:
    agree(PostgresKeeper(postgres.new_schema(), BUS), example, batch)


names = st.text(st.sampled_from("甲乙丙a1"), min_size=2, max_size=9)


@given(names, names)
def test_pieces_in_a_row_are_the_same_as_being_contained(name: str, text: str) -> None:
    pieces = cut(name)
    whole, beginning, part = wanted(text)

    def holds(row: tuple[str, ...]) -> bool:
        return any(pieces[at : at + len(row)] == row for at in range(len(pieces)))

    assert (holds(whole), holds(beginning), holds(part)) == (name == text, name.startswith(text), text in name)


@given(st.text())
def test_a_normalised_name_stays_and_has_no_marks(text: str) -> None:
    name = normalise_name(text)
    assert all(one.isalnum() for one in name)
    assert not set(name) & set("\ue000\ue001\ue002 \"'*")
