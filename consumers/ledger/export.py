"""The ledger as a stream of lines: chains in order, with the messages themselves where they are asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from gzip import GzipFile
from itertools import islice
from pathlib import Path

from confluent_kafka import Consumer

from consumers.ledger.reading import entries
from consumers.ledger.run import LedgerParts
from consumers.standing.reading import read_places
from exchange.domain.ledger import CLASSIFIED, Entry, Head, Kind, entry_hash, genesis
from exchange.domain.ledger_file import may_be_gone
from exchange.domain.ledger_lines import Header, Line, end_line, entry_line, header_line
from exchange.errors import RequestError

CHUNK = 1000
"""Entries whose messages are fetched together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: entries and payloads, and the head of each partition's chain."""

    entries: int
    payloads: int
    heads: dict[int, Head]


def export(
    parts: LedgerParts, out: Path, partitions: Sequence[int], *, payloads: bool, progress: Callable[[int], None]
) -> Exported:
    """Write chains to a file, which appears when it is whole; its name ending in .gz makes it compressed.

    Args:
        parts: of the bus.
        out: the file.
        partitions: whose chains.
        payloads: whether with the messages.
        progress: told how many more entries were written.

    Raises:
        RequestError: `file_unusable`.
        RetryLaterError: Kafka is away.
    """
    fresh = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("wb") as raw:
            if out.suffix == ".gz":
                with GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                    exported = _write(parts, packed.write, partitions, payloads=payloads, progress=progress)
            else:
                exported = _write(parts, raw.write, partitions, payloads=payloads, progress=progress)
            raw.flush()
            os.fsync(raw.fileno())
        fresh.replace(out)
    except OSError as error:
        raise RequestError(
            f"{out} cannot be written: {error.strerror}", code="file_unusable", remedy="choose another --out"
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink()
    return exported


def _write(
    parts: LedgerParts,
    write: Callable[[bytes], object],
    partitions: Sequence[int],
    *,
    payloads: bool,
    progress: Callable[[int], None],
) -> Exported:
    header = header_line(Header(parts.bus, parts.topics.ledger, tuple(partitions), payloads))
    write(header)
    heads, count, with_payload = {}, 0, 0
    for number in partitions:
        heads[number] = genesis(parts.bus, number)
        for line in lines_of(parts, number, payloads=payloads):
            write(entry_line(line, payloads=payloads))
            heads[number] = Head(line.entry.sequence, line.hash)
            count += 1
            with_payload += line.payload is not None
            progress(1)
    write(end_line(header, heads, with_payload))
    return Exported(entries=count, payloads=with_payload, heads=heads)


def lines_of(parts: LedgerParts, number: int, *, payloads: bool) -> Iterator[Line]:
    """The lines of a chain.

    Raises:
        RetryLaterError: Kafka is away.
    """
    with closing(parts.reader()) as reader, closing(parts.reader()) as source:
        found = entries(reader, parts.read, parts.topics.ledger, number)
        if not payloads:
            yield from (Line(entry, entry_hash(entry)) for entry in found)
            return
        while chunk := list(islice(found, CHUNK)):
            yield from _with_messages(source, chunk)


def _with_messages(source: Consumer, chunk: Sequence[Entry]) -> Iterator[Line]:
    """Entries with the messages that they stand for, as far as these may be shown and are still there."""
    wanted = [entry for entry in chunk if entry.kind is not Kind.CHECKPOINT and entry.record_type != CLASSIFIED]
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for entry in wanted:
        place = (entry.topic, entry.partition)
        begin, _ = spans.get(place, (entry.offset, 0))
        spans[place] = (begin, entry.offset + 1)
    messages = {
        (message.topic(), message.offset()): (message.value() or b"", message.key() or b"")
        for message in read_places(source, spans)
    }
    for entry in chunk:
        payload, key = messages.get((entry.topic, entry.offset), (None, None))
        if payload is None and entry.kind is not Kind.CHECKPOINT and not may_be_gone(entry):
            raise RequestError(
                f"{entry.topic} [{entry.partition}] has no message at {entry.offset} any more",
                code="payload_gone",
                remedy="export without --with-payloads, and find out who deleted it",
            )
        yield Line(entry, entry_hash(entry), payload, key)
