"""The canonical form is what docs/ledger.md says, its program verifies our files, and drafts say no more than they may."""

import hashlib
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.ledger.drafts import Describer
from consumers.ledger.process import in_order
from exchange.bus_keys import LedgerKeys, trusts
from exchange.codec import Codec
from exchange.domain.ledger import ENTRY_FORM, Draft, Entry, Head, Kind, entry_hash, framed, genesis, statement
from exchange.domain.ledger_chain import Chain
from exchange.domain.ledger_lines import Header, Line, end_line, entry_line, header_line
from exchange.domain.synthetic import synthetic_uscc
from exchange.paths import SCHEMAS
from exchange.signatures import SigningKeys
from exchange.topics import Topics

GUIDE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
OLD, NEW = "k1:" + "5a" * 32, "k2:" + "6b" * 32
FIRM = f"org:{synthetic_uscc(1)}"
TOPICS = Topics("credit")
CODEC = Codec.from_files(SCHEMAS)


def sha(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


ENTRY = Entry(
    1, genesis("credit", 3).hash, Kind.NOTICE, "credit.out.gd.fin", 3, 12, 1779242400500, "org:91440300PDY00001X3", "gd.fin",
    "notice", "5f0c2a7d", "credit.in.gd.tax 3 77", sha(b"value"), sha(b"org:91440300PDY00001X3"),
)  # fmt: skip


def test_the_canonical_form_is_that_of_the_guide() -> None:
    [vector] = re.findall(r"```hex\n(.*?)```", GUIDE, re.DOTALL)
    assert framed(ENTRY_FORM, *ENTRY).hex() == vector.replace("\n", "")
    assert f"`{entry_hash(ENTRY).hex()}`" in GUIDE
    assert entry_hash(ENTRY).hex() == "04867505b78ee1b9fcae772b5d00f54c1f0fc8d6a2db39c178060e337bc0736e"
    assert f"`{genesis('credit', 3).hash.hex()}`" in GUIDE


def test_the_checkpoint_of_the_vector() -> None:
    keys = LedgerKeys(SigningKeys.parse(OLD), "credit")
    signed = statement("credit", 3, Head(1, entry_hash(ENTRY)), 1779242460000)
    assert keys.public() == {"k1": "whpk_kI9F+zk6+oHo1Ms4MfXtGCNvCsZtylf/c4XAqxa7L2M="}
    assert keys.signer()(signed).hex() == (
        "863e2d890f966a64480976574d2ed57f189a805434bc0cae7933ae1b17a29a08"
        "cb33f3290093d6bc4e61d335ff4685dbc093b4eb41d661b44cb5edef64b6220d"
    )


def test_a_rotated_key_still_verifies_what_it_signed() -> None:
    before = LedgerKeys(SigningKeys.parse(OLD), "credit")
    after = LedgerKeys(SigningKeys.parse(f"{NEW},{OLD}"), "credit")
    assert (before.key_id, after.key_id) == ("k1", "k2")
    assert after.public()["k1"] == before.public()["k1"]
    assert trusts([after.public()["k1"]])(b"statement", before.signer()(b"statement"))
    assert not trusts([after.public()["k2"]])(b"statement", before.signer()(b"statement"))
    assert LedgerKeys(SigningKeys.parse(OLD), "other").public() != before.public()


def exported(folder: Path) -> Path:
    """A file of one chain with payloads."""
    keys = LedgerKeys(SigningKeys.parse(OLD), "credit")
    chain = Chain("credit", TOPICS.ledger, 3, genesis("credit", 3), signed=True)
    header = header_line(Header("credit", TOPICS.ledger, (3,), payloads=True))
    first = chain.append(Draft(*ENTRY[2:14]), now=1)
    lines = [Line(first, entry_hash(first), b"value", b"org:91440300PDY00001X3")]
    signed = chain.checkpoint(keys.signer(), keys.key_id, now=2)
    lines.append(Line(signed, entry_hash(signed)))
    file = folder / "ledger.jsonl"
    file.write_bytes(
        header + b"".join(entry_line(line, payloads=True) for line in lines) + end_line(header, {3: chain.head}, 1)
    )
    return file


@pytest.mark.parametrize(("old", "new"), [("", ""), ("5f0c2a7d", "5f0c2a7e"), ('"payload":"d', '"payload":"e')])
def test_the_program_of_the_guide(tmp_path: Path, old: str, new: str) -> None:
    [program] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(program.splitlines()) < 40
    file = exported(tmp_path)
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    public = LedgerKeys(SigningKeys.parse(OLD), "credit").public()["k1"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(file), public], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == ((1, "") if old else (0, "whole: 2 entries\n")), done.stderr


def test_a_checkpoint_is_due_after_so_many_entries_or_so_long() -> None:
    keys = LedgerKeys(SigningKeys.parse(OLD), "credit")
    chain = Chain("credit", TOPICS.ledger, 3, genesis("credit", 3), signed=True)
    assert not chain.is_due(entries=1, after_ms=0, now=10**9), "nothing to sign"
    chain.append(Draft(*ENTRY[2:14]), now=1000)
    assert not chain.is_due(entries=2, after_ms=500, now=1499)
    assert chain.is_due(entries=2, after_ms=500, now=1500)
    assert chain.is_due(entries=1, after_ms=500, now=1000)
    chain.checkpoint(keys.signer(), "k1", now=1500)
    assert not chain.is_due(entries=1, after_ms=0, now=10**9)
    taken_over = Chain("credit", TOPICS.ledger, 3, Head(5, bytes(32)), signed=False)
    assert taken_over.is_due(entries=100, after_ms=500, now=10**9)


class Message:
    """A consumed message."""

    def __init__(
        self, topic: str, raw: bytes | None, key: str = FIRM, headers: Any = None, offset: int = 7, at: int = 5
    ) -> None:
        self._topic, self._raw, self._key, self._headers, self._offset, self._at = topic, raw, key, headers, offset, at

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return self._key.encode()

    def value(self) -> bytes | None:
        return self._raw

    def headers(self) -> Any:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, self._at


def describe(message: Message) -> Draft:
    return Describer(CODEC, TOPICS, ["gd.tax", "gd.fin"]).describe(message)


def feedback(**changes: Any) -> bytes:
    record = {
        "subject": FIRM, "subject_name": "", "department": "gd.tax", "document": "反馈1", "revision": 1,
        "decided_on": date(2026, 3, 5), "published_at": datetime(2026, 3, 5, tzinfo=UTC), "notice_id": "n1", "measure": "m",
    }  # fmt: skip
    return CODEC.encode("measure_feedback", record | changes)


def test_a_feedback_names_its_notice() -> None:
    draft = describe(Message(TOPICS.into("gd.tax"), feedback()))
    assert (draft.kind, draft.subject, draft.department, draft.record_type) == (
        Kind.FEEDBACK,
        FIRM,
        "gd.tax",
        "measure_feedback",
    )
    assert (draft.document, draft.cause) == ("反馈1", "notice n1")


@pytest.mark.parametrize("as_header", [True, False])
def test_of_a_classified_record_only_the_place_is_kept(as_header: bool) -> None:
    raw = feedback() if as_header else feedback(classification="CLASSIFIED")
    draft = describe(
        Message(TOPICS.into("gd.tax"), raw, headers=[("classification", b"CLASSIFIED")] if as_header else None)
    )
    assert draft == Draft(
        Kind.RECORD, TOPICS.into("gd.tax"), 3, 7, 5, "", "gd.tax", "classified", "", "", sha(raw), sha(b"")
    )


def test_what_nobody_has_judged_yet_brings_no_citizen_id_in() -> None:
    citizen_id = "11010519491231002X"
    raw = feedback(subject=f"person:{citizen_id}", document=citizen_id, notice_id=citizen_id)
    draft = describe(Message(TOPICS.into("gd.tax"), raw))
    assert (draft.subject, draft.document, draft.cause) == ("", "", "")
    assert describe(Message(TOPICS.into("gd.tax"), b"?", key=f"person:{citizen_id}")).subject == ""


def test_what_cannot_be_decoded_is_entered_too() -> None:
    for raw in (b"?", None):
        draft = describe(Message(TOPICS.out_of("gd.fin"), raw))
        assert (draft.kind, draft.subject, draft.record_type) == (Kind.NOTICE, FIRM, "")
        assert draft.payload_digest == sha(raw or b"")
    assert describe(Message(TOPICS.rejected_of("gd.tax"), feedback())).kind is Kind.REJECTION


def test_a_batch_stands_in_order_of_time_and_a_topic_in_order_of_offsets() -> None:
    one, other = TOPICS.into("gd.tax"), TOPICS.rejected_of("gd.tax")
    drafts = [
        describe(Message(topic, b"?", offset=offset, at=at))
        for topic, offset, at in ((other, 0, 30), (other, 1, 60), (one, 0, 20), (one, 1, 10), (one, 2, 50))
    ]
    assert [(draft.topic, draft.offset) for draft in in_order(drafts)] == [
        (one, 0),
        (one, 1),
        (other, 0),
        (one, 2),
        (other, 1),
    ]
