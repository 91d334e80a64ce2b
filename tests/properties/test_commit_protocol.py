"""The commit protocol under crashes, zombies and rollbacks: random schedules on the processor's own parts.

A port of the design's model: attach, join, commit, publish and reconcile are the real ones; only Kafka's log and the time between
two steps are simulated, so that thousands of schedules run in seconds. Breaking a rule must make it fail.
"""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from consumers.standing.decode import Arrival, Decoded, Rejected, facts_of
from consumers.standing.join import Join
from consumers.standing.partition import Committed, Partition, attach
from consumers.standing.reconcile import Told, remember, remember_sent, tell_differences
from consumers.standing.transaction import Job
from consumers.standing.verify import marks_of
from exchange.codec import Codec
from exchange.domain.facts import LAST_REVISION, answering
from exchange.domain.judge import RuleBook
from exchange.domain.oracle import compute
from exchange.domain.record import Fact
from exchange.domain.response import ResponseRules
from exchange.errors import FencedError, Reason
from exchange.paths import SCHEMAS
from exchange.store_memory import MemoryStore
from exchange.topics import Topics
from tests.archiving import Message
from tests.worlds import FIRM, OTHER, PERSON, SMALL, day, fact, listing, registration

TODAY = day("2026-06-01")
BOOK = RuleBook(SMALL, TODAY)
RULES = ResponseRules(deadline=lambda start, days: (start + days, False))
TOPICS = Topics("t")
DEPARTMENTS = ("gd.tax", "gd.em", "gd.amr")
INPUTS = (*(TOPICS.into(department) for department in DEPARTMENTS), TOPICS.internal)
DEPARTMENT_OF = {TOPICS.into(department): department for department in DEPARTMENTS}
ALIAS, CODE = "reg:449999000000008", "orgcode:PDY00001X"
CLAIMS = ((FIRM, ALIAS), (OTHER, ALIAS), (ALIAS, CODE), (CODE, ALIAS), (OTHER, CODE))
"""Who may claim which older code: two firms, and codes each other."""
CODEC = Codec.from_files(SCHEMAS)
NO_RECORD = Reason(code="not_wire_format", rule="it is no record")


def draw_fact(rnd: random.Random, revision: int) -> tuple[str, str, Fact]:
    if rnd.random() < 0.15:  # a registration names an older code, which another may claim too
        on = rnd.choice(["2020-01-01", "2021-01-01", "2022-01-01"])
        claimant, code = rnd.choice([*CLAIMS, *CLAIMS[:2]])
        return "gd.amr", claimant, fact("alias", code, (), department="gd.amr", revision=LAST_REVISION - day(on), on=on)
    subject = rnd.choice([FIRM, OTHER, ALIAS, CODE])
    department = rnd.choice(DEPARTMENTS)
    document = rnd.choice("ab")
    kind = rnd.random()
    if rnd.random() < 0.15:
        n = rnd.randint(0, 3)
        whole = {"epoch": 0, "n": n, "revision": revision}
        body = (rnd.randint(0, 4), 0, None, "no_procurement", 0, n, None, "")
        one = fact("measure_feedback", document, body, department=department, revision=answering(whole))
    elif kind < 0.5:
        one = listing(rnd.choice(["TAX", "SAFE", "COURT"]), document, department=department, revision=revision)
    elif kind < 0.75:
        one = fact("withdrawal", document, (0,), target=f"listing/{department}/{document}", revision=revision)
    elif kind < 0.9:
        subject = FIRM if subject in (ALIAS, CODE) else subject
        one = registration(representative=rnd.choice([PERSON, ""]), revision=revision)
    else:
        one = fact("penalty", document, (1, revision, 0, None), department=department, revision=revision)
    return department, subject, one


