"""Early warning counts rightly whatever is lost of its tables after a crash, as long as what was committed is in them."""

import random
from collections import Counter
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.early_warning.intake import Window
from consumers.early_warning.spans import KEPT_DAYS
from exchange.domain.calendar import DAY_MS
from tests.early_warning import (
    NAMES,
    TODAY,
    FakeMessage,
    Happening,
    LoggedTables,
    Worker,
    ends_of,
    messages_of,
    over,
    penalty,
    recounted,
    registration,
)


def happenings(rnd: random.Random, *, firms_move: bool = False) -> list[Happening]:
    """A few days of few subjects: many penalties of two departments, some twice, registrations before and after them.

    Where firms move, their registrations name another industry each time.
    """
    found, days = [], rnd.choice((3, KEPT_DAYS - 8))
    for at in sorted(rnd.randrange(TODAY - days * DAY_MS, TODAY + DAY_MS) for _ in range(rnd.randrange(5, 60))):
        number = rnd.randrange(1, 6)
        if rnd.random() < 0.15:
            found.append(
                registration(
                    number,
                    at,
                    industry=rnd.choice("CFG") if firms_move else "CF"[number % 2],
                    division=rnd.choice(("440300", "")),
                )
            )
        else:
            department, division = rnd.choice(("gd.amr", "gd.tax")), rnd.choice(("440106", ""))
            found.append(penalty(number, f"罚{rnd.randrange(20)}", at, department, division=division))
    return found


class DiedError(Exception):
    """The worker has died."""


class Crashing:
    """A worker that dies at any time and begins anew on its own machine or on another.

    Of each table the log keeps all that was on the broker when the last stage began, and of what came later a beginning. Messages
    come in the order of their topics, whatever the order between topics.
    """

    def __init__(self, messages: list[FakeMessage], rnd: random.Random) -> None:
        self.tables, self.rnd = LoggedTables(), rnd
        self.worker = Worker(self.tables)
        self.ends = ends_of(messages)
        self.topics: dict[tuple[str, int], list[FakeMessage]] = {}
        for one in messages:
            self.topics.setdefault((one.topic(), one.partition()), []).append(one)
        self.done, self.committed = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
        self.lengths = self.tables.lengths()

    def run(self) -> None:
        while self.done.total() < sum(map(len, self.topics.values())):
            try:
                self.step()
            except DiedError:
                self.begin_anew()

    def step(self) -> None:
        batch = []
        for place in self.rnd.sample(sorted(self.topics), self.rnd.randrange(1, len(self.topics) + 1)):
            at = self.done[place]
            batch += self.topics[place][at : at + self.rnd.randrange(12)]
        self.worker.take(batch, self.before_stage)
        self.done.update((one.topic(), one.partition()) for one in batch)
        if self.rnd.random() < 0.3:
            self.worker.close(TODAY, self.ends, before_stage=self.before_stage)
        if self.rnd.random() < 0.3:
            self.lengths = self.tables.lengths()
            self.committed = self.done.copy()
        self.may_die()

    def before_stage(self) -> None:
        self.may_die()
        self.lengths = self.tables.lengths()

    def may_die(self) -> None:
        if self.rnd.random() < 0.2:
            raise DiedError

    def begin_anew(self) -> None:
        is_elsewhere = self.rnd.random() < 0.5
        for name in NAMES:
            table = getattr(self.tables, name)
            length = self.rnd.randrange(self.lengths[name], len(table.log) + 1)
            if is_elsewhere:
                table.fall_back(length)
            else:
                table.lose(length)
                table.catch_up(self.rnd.randrange(self.lengths[name], length + 1))
        published = self.worker.published
        self.worker = Worker(self.tables)
        self.worker.published = published
        self.done, self.lengths = self.committed.copy(), self.tables.lengths()


@given(st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_windows_are_right_after_crashes(seed: int) -> None:
    rnd = random.Random(seed)
    messages = messages_of(happenings(rnd))
    crashing = Crashing(messages, rnd)
    crashing.run()
    crashing.worker.close(TODAY + 5 * DAY_MS, crashing.ends, crashing.ends)
    assert crashing.worker.published == over(recounted(messages), TODAY + 5 * DAY_MS), seed


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_firm_that_moves_is_counted_once_though_the_industry_may_be_of_either(seed: int) -> None:
    rnd = random.Random(seed)
    messages = messages_of(happenings(rnd, firms_move=True))
    crashing = Crashing(messages, rnd)
    crashing.run()
    crashing.worker.close(TODAY + 5 * DAY_MS, crashing.ends, crashing.ends)
    right = over(recounted(messages), TODAY + 5 * DAY_MS)
    assert without_industry(crashing.worker.published) == without_industry(right), seed


def without_industry(counts: Mapping[Window, int]) -> Counter[tuple[int, str, int]]:
    """Sums over industries."""
    found: Counter[tuple[int, str, int]] = Counter()
    for (width, series, start), count in counts.items():
        found[width, series.split(".industry.")[0], start] += count
    return +found


def test_a_table_that_lost_what_was_committed_is_found_out() -> None:
    messages = messages_of(penalty(n, f"罚{n}", TODAY - DAY_MS + n) for n in range(1, 9))
    tables = LoggedTables()
    Worker(tables).take(messages)
    tables.days.fall_back(2)  # type: ignore[attr-defined] # a LoggedTable
    worker = Worker(tables)
    worker.close(TODAY, ends_of(messages), ends_of(messages))
    right = over(recounted(messages), TODAY)
    assert worker.published != right
    assert sum(worker.published.values()) < sum(right.values())
