"""A portal for tests of rooms: standings worked out by the oracle, texts in memory, everybody the visitor that the test says."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from redis.asyncio import Redis
from starlette.testclient import TestClient

from consumers.directory.intake import BY_DAY, filed_of
from consumers.portal.app import build_app
from consumers.portal.pages import Pages
from consumers.portal.parts import Books, Parts
from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.directory import Intake
from exchange.directory_memory import MemoryDirectory
from exchange.domain.access import PUBLIC, Visitor
from exchange.domain.enrolment import Registered
from exchange.domain.facts import FURTHER, read_fact
from exchange.domain.judge import RuleBook
from exchange.domain.oracle import compute
from exchange.domain.record import Fact
from exchange.known_as import load_portal_keys
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.pseudonym import load_person_keys
from exchange.report_seal import ReportSeals
from exchange.risk_files import load_risk
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from exchange.standing_store import Commit
from exchange.store_memory import MemoryStore
from tests.visiting import DoorFor

CATALOGUE = load_catalogue(SCHEMAS)
POLICY = load_policy(SCHEMAS, CATALOGUE)
CODEC = Codec.from_files(SCHEMAS)

Records = Iterable[tuple[str, Mapping[str, Any]]]
"""(record type, record as people write it)."""


class Nowhere:
    """No bus to publish on."""

    def publish(self, department: str, record: Mapping[str, Any], record_type: str) -> Future[Any]:
        raise AssertionError(f"{department} published {record_type}")


class TestPortal:
    """A portal over some records.

    Args:
        records: all that departments published.
        visitor: who everybody is.
        settings: of the bus.
    """

    __test__ = False

    def __init__(self, records: Records, visitor: Visitor = PUBLIC, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        store, directory = MemoryStore(), MemoryDirectory()
        books = Books(POLICY)
        facts: list[tuple[str, Fact]] = []
        for offset, (record_type, record) in enumerate(records):
            subject, department = str(record["subject"]), str(record["department"])
            plain = CODEC.plain(record_type, record)
            fact = read_fact(record_type, plain, digest=offset, arrived_at=1_780_000_000 + offset, offset=offset)
            facts.append((subject, fact))
            if record_type in FURTHER:
                facts += [(subject, further) for further in FURTHER[record_type](plain, fact)]
            registered = []
            if record_type == "registration":
                registered.append(
                    Registered(
                        entry=fact.key, revision=fact.version.revision, digest=offset, decided_on=fact.version.decided_on,
                        subject=subject, name=plain["subject_name"], division=plain["division"], kind=plain["kind"],
                        status=plain["status"], aliases=(),
                    )
                )  # fmt: skip
            raw = CODEC.encode(record_type, record)
            filed = [filed_of(subject, fact, plain["division"], POLICY)] if record_type in BY_DAY else []
            directory.keep(Intake(records=[((department, 0, offset), raw)], registered=registered, filed=filed))
        self.today = books.today().as_of
        truth = compute(facts, lambda _: RuleBook(POLICY, self.today))
        for count, (subject, found) in enumerate(truth.items()):
            number = partition_of(subject, settings.partitions)
            entries = [(subject, key, entry) for key, entry in found.entries.items()]
            token = store.cursor(number).token
            store.commit(
                [Commit(partition=number, expected=token, token=f"t{count}", standings=[(subject, found.standing)], entries=entries)]
            )  # fmt: skip
        self.parts = Parts(
            settings=settings, store=store, catalogue=CATALOGUE, books=books, codec=CODEC, directory=directory,
            pages=Pages(CATALOGUE), keys=load_portal_keys(settings, embedded=True),
            person_keys=load_person_keys(settings, embedded=True), outbound=Nowhere(), redis=Redis(),
            seals=ReportSeals(load_signing_keys(settings, embedded=True), settings.topic_prefix),
            risk=load_risk(SCHEMAS, CATALOGUE),
        )  # fmt: skip
        self.door = DoorFor(visitor)
        self.app = build_app(self.parts, self.door)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def text(self, path: str, *, status: int = 200) -> str:
        """A page's text, once its status is what it should be."""
        self.client.cookies.clear()
        response = self.client.get(path)
        assert response.status_code == status, response.text
        return response.text
