"""An archive made without a broker: messages as a consumer would give them, judged, made into rows and committed."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from consumers.archive.intake import ArchiveIntake, Gathered
from consumers.archive.keeper import ArchiveKeeper
from consumers.standing.acceptance import NEVER_HELD
from consumers.standing.decode import Decoder
from exchange.archive_rows import RowMaker
from exchange.archive_tables import INTAKE, NOTICE, REJECTION, STANDING_CHANGE, archive_tables
from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.domain.calendar import DAY_MS, to_day
from exchange.fed_folder import Bus
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.topics import Topics

CODEC, CATALOGUE, TOPICS = Codec.from_files(SCHEMAS), load_catalogue(SCHEMAS), Topics("credit")
POLICY = load_policy(SCHEMAS, CATALOGUE)
BUS = Bus("credit", 4, "cluster")
NOON = to_day(date(2026, 11, 20)) * DAY_MS + 4 * 3_600_000
"""When messages come, unless they say otherwise: noon in China."""
NOT_THEIRS = frozenset({"objection/raised", "repair/applied", "social_report/association"})
"""Examples that are well made, and yet refused: their department may not publish them."""


@dataclass
class Message:
    """As a consumer gives it."""

    of_topic: str
    raw: bytes | None
    number: int = 0
    about: bytes = b""
    at: int = NOON
    of_partition: int = 0
    carried: list[tuple[str, bytes]] | None = field(default=None)

    def topic(self) -> str:
        return self.of_topic

    def partition(self) -> int:
        return self.of_partition

    def offset(self) -> int:
        return self.number

    def key(self) -> bytes:
        return self.about

    def value(self) -> bytes | None:
        return self.raw

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self.carried

    def timestamp(self) -> tuple[int, int]:
        return 1, self.at


def example_messages() -> list[Message]:
    """Every golden example that is accepted, each on its topic, numbered in order."""
    topic_of = {
        STANDING_CHANGE: TOPICS.standing,
        NOTICE: TOPICS.out_of("gd.fin"),
        REJECTION: TOPICS.rejected_of("gd.tax"),
    }
    numbers: dict[str, int] = {}
    messages = []
    for path in sorted(SCHEMAS.glob("examples/*/*.hex")):
        raw = bytes.fromhex(path.read_text("ascii"))
        record_type, value = CODEC.decode_plain(raw)
        if record_type in archive_tables(CODEC.contracts) and f"{record_type}/{path.stem}" not in NOT_THEIRS:
            topic = topic_of.get(record_type) or TOPICS.into(value["department"])
            number = numbers[topic] = numbers.get(topic, -1) + 1
            messages.append(Message(topic, raw, number, value.get("subject", "").encode()))
    return messages


def new_intake(codec: Codec = CODEC, *, now: int = NOON, partitions: int = 1) -> ArchiveIntake:
    """By the rules of the files under `schemas/`."""
    decoder = Decoder(codec, CATALOGUE, TOPICS, POLICY, partitions=partitions, limit=NEVER_HELD)
    makers = {
        name: RowMaker(table, codec.contracts.latest[name].schema)
        for name, table in archive_tables(codec.contracts).items()
        if name != INTAKE
    }
    return ArchiveIntake(decoder, codec, TOPICS, sorted(CATALOGUE.departments), makers, lambda: now)


def gather(messages: Iterable[Message], *, codec: Codec = CODEC, now: int = NOON, partitions: int = 1) -> Gathered:
    """What a batch brings."""
    gathered = Gathered()
    new_intake(codec, now=now, partitions=partitions).take(messages, gathered)
    return gathered


def fill(folder: Path, *batches: Iterable[Message], codec: Codec = CODEC) -> None:
    """Commit batches to an archive, each by itself."""
    with closing(ArchiveKeeper(folder, BUS, archive_tables(codec.contracts))) as keeper:
        for batch in batches:
            keeper.commit(gather(batch, codec=codec))
