"""Checking the ledger: a file with nothing but public keys, or the chains of a running bus."""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consumers.ledger.export import lines_of
from consumers.ledger.run import LedgerParts
from exchange.domain.ledger import Head
from exchange.domain.ledger_check import ChainCheck, Fault, IsSigned
from exchange.domain.ledger_file import FileCheck
from exchange.errors import RequestError

SHOWN = 50
"""Faults kept for showing; all are counted."""
LINE_BYTES = 16 * 2**20
"""Longer than any line; what is longer is cut and found to be unreadable."""
EVERY = 1000


@dataclass(slots=True)
class Verdict:
    """What a check found.

    chains: partition to its end, how far it is signed, and its hash.
    """

    entries: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    payloads: int = 0
    payloads_gone: int = 0
    chains: list[dict[str, int | str]] = field(default_factory=list)
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.fault_count

    @property
    def unsigned(self) -> int:
        """Entries after the last checkpoint of their chain."""
        return sum(int(chain["unsigned"]) for chain in self.chains)

    def add(self, fault: Fault) -> None:
        """One more thing wrong."""
        self.fault_count += 1
        if len(self.faults) < SHOWN:
            self.faults.append(fault)

    def conclude(self, chains: Sequence[ChainCheck]) -> None:
        """Everything was read."""
        kinds = sum((chain.kinds for chain in chains), Counter[str]())
        self.kinds = {str(kind): count for kind, count in sorted(kinds.items())}
        self.entries = kinds.total()
        self.chains = [
            {
                "partition": chain.partition, "sequence": chain.head.sequence, "hash": chain.head.hash.hex(),
                "signed_to": chain.signed_to, "unsigned": chain.unsigned,
            }
            for chain in chains
        ]  # fmt: skip


def check_file(path: Path, is_signed: IsSigned, known: Mapping[int, Head], progress: Callable[[int], None]) -> Verdict:
    """Check a file, compressed or not.

    Args:
        path: of the file.
        is_signed: looks at checkpoints.
        known: heads kept elsewhere, by partition.
        progress: told how many more lines were read.

    Raises:
        RequestError: `file_unreadable`.
    """
    verdict, check = Verdict(), FileCheck(is_signed, known)
    try:
        for fault in check.check(_lines(path, progress)):
            verdict.add(fault)
    except OSError as error:
        raise RequestError(
            f"{path} cannot be read: {error.strerror or error}", code="file_unreadable", remedy="give a ledger file"
        ) from error
    verdict.conclude(list(check.chains.values()))
    verdict.payloads, verdict.payloads_gone = check.payloads, check.gone
    return verdict


def _lines(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file; a damaged compressed file ends where it can no longer be read."""
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as stream:
        count = 0
        while True:
            try:
                line = stream.readline(LINE_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                line = b"damaged\n"
                yield line
                break
            if not line:
                break
            count += 1
            if count % EVERY == 0:
                progress(EVERY)
            yield line
        progress(count % EVERY)


def check_live(
    parts: LedgerParts, is_signed: IsSigned, known: Mapping[int, Head], progress: Callable[[int], None]
) -> Verdict:
    """Check the chains of a running bus as they are now; arguments as for `check_file`.

    Raises:
        RetryLaterError: Kafka is away.
    """
    verdict = Verdict()
    chains = []
    for number in range(parts.settings.partitions):
        check = ChainCheck(parts.bus, parts.topics.ledger, number, is_signed, known.get(number))
        for line in lines_of(parts, number, payloads=False):
            for fault in check.take(line.entry):
                verdict.add(fault)
            progress(1)
        for fault in check.finish():
            verdict.add(fault)
        chains.append(check)
    verdict.conclude(chains)
    return verdict
