"""What tests of checks share: standings in the real Redis, the portal in a thread, and a department's client of it."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from consumers.portal.run import Portal, bind_portal
from deploy.outbound import Publishers
from deploy.portal import portal_parts
from exchange.api_keys import RedisKeys, issue
from exchange.directory_memory import MemoryDirectory
from exchange.domain.facts import FURTHER, read_fact
from exchange.domain.judge import RuleBook
from exchange.domain.oracle import compute
from exchange.domain.standing import Imposed, Standing, Told
from exchange.domain.synthetic import synthetic_uscc
from exchange.partitioner import partition_of
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.standing_store import Commit
from exchange.store import Store
from tests.portal import CODEC, POLICY
from tests.producing import PERSON_KEYS
from tests.pulling import Client, await_port

FIN = "gd.fin"
Record = tuple[str, Mapping[str, Any]]


def listing(subject: str, number: int, list_code: str = "TAX", **fields: Any) -> Record:
    """A listing by the tax service."""
    record = {
        "subject": subject, "department": "gd.tax", "document": f"粤税失信〔2026〕{number}号", "revision": 1,
        "decided_on": date(2026, 5, 20), "published_at": datetime(2026, 5, 20, 1, tzinfo=UTC), "list_code": list_code, "grounds": "1",
        "serious": True, "basis": "《重大税收违法失信主体信息公布管理办法》第六条",
    }  # fmt: skip
    return "listing", record | fields


def registration(subject: str, **fields: Any) -> Record:
    """A registration of an organisation."""
    record = {
        "subject": subject, "subject_name": "合成一号有限公司", "department": "gd.amr", "document": "设立", "revision": 1,
        "decided_on": date(2020, 1, 1), "published_at": datetime(2026, 5, 20, 1, tzinfo=UTC),
    }  # fmt: skip
    return "registration", record | fields


def put_standings(settings: Settings, records: Iterable[Record], told: Mapping[str, Told] | None = None) -> None:
    """Put into Redis what follows from some records; every listed subject's departments were told `told`."""
    facts = []
    for offset, (record_type, record) in enumerate(records):
        plain = CODEC.plain(record_type, record)
        fact = read_fact(record_type, plain, digest=offset, arrived_at=1_780_000_000, offset=offset)
        further = FURTHER[record_type](plain, fact) if record_type in FURTHER else []
        facts += [(str(record["subject"]), one) for one in (fact, *further)]
    day = int(datetime.now(UTC).timestamp()) // 86_400
    store = Store(connect(settings.redis))
    for subject, found in compute(facts, lambda _: RuleBook(POLICY, day)).items():
        number = partition_of(subject, settings.partitions)
        standing: Standing = found.standing._replace(told=dict(told or {}))
        cursor = store.cursor(number)
        (fenced,) = store.commit(
            [Commit(partition=number, expected=cursor.token, token=f"{subject}", standings=[(subject, standing)])]
        )
        assert fenced is None


def was_told(department: str, measure: str, n: int) -> dict[str, Told]:
    """What a department was told by its n-th notice."""
    return {department: Told(n, {measure: Imposed(1, 0, n, 20_000)}, {})}


class Served(NamedTuple):
    """The portal, and a client of the department of finance."""

    url: str
    client: Client


@contextmanager
def serving(settings: Settings, department: str = FIN) -> Iterator[Served]:
    """The portal in a thread of this process, on a port of its own."""
    settings = settings.model_copy(
        update={
            "portal_port": 0, "portal_plain_http": True,
            "person_keys": type(settings.person_keys)(PERSON_KEYS),
        }
    )  # fmt: skip
    with Publishers(settings) as publishers:
        parts = portal_parts(settings, MemoryDirectory(), publishers, embedded=True)
        portal = Portal(settings, parts, bind_portal(settings))
        thread = threading.Thread(target=portal.run, name="portal")
        thread.start()
        await_port(portal.url)
        key = issue(RedisKeys(connect(settings.redis)), department, "test", datetime.now(UTC))[0]
        try:
            yield Served(portal.url, Client(portal.url, key))
        finally:
            portal.stop()
            thread.join(30)
            assert not thread.is_alive(), "the portal does not end"


def firm(number: int) -> str:
    """The subject of the n-th synthetic organisation."""
    return f"org:{synthetic_uscc(number)}"
