"""The queue over random interleavings, crashes among them: nothing stale after something newer, everything in the end."""

from collections import defaultdict

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumers.dispatcher.queue import KEPT, Pointer, Queue, Sequence

SUBJECTS = ("a", "b", "c")
encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Pointer).decode


class Dispatch(RuleBasedStateMachine):
    """A topic, a queue, and what is written down; an attempt may deliver and die before it is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.topic: list[tuple[str, Sequence]] = []
        self.queue = Queue()
        self.now = 0
        self.offset = self.written_offset = 0
        self.pending: dict[str, bytes] = {}
        self.marks: dict[str, Sequence] = {}
        self.received: dict[str, list[Sequence]] = defaultdict(list)
        self.known: dict[str, set[Sequence]] = defaultdict(set)
        self.flying: list[Pointer] = []
        self.newest = dict.fromkeys(SUBJECTS, (0, 0))

    @rule(subject=st.sampled_from(SUBJECTS), epoch=st.booleans())
    def issue(self, subject: str, epoch: bool) -> None:
        e, n = self.newest[subject]
        self.newest[subject] = (e + 1, 1) if epoch and n else (e, n + 1)
        self.topic.append((subject, self.newest[subject]))

    @precondition(lambda self: self.topic)
    @rule(data=st.data())
    def issue_stale(self, data: st.DataObject) -> None:
        self.topic.append(data.draw(st.sampled_from(self.topic)))

    @rule(count=st.integers(1, 5))
    def take_in(self, count: int) -> None:
        for subject, (epoch, n) in self.topic[self.offset : self.offset + count]:
            pointer = Pointer(
                partition=0, subject=subject, epoch=epoch, n=n, notice=f"{subject}{epoch}.{n}", offset=self.offset,
                issued_at=self.offset,
            )  # fmt: skip
            if self.queue.offer(pointer, delivered=self.marks.get(subject)):
                self.pending[subject] = encode(pointer)
            self.offset += 1
        self.written_offset = self.offset

    @rule()
    def send(self) -> None:
        pointer = self.queue.take(self.now)
        if pointer is not None:
            assert all(one.subject != pointer.subject for one in self.flying), "one at a time"
            self.flying.append(pointer)

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 2), written=st.booleans())
    def succeed(self, which: int, written: bool) -> None:
        pointer = self.flying.pop(which % len(self.flying))
        self.arrive(pointer)
        if not written:  # it dies here
            self.crash()
            return
        kept = self.queue.succeeded(pointer)
        self.marks[pointer.subject] = pointer.sequence
        self.keep(pointer.subject, kept)
        self.queue.settled(pointer)

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 2), wait=st.integers(0, 5))
    def fail(self, which: int, wait: int) -> None:
        pointer = self.flying.pop(which % len(self.flying))
        kept = self.queue.failed(pointer, next_at=self.now + wait, attempts=pointer.attempts + 1)
        if kept is not None:
            self.keep(pointer.subject, kept)

    @rule()
    def wait(self) -> None:
        self.now += 3

    @rule()
    def crash(self) -> None:
        """Begin again from what is written down, and read to the end before anything is sent."""
        self.queue, self.flying = Queue(), []
        self.queue.hold(0)
        for raw in self.pending.values():
            self.queue.load(decode(raw))
        self.offset = self.written_offset
        self.take_in(len(self.topic))
        assert self.queue.take(self.now) is None, "held until it is read to its end"
        self.queue.release(0)

    def keep(self, subject: str, kept: Pointer | None) -> None:
        if kept is None:
            self.pending.pop(subject, None)
        else:
            self.pending[subject] = encode(kept)

    def arrive(self, pointer: Pointer) -> None:
        told = self.received[pointer.subject]
        assert not told or pointer.sequence >= told[-1], "nothing stale after something newer"
        told.append(pointer.sequence)
        assert len(pointer.skipped) <= KEPT
        self.known[pointer.subject] |= {one.sequence for one in pointer.skipped} | {pointer.sequence}
        history = [one.sequence for one in pointer.skipped]
        assert history == sorted(history)
        assert all(one < pointer.sequence for one in history)

    @invariant()
    def what_is_under_way_is_known(self) -> None:
        assert {one.subject for one in self.flying} == set(self.queue.under_way)

    def teardown(self) -> None:
        self.take_in(len(self.topic))
        for pointer in self.flying:
            self.queue.failed(pointer, next_at=0, attempts=1)
        self.now += 1000
        while (due := self.queue.take(self.now)) is not None:
            self.arrive(due)
            self.queue.succeeded(due)
        issued: dict[str, set[Sequence]] = defaultdict(set)
        for subject, sequence in self.topic:
            issued[subject].add(sequence)
        for subject, sequences in issued.items():
            assert self.received[subject][-1] == max(sequences), "the newest arrives"
            assert sequences == self.known[subject], "and what it replaced is in its history"


TestDispatch = Dispatch.TestCase
TestDispatch.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