class World:
    """Kafka's log, and a store that can come back older."""

    def __init__(self, rnd: random.Random, broken: str) -> None:
        self.rnd, self.broken = rnd, broken
        self.store = MemoryStore()
        self.snapshots = [self.store.snapshot()]
        self.inputs: dict[str, list[tuple[str, Fact] | None]] = {topic: [] for topic in INPUTS}
        """None for what is no record."""
        self.out: list[dict[str, Any]] = []
        self.internal: list[dict[str, Any]] = []
        self.quarantine: list[tuple[str, int]] = []
        self.committed = Committed({})
        self.tokens = (f"c{number}" for number in itertools.count())
        self.owner: Processor | None = None
        facts = [draw_fact(rnd, revision) for revision in range(1, rnd.randint(4, 16))]
        if rnd.random() < 0.5:
            rnd.shuffle(facts)
        for department, subject, one in facts:
            self.inputs[TOPICS.into(department)].append((subject, one) if rnd.random() < 0.85 else None)

    def token(self) -> str:
        return next(self.tokens)

    def publish(self, job: Job) -> None:
        for topic, key, value in job.messages:
            record_type, plain = CODEC.decode_plain(value)
            if record_type == "notice":
                self.out.append(plain)
            elif topic == TOPICS.internal:
                self.inputs[topic] += [(key.decode(), one) for one in facts_of(plain)]
                self.internal.append(plain)
            elif record_type == "rejection":
                self.quarantine.append((plain["topic"], plain["offset"]))
        offsets = {
            t: max(o, self.committed.offsets.get(t, 0)) for t, o in {**self.committed.offsets, **job.offsets}.items()
        }
        self.committed = Committed(offsets, job.token, max(self.committed.epoch, job.epoch))

    def told(self) -> Told:
        told = Told()
        for plain in self.out:
            remember(told.departments, plain)
        for plain in self.internal:
            remember_sent(told.subjects, plain)
        return told


