"""The job of the standing processor as a peer does it: the same decoding, validation, join and Redis keys, without its loop.

A peer has no fenced commit, so it may not keep standings in process: another instance could have changed them. All else is
the processor's own code, which makes the comparison one of loops, clients and state, not of business logic.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from consumers.standing.decode import Decoder
from consumers.standing.join import Join
from consumers.standing.partition import Partition
from consumers.standing.run import calm_collector
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.domain.calendar import day_of
from exchange.domain.judge import RuleBook
from exchange.domain.response import ResponseRules
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics
from exchange.working_days import load_working_days
from tests.bench.peers.job_names import PROGRESS


class PeerJob:
    """Joins batches and writes them to Redis; the peer publishes what comes back."""

    def __init__(self) -> None:
        calm_collector()
        settings = Settings()
        self.settings = settings
        self.topics = Topics(settings.topic_prefix)
        catalogue = load_catalogue(SCHEMAS)
        self.departments = sorted(catalogue.departments)
        self.codec = open_codec(settings, SCHEMAS)
        self.client = connect(settings.redis)
        policy = load_policy(SCHEMAS, catalogue)
        self.decoder = Decoder(
            self.codec, catalogue, self.topics, policy, partitions=settings.partitions, limit=1 << 30
        )
        self._store = Store(self.client)
        self._today = day_of(time.time_ns() // 1_000_000)
        numbers = (f"{os.getpid()}-{n}" for n in itertools.count())
        self.rules = ResponseRules(deadline=load_working_days().deadlines())
        self.book = RuleBook(policy, self._today)
        self.new_token: Callable[[], str] = lambda: next(numbers)
        self.join = Join(self._store, self.topics, self.codec, self.book, self.rules, self.new_token)
        self._partitions: dict[int, Partition] = {}

    def partition(self, number: int) -> Partition:
        partition = self._partitions.get(number)
        if partition is None:
            token = self._store.cursor(number).token
            partition = self._partitions[number] = Partition(
                number=number, token=token, epoch=0, reconcile=False, offsets={}, known={}
            )
        return partition

    def process(self, messages: Sequence[Any]) -> Iterable[tuple[str, bytes, bytes]]:
        """Join one batch (objects with confluent-kafka's Message methods) and write it to Redis.

        Returns:
            What is to be published: topic, key, value.
        """
        now = time.time_ns() // 1_000_000
        decoded = self.decoder.decode(messages, self.partition, self._today)
        batch = self.join.begin(decoded.values(), {})
        for work in batch:
            self.join.judge(work, now=now)
        commits = [self.join.finish(work, now=now) for work in batch]
        outgoing = []
        for commit in commits:
            outgoing += commit.messages
            commit.messages = []  # a peer publishes by its own means, there is no outbox
        for work, commit, error in zip(batch, commits, self._store.commit(commits), strict=True):
            if error:
                raise error
            work.partition.token = commit.token
        self.client.incrby(PROGRESS, len(messages))
        return outgoing
