"""Simulates another policy over all standings of a bus: shares in processes of their own, brought together at the end."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from consumers.simulation.reading import batches, read_standings, walk
from exchange.domain.effect import Effect
from exchange.domain.judge import RuleBook
from exchange.domain.policy import Policy
from exchange.domain.record import Entry
from exchange.domain.simulate import Books, Share, Simulation, conclude
from exchange.errors import CreditbusError, FatalError
from exchange.redis_client import connect
from exchange.store import Store

Tell = Callable[[int], None]
"""Told how many standings have been taken in so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        redis: URL of the bus's Redis.
        partitions: of the bus.
        now: the policy in force. then: the other one.
        as_of: the day on which both are looked at (days since 1970-01-01).
    """

    redis: str
    partitions: int
    now: Policy
    then: Policy
    as_of: int

    def books(self) -> Books:
        """Both policies on the day."""
        return Books(RuleBook(self.now, self.as_of), RuleBook(self.then, self.as_of))


def judged_by(redis: str, partitions: int) -> set[str]:
    """Versions of the policy by which the bus's processors judge at present; empty before the first of them ran."""
    store = Store(connect(redis))
    return {store.cursor(number).policy for number in range(partitions)} - {""}


def simulate(question: Question, workers: int, tell: Tell = lambda _: None) -> Effect:
    """The effect over all standings as they lie in Redis; the bus goes on meanwhile.

    Args:
        question: policies, day and bus.
        workers: processes; no more than there are partitions are of use.
        tell: of the progress over all shares.

    Raises:
        RetryLaterError: Redis is away.
        FatalError: `worker_died`.
    """
    shares = min(workers, question.partitions)
    if shares == 1:
        return conclude([take_share(question, 0, 1, tell)], question.books())
    context = multiprocessing.get_context("spawn")  # this process may have threads
    with ExitStack() as open_:
        receivers: list[Connection] = []
        for share in range(shares):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(sender, question, share, shares), daemon=True)
            process.start()
            sender.close()
            open_.callback(process.join)
            open_.callback(process.terminate)
            receivers.append(open_.enter_context(receiver))
        return conclude(_gather(receivers, tell), question.books())


def _gather(receivers: list[Connection], tell: Tell) -> list[Share]:
    """What the workers come to; their progress is told meanwhile."""
    counts = dict.fromkeys(receivers, 0)
    shares: list[Share] = []
    while receivers:
        for one in wait(receivers):
            if not isinstance(one, Connection):
                continue
            try:
                said = one.recv()
            except EOFError as error:
                raise FatalError(
                    "a worker of the simulation died", code="worker_died", remedy="is there memory? try --workers 1"
                ) from error
            match said:
                case int():
                    counts[one] = said
                    tell(sum(counts.values()))
                case CreditbusError():
                    raise said
                case Share():
                    shares.append(said)
                    receivers = [other for other in receivers if other is not one]
    return shares


def _work(sender: Connection, question: Question, share: int, shares: int) -> None:
    """A worker process: says how far it is, and at the end its share or the error that stopped it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked ends it
    try:
        sender.send(take_share(question, share, shares, sender.send))
    except CreditbusError as error:
        sender.send(error)


def take_share(question: Question, share: int, shares: int, tell: Tell) -> Share:
    """One share of the standings."""
    client = connect(question.redis)
    store = Store(client)
    simulation = Simulation(question.books())
    count = 0
    for batch in batches(walk(client, share, shares)):
        standings = list(read_standings(client, batch))
        wanted: dict[int, list[str]] = {}
        for (number, subject), standing in standings:
            if simulation.wants_records(standing):
                wanted.setdefault(number, []).append(subject)
        records: dict[str, dict[str, Entry]] = {}
        for number, subjects in wanted.items():
            records.update(zip(subjects, store.entries_of(number, subjects), strict=True))
        for (_, subject), standing in standings:
            simulation.add(subject, standing, records.get(subject))
        count += len(standings)
        tell(count)
    return simulation.share
