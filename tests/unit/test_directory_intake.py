"""What the directory takes of messages: what the standing processor takes, judged by the day that each came on."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from consumers.directory.intake import IntakeReader, Taken
from consumers.standing.acceptance import NEVER_HELD
from consumers.standing.decode import Decoder
from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.domain.calendar import DAY_MS, to_day
from exchange.domain.enrolment import Amended, Registered
from exchange.domain.synthetic import synthetic_uscc
from exchange.partitioner import partition_of
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.topics import Topics

FIRM = f"org:{synthetic_uscc(1)}"
PARTITIONS = 4
HERE = partition_of(FIRM, PARTITIONS)
ELSEWHERE = (HERE + 1) % PARTITIONS
TODAY = to_day(date(2026, 5, 20))
NOON = TODAY * DAY_MS + 4 * 3_600_000
CODEC, CATALOGUE, TOPICS = Codec.from_files(SCHEMAS), load_catalogue(SCHEMAS), Topics("credit")

POLICY = load_policy(SCHEMAS, CATALOGUE)


@dataclass
class Message:
    raw: bytes
    department: str = "gd.amr"
    at: int = NOON
    number: int = 0
    about: str = FIRM
    carried: list[tuple[str, bytes]] | None = field(default=None)
    of_partition: int = HERE

    def topic(self) -> str:
        return TOPICS.into(self.department)

    def partition(self) -> int:
        return self.of_partition

    def offset(self) -> int:
        return self.number

    def key(self) -> bytes:
        return self.about.encode()

    def value(self) -> bytes:
        return self.raw

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self.carried

    def timestamp(self) -> tuple[int, int]:
        return 1, self.at


def read(*messages: Message, now: int = NOON) -> Taken:
    decoder = Decoder(CODEC, CATALOGUE, TOPICS, POLICY, partitions=PARTITIONS, limit=NEVER_HELD)
    departments = {TOPICS.into(slug): slug for slug in CATALOGUE.departments}
    return IntakeReader(decoder, departments, lambda: now, POLICY).read(messages)


def raw(record_type: str = "registration", **changes: Any) -> bytes:
    header = {
        "subject": FIRM, "subject_name": "合成公司", "department": "gd.amr", "document": "设立", "revision": 2,
        "decided_on": date(2026, 5, 20), "published_at": datetime(2026, 5, 20, 4, tzinfo=UTC), "division": "440300",
    }  # fmt: skip
    return CODEC.encode(record_type, header | changes)


def test_a_registration_is_kept_whole_and_enrolled() -> None:
    message = Message(raw(status="REVOKED", aliases=[{"kind": "ORGANISATION_CODE", "code": "PDY00001X"}]), number=7)
    taken = read(message)
    assert list(taken.records) == [(("gd.amr", HERE, 7), message.raw)]
    (one,) = taken.registered
    digest, aliases = one.digest, ("orgcode:PDY00001X",)
    assert one == Registered(FIRM, "registration/gd.amr/设立", 2, digest, TODAY, "合成公司", "440300", 8, 2, aliases)
    assert (taken.offsets, taken.kept, taken.rejected) == ({("gd.amr", HERE): 8}, {"registration": 1}, {})


@pytest.mark.parametrize(
    ("record_type", "says", "voids"),
    [
        ("withdrawal", {"reason": "ERROR"}, True),
        ("objection", {"state": "RAISED"}, False),
        ("objection", {"state": "UPHELD"}, True),
        ("objection", {"state": "DISMISSED"}, False),
    ],
)
def test_what_voids_a_registration(record_type: str, says: dict[str, str], *, voids: bool) -> None:
    says = says if record_type == "objection" else {"reason": CODEC.symbols("withdrawal", "reason")[0]}
    target = {"target_type": "registration", "target_document": "设立", "document": "二"}
    taken = read(Message(raw(record_type, **target, **says)))
    (one,) = taken.amended
    expected = Amended(FIRM, "registration/gd.amr/设立", f"{record_type}/二", 2, one.digest, voids)
    assert (one, taken.kept) == (expected, {record_type: 1})
    other = read(Message(raw(record_type, **target | {"target_type": "licence"}, **says)))
    assert (list(other.amended), len(list(other.records))) == ([], 1)


def test_what_is_rejected_is_nowhere_but_behind() -> None:
    bad = [
        Message(b"nonsense", number=1),
        Message(raw(), number=2, about="org:another"),
        Message(raw(), number=3, carried=[("classification", b"CLASSIFIED")]),
        Message(raw(department="gd.tax"), number=4),
        Message(raw(), number=5, of_partition=ELSEWHERE),
    ]
    taken = read(*bad)
    assert not taken.records
    assert not taken.registered
    assert taken.offsets == {("gd.amr", HERE): 5, ("gd.amr", ELSEWHERE): 6}
    assert sorted(reason for _, reason in taken.rejected) == sorted(
        ["not_wire_format", "key_mismatch", "classified", "wrong_department", "wrong_partition"]
    )


def test_each_message_is_judged_by_the_day_it_came_on_and_never_by_a_later_one() -> None:
    later = raw(decided_on=date(2026, 5, 25))
    assert not read(Message(later), now=NOON + 40 * DAY_MS).records, "it was rejected then"
    assert not read(Message(later, at=NOON + 5 * DAY_MS)).records, "a clock that is ahead does not count"
    assert read(Message(later, at=NOON + 5 * DAY_MS), now=NOON + 5 * DAY_MS).records
