"""The job: what the standing processor itself does to an event, without servers, in CPU microseconds by stage.

    python -m tests.bench.job [--records 60000] [--subjects 10000] [--batch 5000] [--profile] [--json]

Every contestant of the throughput bench does this same job, so it bounds what loop, client and state can win. This is the bench to
run before and after a change to the hot path: it needs ten seconds and is little disturbed by other programs.
"""

import argparse
import cProfile
import itertools
import pstats
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from consumers.standing.decode import Decoder
from consumers.standing.join import Join
from consumers.standing.partition import Partition
from consumers.standing.run import calm_collector
from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.domain.calendar import day_of
from exchange.domain.judge import RuleBook
from exchange.domain.response import ResponseRules
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from exchange.store import pack
from exchange.store_memory import MemoryStore
from exchange.topics import Topics
from exchange.working_days import load_working_days
from producers.simulator.simulate import simulate
from tests.bench.measured import machine, print_result

WARM_UP = 0.25
"""Share of the records that is done before the clock starts."""
STAGES = ("decode", "fold", "judge", "pack")


@dataclass(slots=True, kw_only=True)
class Recorded:
    """A message with confluent-kafka's methods."""

    record_topic: str
    number: int
    place: int
    record_key: bytes
    raw: bytes
    at: int

    def topic(self) -> str:
        return self.record_topic

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.place

    def key(self) -> bytes:
        return self.record_key

    def value(self) -> bytes:
        return self.raw

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, self.at)


def messages(codec: Codec, topics: Topics, partitions: int, subjects: int) -> Iterator[Recorded]:
    """A synthetic province's records, without end."""
    offsets: Counter[tuple[str, int]] = Counter()
    keys = load_person_keys(Settings(), embedded=True)
    for department, record_type, value in simulate(20261123, subjects, today=datetime.now(UTC).date(), keys=keys):
        raw = codec.encode_plain(record_type, codec.plain(record_type, value))
        topic, number = topics.into(department), partition_of(value["subject"], partitions)
        place = offsets[topic, number]
        offsets[topic, number] += 1
        at = time.time_ns() // 1_000_000
        yield Recorded(
            record_topic=topic, number=number, place=place, record_key=value["subject"].encode(), raw=raw, at=at
        )


class Processor:
    """Takes batches as the loop does, on the store's in-memory twin."""

    def __init__(self, codec: Codec, topics: Topics, partitions: int) -> None:
        catalogue = load_catalogue(SCHEMAS)
        policy = load_policy(SCHEMAS, catalogue)
        self._today = day_of(time.time_ns() // 1_000_000)
        self._store = MemoryStore()
        self._decoder = Decoder(codec, catalogue, topics, policy, partitions=partitions, limit=1000)
        tokens = (str(number) for number in itertools.count())
        book = RuleBook(policy, self._today)
        self._join = Join(
            self._store,
            topics,
            codec,
            book,
            ResponseRules(deadline=load_working_days().deadlines()),
            lambda: next(tokens),
        )
        self._partitions = {
            number: Partition(number=number, token="", epoch=0, reconcile=False, offsets={}, known={})
            for number in range(partitions)
        }
        self.cost: Counter[str] = Counter()
        self.notices = 0

    def take(self, batch: list[Recorded]) -> None:
        """One batch."""
        now = time.time_ns() // 1_000_000
        times = [time.process_time()]
        decoded = self._decoder.decode(batch, self._partitions.get, self._today)
        times.append(time.process_time())
        works = self._join.begin(decoded.values(), {})
        times.append(time.process_time())
        for work in works:
            self._join.judge(work, now=now)
        commits = [self._join.finish(work, now=now) for work in works]
        times.append(time.process_time())
        for commit in commits:
            pack(commit, "")
        times.append(time.process_time())
        for stage, (begin, end) in zip(STAGES, itertools.pairwise(times), strict=True):
            self.cost[stage] += end - begin  # type: ignore[assignment] # a counter of seconds
        self._store.commit(commits)
        for work, commit in zip(works, commits, strict=True):
            work.partition.token = commit.token
            work.partition.cache.update(work.standings)
            work.partition.offsets.update(work.decoded.offsets)
            self.notices += sum(".out." in topic for topic, _, _ in commit.messages)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=Settings().batch_records)
    parser.add_argument("--profile", action="store_true", help="where the time goes, by function")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    codec, topics, partitions = Codec.from_files(SCHEMAS), Topics("bench"), Settings().partitions
    records = list(islice(messages(codec, topics, partitions, arguments.subjects), arguments.records))
    processor, profile = Processor(codec, topics, partitions), cProfile.Profile()
    calm_collector()
    counted = 0
    for begin in range(0, len(records), arguments.batch):
        batch = records[begin : begin + arguments.batch]
        if begin < len(records) * WARM_UP:
            processor.take(batch)
            processor.cost.clear()
            continue
        counted += len(batch)
        if arguments.profile:
            profile.runcall(processor.take, batch)
        else:
            processor.take(batch)
    if arguments.profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    by_stage = {f"{stage}_us": round(processor.cost[stage] / counted * 1e6, 2) for stage in STAGES}
    result: dict[str, object] = {
        "bench": "job", "records": len(records), "subjects": arguments.subjects, "batch": arguments.batch, **machine(),
        **by_stage, "job_us": round(processor.cost.total() / counted * 1e6, 2),
        "notices_per_record": round(processor.notices / len(records), 3),
    }  # fmt: skip
    print_result(result, as_json=arguments.json)


if __name__ == "__main__":
    main()