class Processor:
    """Takes one step at a time; anything may happen between two steps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.join = Join(world.store, TOPICS, CODEC, BOOK, RULES, world.token)
        self.begin()

    def begin(self) -> None:
        world = self.world
        attached = attach(0, world.store, world.committed, policy="test", new_token=world.token)
        self.partition: Partition = attached.partition
        self.jobs: list[Job] = []
        if world.broken == "noreconcile":
            self.partition.reconcile = False
        if attached.unpublished and not self.partition.reconcile:
            messages = [(one.topic, one.key, one.value) for one in attached.unpublished]
            self.jobs.append(Job(0, self.partition.token, self.partition.epoch, messages, dict(self.partition.offsets)))
        self.next: Callable[[], None] = self.fold

    def step(self) -> None:
        try:
            self.next()
        except FencedError:
            self.begin()

    def fold(self) -> None:
        rnd, partition = self.world.rnd, self.partition
        decoded = Decoded(partition)
        for _ in range(rnd.randint(1, 5)):
            topic = rnd.choice(list(self.world.inputs))
            offset = decoded.offsets.get(topic, partition.offsets.get(topic, 0))
            if offset < len(self.world.inputs[topic]):
                record = self.world.inputs[topic][offset]
                if record is None:
                    decoded.rejected.append(
                        Rejected(Message(topic, b"?", offset), DEPARTMENT_OF[topic], (NO_RECORD,), -1)
                    )
                else:
                    decoded.arrivals.append(Arrival(*record, "listing", {}, topic, offset))
                decoded.offsets[topic] = offset + 1
        (work,) = self.join.begin([decoded], {})
        self.join.judge(work, now=0)
        commit = self.join.finish(work, now=0)

        def commit_it() -> None:
            if self.world.broken == "nofence":
                commit.expected = self.world.store.cursor(0).token
            error = self.world.store.commit([commit])[0]
            if error:
                raise error
            self.world.snapshots.append(self.world.store.snapshot())
            partition.token = commit.token
            partition.trim, partition.published = 0, ""
            partition.offsets.update(decoded.offsets)
            partition.cache.update(work.standings)
            if not partition.reconcile:
                self.jobs.append(Job(0, commit.token, partition.epoch, commit.messages, dict(partition.offsets)))
            self.next = self.tell if partition.reconcile and partition.caught_up() else self.publish

        self.next = commit_it

    def tell(self) -> None:
        if self.world.owner is not self:
            self.begin()
            return
        decode = lose_rejections if self.world.broken == "norejections" else CODEC.decode_plain
        self.jobs = [
            tell_differences(
                self.partition,
                self.world.store,
                self.join,
                self.world.told(),
                lambda: None,
                decode=decode,
                now=0,
            )
        ]
        self.world.snapshots.append(self.world.store.snapshot())
        self.next = self.publish

    def publish(self) -> None:
        self.next = self.fold
        jobs, self.jobs = self.jobs, []
        if self.world.owner is not self and self.world.broken != "nogeneration":
            return
        for job in jobs:
            self.world.publish(job)
            self.partition.trim += len(job.messages)
            self.partition.published = job.token


def lose_rejections(_: bytes) -> tuple[str, dict[str, Any]]:
    """As if nothing in the outbox were a rejection."""
    return "", {}


class Schedule:
    """Processors over one world, all but the last of them zombies, and an adversary between any two steps."""

    def __init__(self, seed: int, broken: str) -> None:
        self.seed = seed
        self.rnd = random.Random(seed)  # a schedule, not a secret
        self.world = World(self.rnd, broken)
        self.processors = [Processor(self.world)]
        self.world.owner = self.processors[0]

    def replace(self, *, keep: bool) -> None:
        if not keep:
            self.processors.pop()
        self.processors.append(Processor(self.world))
        self.world.owner = self.processors[-1]

    def disturb(self) -> None:
        chance, world = self.rnd.random(), self.world
        if chance < 0.75:
            (self.rnd.choice(self.processors) if self.rnd.random() < 0.3 else self.processors[-1]).step()
        elif chance < 0.90:
            self.replace(keep=chance < 0.82)  # a rebalance leaves a zombie, a crash does not
        elif chance < 0.95:
            back = self.rnd.randrange(max(0, len(world.snapshots) - 4), len(world.snapshots))
            world.store.restore(world.snapshots[back])
            del world.snapshots[back + 1 :]

    def quieten(self) -> None:
        self.replace(keep=True)
        for _ in range(240):
            self.processors[-1].step()
        for zombie in self.processors[:-1]:
            for _ in range(3):
                zombie.step()
        for _ in range(240):
            self.processors[-1].step()

    def check(self) -> None:
        world = self.world
        published = {topic: records for topic, records in world.inputs.items() if topic != TOPICS.internal}
        bad = [(topic, n) for topic, records in published.items() for n, one in enumerate(records) if one is None]
        assert sorted(world.quarantine) == sorted(bad), (self.seed, "quarantine")
        facts = [record for records in published.values() for record in records if record is not None]
        truth = compute(facts, lambda _: BOOK)
        told = world.told().departments
        for subject, one in truth.items():
            standing = world.store.standing(0, subject)
            assert standing is not None
            assert standing.counts == one.standing.counts, (self.seed, "counts", subject)
            assert standing.answers == one.standing.answers, (self.seed, "answers", subject)
            assert standing.merged_into == one.standing.merged_into, (self.seed, "merged_into", subject)
            for department in {*one.judgement.measures, *(d for d, s in told if s == subject)}:
                held = marks_of(told[department, subject].told) if (department, subject) in told else {}
                assert held == one.marks().get(department, {}), (self.seed, "department", department, subject)
                if (department, subject) in told:
                    known = standing.told.get(department)
                    assert known is not None, (self.seed, "told", department)
                    assert known.measures == told[department, subject].told.measures, (self.seed, "since", department)


def run(seed: int, broken: str = "") -> int:
    """One schedule; returns how many notices were published twice."""
    schedule = Schedule(seed, broken)
    for _ in range(schedule.rnd.randint(10, 80)):
        schedule.disturb()
    schedule.quieten()
    schedule.check()
    out = schedule.world.out
    return len(out) - len({(n["department"], n["subject"], n["epoch"], n["n"]) for n in out})


@pytest.mark.parametrize("block", range(10))
def test_nothing_is_lost_wrong_or_told_twice(block: int) -> None:
    assert sum(run(seed) for seed in range(block * 100, block * 100 + 100)) == 0


@pytest.mark.parametrize("broken", ["noreconcile", "nogeneration", "nofence", "norejections"])
def test_a_broken_rule_is_found(broken: str) -> None:
    found = 0
    for seed in range(1000):
        try:
            found += run(seed, broken)
        except AssertionError:
            found += 1
        if found:
            return
    pytest.fail(f"1,000 schedules without the rule {broken!r} broke nothing")
