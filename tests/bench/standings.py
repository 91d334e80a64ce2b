"""Standings for benches: organisations in Redis as the store packs them, one in ten on a list."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice

import msgspec

from exchange.domain.facts import read_fact
from exchange.domain.fold import stand
from exchange.domain.record import Entry
from exchange.domain.standing import Imposed, Standing, Told
from exchange.domain.synthetic import synthetic_organisation
from exchange.partitioner import partition_of
from exchange.redis_client import connect
from tests.bench.measured import Bench

LISTED = 10
"""One organisation in so many is on a list."""
KINDS = 1000
"""Different standings."""


def fill(bench: Bench, count: int) -> None:
    """Put standings into Redis, packed as the store packs them; a thousand different ones, each of many organisations."""
    client, encode = connect(bench.redis()), msgspec.msgpack.Encoder(order=None).encode
    kinds = [encode(standing_of(bench, number)) for number in range(KINDS)]
    for some in _chunks(iter(range(count)), 5000):
        pipeline = client.pipeline(transaction=False)
        for number in some:
            subject = f"org:{synthetic_organisation(number)}"
            pipeline.set(f"{{{partition_of(subject, bench.settings.partitions)}}}:s:{subject}", kinds[number % KINDS])
        pipeline.execute()


def standing_of(bench: Bench, number: int) -> Standing:
    """The standing of the organisations of one kind; of one kind in ten departments have been told of its listing."""
    entries = {}
    for record_type, record in records(f"org:{synthetic_organisation(number)}", number):
        plain = bench.codec.plain(record_type, record)
        fact = read_fact(record_type, plain, digest=number, arrived_at=1_790_000_000, offset=number)
        entries[fact.key] = Entry({fact.slot: fact.version})
    standing = stand(entries)._replace(updated_at=1_790_000_000)
    if number % LISTED:
        return standing
    imposed = {"procurement_ban": Imposed(number, 0, 1, 20_000)}
    return standing._replace(told={slug: Told(1, imposed, {}) for slug in bench.departments[:24]})


def records(subject: str, number: int) -> Iterator[tuple[str, dict[str, object]]]:
    """The registration of an organisation, and the listing of one in ten."""
    common = {
        "subject": subject,
        "subject_name": f"合成第{number:07d}号有限公司",
        "revision": 1,
        "published_at": datetime.now(UTC),
    }
    yield (
        "registration",
        common | {"department": "gd.amr", "document": "设立", "decided_on": date(2020, 1, 1), "status": "ACTIVE"},
    )
    if number % LISTED == 0:
        yield "listing", common | {
            "department": "gd.tax", "document": f"粤税失信〔2026〕{number}号", "decided_on": date(2026, 5, 20), "list_code": "TAX",
            "grounds": "1", "serious": True, "basis": "《重大税收违法失信主体信息公布管理办法》第六条",
        }  # fmt: skip


def _chunks(numbers: Iterator[int], size: int) -> Iterator[list[int]]:
    while chunk := list(islice(numbers, size)):
        yield chunk
