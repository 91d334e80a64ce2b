"""One suite for the store on a real server and for its in-memory twin."""

from collections.abc import Iterator

import pytest

from consumers.standing.decode import Decoded
from consumers.standing.partition import Partition
from consumers.standing.work import Work
from exchange.domain.record import Entry, merge
from exchange.domain.standing import EMPTY, Owed
from exchange.errors import RetryLaterError
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.standing_store import NEVER, OUTDATED, TOKENS_KEPT, Answer, Commit, StandingStore, Wanted
from exchange.store import Store
from exchange.store_memory import MemoryStore
from tests.cluster import Cluster, running_cluster
from tests.worlds import FIRM, OTHER, fact

PENALTY = merge(None, fact("penalty", "p1", (1, 100, 0, None)))
STANDING = EMPTY._replace(counts={"penalty": 1}, updated_at=7)


SERVERS = ("server", "cluster")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(params=["memory", *(pytest.param(name, marks=pytest.mark.servers) for name in SERVERS)])
def store(request: pytest.FixtureRequest) -> Iterator[StandingStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = request.getfixturevalue("cluster").url if request.param == "cluster" else ""
    client = connect(url or request.getfixturevalue("bus_settings").redis)
    yield Store(client)
    client.flushdb()
    client.close()


def commit(store: StandingStore, expected: str, token: str, **parts: object) -> bool:
    return store.commit([Commit(partition=3, expected=expected, token=token, **parts)])[0] is None  # type: ignore[arg-type]


def begin(store: StandingStore, expected: str, token: str, **parts: object) -> Answer:
    return store.begin_commit([Commit(partition=3, expected=expected, token=token, **parts)])  # type: ignore[arg-type]


def test_nothing_is_known_at_first(store: StandingStore) -> None:
    cursor = store.cursor(3)
    assert (cursor.token, cursor.epoch, cursor.offsets, cursor.reconcile) == ("", 0, {}, False)
    assert store.load([Wanted(3, [FIRM], [(FIRM, "penalty/gd.tax/p1")])]) == [("", [None], [None])]


def test_what_was_read_at_another_commit_than_its_owners_is_not_committed(store: StandingStore) -> None:
    assert commit(store, "", "mine", cursor={"epoch": 1})
    partition = Partition(number=3, token="mine", epoch=1, reconcile=False, offsets={}, known={})

    def refused(read_at: str) -> bool:
        job = Work(
            partition, Decoded(partition), (), Commit(partition=3, expected="mine", token=f"after {read_at}"), {}
        )
        job.note_read_at(read_at)
        return store.commit([job.commit])[0] is not None

    assert refused("the successor's"), "though Redis is as of the owner's own commit"
    assert (store.cursor(3).token, OUTDATED in store.cursor(3).tokens) == ("mine", False)
    assert not refused("mine")


def test_a_commit_is_whole(store: StandingStore) -> None:
    done = commit(
        store, "", "a", standings=[(FIRM, STANDING)], entries=[(FIRM, "penalty/gd.tax/p1", PENALTY)],
        cursor={"o:credit.in.gd.tax": 5, "h:credit.in.gd.tax": 2, "epoch": 4, "reconcile": 1, "policy": "v1"},
        timers=[(FIRM, 20000.0), (OTHER, NEVER)], messages=[("credit.out.gd.fin", b"k", b"v1"), ("t", b"k", b"v2")],
    )  # fmt: skip
    assert done
    cursor = store.cursor(3)
    assert (cursor.tokens, cursor.epoch, cursor.reconcile, cursor.policy) == (("a",), 4, True, "v1")
    assert (cursor.offsets, cursor.held) == ({"credit.in.gd.tax": 5}, {"credit.in.gd.tax": 2})
    assert store.standing(3, FIRM) == STANDING
    assert store.entries(3, FIRM) == {"penalty/gd.tax/p1": PENALTY}
    assert store.entries_as_of(3, FIRM) == ("a", {"penalty/gd.tax/p1": PENALTY})
    assert store.load([Wanted(3, [OTHER, FIRM], [(FIRM, "penalty/gd.tax/p1")])]) == [("a", [None, STANDING], [PENALTY])]
    assert store.all_of(3, FIRM) == (STANDING, {"penalty/gd.tax/p1": PENALTY})
    assert store.all_of(3, OTHER) == (None, {})
    assert [tuple(one) for one in store.outbox(3)] == [("a", "credit.out.gd.fin", b"k", b"v1"), ("a", "t", b"k", b"v2")]
    assert store.look([3, 4], 20000, 10) == [("a", [FIRM]), ("", [])]
    assert store.look([3], 19999, 10) == [("a", [])]
    assert sorted(store.indexed(3)) == sorted([FIRM, OTHER])
    assert list(store.subjects(3)) == [FIRM]
    assert list(store.subjects(4)) == []


def test_what_is_overdue_is_found_by_department(store: StandingStore) -> None:
    late, later = Owed("gd.fin", "ban", False, 20_000), Owed("gd.fin", "ban", True, 20_010)
    other = Owed("gd.tax", "repair_answer 税1", False, 20_005)
    assert commit(store, "", "a", overdue=[(FIRM, later), (FIRM, late), (OTHER, other)])
    assert store.overdue(3, "gd.fin") == [(FIRM, late), (FIRM, later)]
    assert store.count_overdue([3, 4], ["gd.fin", "gd.tax", "gd.drc"]) == {"gd.fin": 2, "gd.tax": 1, "gd.drc": 0}
    assert commit(store, "a", "b", overdue=[(FIRM, later)], no_longer_overdue=[(FIRM, late), (FIRM, later)])
    assert store.overdue(3, "gd.fin") == [(FIRM, later)], "what leaves does so before what joins"
    assert not commit(store, "a", "c", overdue=[(OTHER, late)])
    assert store.count_overdue([3], ["gd.fin"]) == {"gd.fin": 1}


def test_a_stale_commit_changes_nothing(store: StandingStore) -> None:
    assert commit(store, "", "a", cursor={"o:t": 1})
    assert not commit(store, "", "b", cursor={"o:t": 9}, standings=[(FIRM, STANDING)], messages=[("t", b"", b"")])
    assert store.cursor(3).offsets == {"t": 1}
    assert store.standing(3, FIRM) is None
    assert store.outbox(3) == []


def test_a_commit_under_way_is_answered_later(store: StandingStore) -> None:
    assert commit(store, "", "0"), "a server that has just started learns the script by it"
    begun = begin(store, "0", "a", cursor={"o:t": 1})
    assert begun() == [None]
    assert store.cursor(3).offsets == {"t": 1}
    first = begin(store, "a", "b")
    second = begin(store, "a", "c", cursor={"o:t": 9})
    assert first() == [None]
    (fenced,) = second()
    assert fenced is not None, "the other one came before"
    assert (store.cursor(3).tokens, store.cursor(3).offsets) == (("b", "a", "0"), {"t": 1})


@pytest.mark.servers
def test_a_server_that_lost_the_script_is_taught_it_again(bus_settings: Settings) -> None:
    with connect(bus_settings.redis) as client:
        store = Store(client)
        assert commit(store, "", "a")
        client.script_flush()
        with pytest.raises(RetryLaterError):
            begin(store, "a", "b")()
        assert store.cursor(3).tokens == ("a",)
        assert commit(store, "a", "b")
        assert begin(store, "b", "c")() == [None]


@pytest.mark.servers
def test_a_late_answer_is_an_error_and_never_taken_for_anothers(bus_settings: Settings) -> None:
    with connect(bus_settings.redis) as other, connect(bus_settings.redis, timeout=0.2) as client:
        store = Store(client)
        assert commit(store, "", "a")
        other.client_pause(1000, all=False)
        begun = begin(store, "a", "b", cursor={"o:t": 1})
        with pytest.raises(RetryLaterError):
            begun()
        other.client_unpause()
        assert store.cursor(3).tokens in (("a",), ("b", "a"))
        assert store.standing(3, FIRM) is None


def test_published_messages_are_trimmed_with_the_next_commit(store: StandingStore) -> None:
    assert commit(store, "", "a", messages=[("t", b"", b"1"), ("t", b"", b"2")])
    assert commit(store, "a", "b", trim=1, published="a", messages=[("t", b"", b"3")])
    assert [one.value for one in store.outbox(3)] == [b"2", b"3"]
    assert store.cursor(3).published == "a"


def test_a_timer_can_be_taken_back(store: StandingStore) -> None:
    assert commit(store, "", "a", timers=[(FIRM, 5.0)])
    assert commit(store, "a", "b", timers=[(FIRM, None)])
    assert list(store.indexed(3)) == []


def test_only_so_many_tokens_are_remembered(store: StandingStore) -> None:
    for number in range(TOKENS_KEPT + 10):
        assert commit(store, str(number - 1) if number else "", str(number))
    tokens = store.cursor(3).tokens
    assert len(tokens) == TOKENS_KEPT
    assert tokens[0] == str(TOKENS_KEPT + 9)


def test_a_whole_entry_comes_back(store: StandingStore) -> None:
    entry = merge(PENALTY, fact("withdrawal", "w", (0,), target="penalty/gd.tax/p1"))
    assert commit(store, "", "a", entries=[(FIRM, "penalty/gd.tax/p1", entry)])
    (found,) = store.entries_of(3, [FIRM])
    assert isinstance(found["penalty/gd.tax/p1"], Entry)
    assert found["penalty/gd.tax/p1"].amendments("withdrawal")[0].revision == 1
