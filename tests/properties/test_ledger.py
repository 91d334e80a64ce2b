"""A ledger file of random chains: as written it is good, and a change of any byte or line is found and located."""

import hashlib
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.bus_keys import LedgerKeys, trusts
from exchange.domain.ledger import CLASSIFIED, Draft, Entry, Head, Kind, entry_hash, genesis
from exchange.domain.ledger_chain import Chain
from exchange.domain.ledger_check import Fault
from exchange.domain.ledger_file import FileCheck, may_be_gone
from exchange.domain.ledger_lines import Header, Line, end_line, entry_line, header_line
from exchange.signatures import SigningKeys

BUS, TOPIC = "credit", "credit.ledger"
KEYS = LedgerKeys(SigningKeys.parse("k1:" + "ab" * 32), BUS)
IS_SIGNED = trusts(KEYS.public().values())
WORDS = st.sampled_from(
    ("", "org:91440300PDY00001X3", "粤税失信〔2026〕3号", "credit.in.gd.tax 0 5", 'a"b\\c', "person:k1.00")
)


class Made(NamedTuple):
    """A file's lines, and the heads of its chains."""

    lines: list[bytes]
    heads: dict[int, Head]


@st.composite
def files(draw: st.DrawFn) -> Made:
    payloads = draw(st.booleans())
    partitions = tuple(range(draw(st.integers(1, 3))))
    lines = [header_line(Header(BUS, TOPIC, partitions, payloads))]
    heads, count = {}, 0
    for number in partitions:
        chain = Chain(BUS, TOPIC, number, genesis(BUS, number), signed=True)
        for offset in range(draw(st.integers(0, 6))):
            payload, key = draw(st.binary(max_size=6)), draw(st.binary(max_size=6))
            kind = draw(st.sampled_from([kind for kind in Kind if kind is not Kind.CHECKPOINT]))
            body = Draft(
                kind, f"credit.{kind.lower()}", number, offset, draw(st.integers(0, 2**50)), draw(WORDS), draw(WORDS),
                draw(st.sampled_from(("listing", CLASSIFIED))), draw(WORDS), draw(WORDS), sha(payload), sha(key),
            )  # fmt: skip
            entry = chain.append(body, now=1)
            line = Line(entry, entry_hash(entry), payload, key)
            if may_be_gone(entry) and draw(st.booleans()):
                line = Line(entry, entry_hash(entry))
            count += payloads and line.payload is not None
            lines.append(entry_line(line, payloads=payloads))
            if draw(st.booleans()):
                lines.append(signed_line(chain, payloads=payloads))
        lines.append(signed_line(chain, payloads=payloads))
        heads[number] = chain.head
    lines.append(end_line(lines[0], heads, count))
    return Made(lines, heads)


def sha(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def signed_line(chain: Chain, *, payloads: bool) -> bytes:
    entry = chain.checkpoint(KEYS.signer(), KEYS.key_id, now=7)
    return entry_line(Line(entry, entry_hash(entry)), payloads=payloads)


def faults_of(lines: list[bytes], known: dict[int, Head] | None = None) -> list[Fault]:
    return list(FileCheck(IS_SIGNED, known or {}).check(lines))


@given(files())
def test_a_file_as_written_is_good(made: Made) -> None:
    assert faults_of(made.lines, made.heads) == []


@settings(max_examples=300)
@given(files(), st.data())
def test_any_changed_byte_is_found_where_it_is(made: Made, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(made.lines) - 1), "line")
    place = data.draw(st.integers(0, len(made.lines[number]) - 1), "byte")
    changed = bytearray(made.lines[number])
    changed[place] ^= data.draw(st.integers(1, 255), "bits")
    whole = b"".join([*made.lines[:number], bytes(changed), *made.lines[number + 1 :]])
    lines = [part + b"\n" for part in whole.split(b"\n")]
    lines = lines[:-1] if whole.endswith(b"\n") else [*lines[:-1], lines[-1][:-1]]
    found = {fault.line for fault in faults_of(lines, made.heads)}
    assert found & {number + 1, number + 2}, (lines[number], found)


@given(files(), st.data())
def test_a_line_removed_repeated_or_moved_is_found_where_it_is(made: Made, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(made.lines) - 1), "line")
    other = data.draw(st.integers(0, len(made.lines) - 1), "other")
    lines = list(made.lines)
    match data.draw(st.sampled_from(("remove", "repeat", "swap"))):
        case "remove":
            del lines[number]
        case "repeat":
            lines.insert(other, lines[number])
        case _:
            lines[number], lines[other] = lines[other], lines[number]
    if lines != made.lines:
        found = faults_of(lines)
        # What is gone from the end of a chain is missed where the last line names its head.
        assert any(abs(fault.line - 1 - place) <= 1 for fault in found for place in (number, other)) or any(
            fault.code == "other_end" for fault in found
        )


@given(files())
def test_a_forged_history_is_found_by_the_signatures(made: Made) -> None:
    """Somebody without the key writes a chain anew, hashes and all, from an entry that he would like to be different."""
    chain = Chain(BUS, TOPIC, 0, genesis(BUS, 0), signed=True)
    first = Draft(Kind.RECORD, "credit.in.x", 0, 0, 1, "", "", "", "forged", "", sha(b""), sha(b""))
    forged = chain.append(first, now=1)
    forger = LedgerKeys(SigningKeys.parse("k1:" + "cd" * 32), BUS)
    signed = chain.checkpoint(forger.signer(), "k1", now=7)
    header = header_line(Header(BUS, TOPIC, (0,), payloads=False))
    lines = [header, *(entry_line(Line(one, entry_hash(one)), payloads=False) for one in (forged, signed))]
    lines.append(end_line(header, {0: chain.head}, 0))
    assert [(fault.code, fault.line, fault.sequence) for fault in faults_of(lines)] == [("bad_signature", 3, 2)]


@given(files())
def test_a_cut_end_written_anew_is_found_by_a_head_kept_elsewhere(made: Made) -> None:
    """Whoever cuts off what follows a checkpoint leaves a good file: only who knows the head sees it."""
    kept = {0: Head(made.heads[0].sequence + 1, b"\1" * 32)}
    assert {fault.code for fault in faults_of(made.lines, kept)} == {"truncated"}
    other = {0: Head(made.heads[0].sequence, b"\1" * 32)}
    assert {fault.code for fault in faults_of(made.lines, other)} == {"other_head"}


def test_a_chain_belongs_to_its_bus_and_partition() -> None:
    assert len({genesis(bus, number).hash for bus in ("credit", "credit2") for number in (0, 1)}) == 4
    entry = Entry(1, b"", Kind.RECORD, "t", 0, 0, 0, "", "", "", "ab", "c", b"", b"")
    assert entry_hash(entry) != entry_hash(entry._replace(document="a", cause="bc"))
