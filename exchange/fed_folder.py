"""A folder that one process feeds from the bus's topics: whose bus it is of, and that nobody else writes it meanwhile.

Directory and deadlines keep a SQLite file in theirs (`exchange.fed_file`), the archive Delta tables (`consumers.archive.keeper`).
"""

import fcntl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from exchange.errors import FatalError, RequestError

Offsets = Mapping[tuple[str, int], int]
"""The next offset to read, by the source's name in the folder (a department, or a topic) and partition."""


class Bus(NamedTuple):
    """Which bus a folder is made from: another one's records would be mixed up with its own."""

    prefix: str
    partitions: int
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """What is kept in a folder, as errors speak of it.

    Attributes:
        name: such as `directory`, which also begins the errors' codes and ends `creditbus run`.
        setting: that names its folder.
        format: another one is read anew from the topics.
    """

    name: str
    setting: str
    format: str

    def about(self, bus: Bus) -> dict[str, str]:
        """What is written down in a folder that is made."""
        return {"format": self.format} | {name: str(value) for name, value in bus._asdict().items()}

    def demand(self, place: Path | str, bus: Bus, found: Mapping[str, str]) -> None:
        """See that a folder (or a database) in which something is written down is this bus's own.

        Raises:
            FatalError: `<name>_of_another_bus`, `<name>_format`.
        """
        wanted = self.about(bus).items()
        differ = [f"{name} {found.get(name)!r}, not {value!r}" for name, value in wanted if found.get(name) != value]
        if differ:
            raise FatalError(
                f"the {self.name} in {place} was made with {', '.join(differ)}",
                code=f"{self.name}_of_another_bus" if found.get("format") == self.format else f"{self.name}_format",
                remedy=f"set {self.setting} to this bus's own, or delete what is there to read all anew",
            )

    def lock(self, folder: Path) -> IO[str]:
        """Hold a folder, which is made for its owner only; the lock ends with its process, however it ends.

        Raises:
            RequestError: `<name>_in_use`.
            FatalError: `<name>_unusable`.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (folder / "lock").open("a")
        except OSError as error:
            raise FatalError(
                f"folder {folder} cannot be written: {error.strerror}",
                code=f"{self.name}_unusable",
                remedy=f"set {self.setting} to a folder of its own",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise RequestError(
                f"another process feeds the {self.name} in {folder}",
                code=f"{self.name}_in_use",
                remedy=f"end it first, or set {self.setting} to another folder",
            ) from error
        return file
