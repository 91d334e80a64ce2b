"""How far an import has come, kept beside the bus's data so that a killed import goes on where it was.

A row counts only when all its records, and those of all rows before it, are confirmed by the broker. The file is replaced
atomically: if the import dies here, the old file stands, and at most the rows since then are sent twice, which is harmless.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one import has come.

    Attributes:
        file: its name, for people.
        line: the last line up to which everything is confirmed; 0 before the first.
        records: how many records are confirmed.
        bad: how many rows were refused, when finished.
        finished: whether the whole file was read.
    """

    file: str
    line: int = 0
    records: int = 0
    bad: int = 0
    finished: bool = False


class ProgressFile:
    """The progress of importing one file's bytes, in one layout, to one topic of one cluster.

    Args:
        folder: where progress files lie; made at the first write.
        identity: everything that makes it this import: digest, layout, topic, cluster id.
    """

    def __init__(self, folder: Path, *identity: str) -> None:
        self.path = folder / f"{hashlib.sha256(chr(0).join(identity).encode()).hexdigest()[:32]}.json"

    def read(self) -> Progress | None:
        """What is recorded, or None when there was no such import or its record is unreadable (then it starts anew)."""
        try:
            return Progress(**json.loads(self.path.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, progress: Progress) -> None:
        """Replace what is recorded, atomically and durably."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(f".{os.getpid()}.tmp")
        with fresh.open("w", encoding="utf-8") as stream:
            json.dump(asdict(progress), stream, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self.path)

    def forget(self) -> None:
        """Start anew."""
        self.path.unlink(missing_ok=True)
