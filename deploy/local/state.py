"""What the supervisor writes down for everybody else: who runs, since when, on which port."""

import json
from pathlib import Path
from typing import TypeVar

import msgspec

from deploy.local.processes import Identity

T = TypeVar("T")


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """One server: its process while it runs, or how it ended."""

    port: int
    process: Identity | None = None
    exit_code: int | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 when it has ended."""
        return self.process.pid if self.process else 0

    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.is_running()


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """The whole stack; `attached` when it ends with the process that started it."""

    supervisor: Identity
    attached: bool
    servers: dict[str, ServerState]

    def processes(self) -> list[Identity]:
        """Every process that was running when this was written, the supervisor first."""
        return [self.supervisor, *(server.process for server in self.servers.values() if server.process)]


class ServerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the supervisor starts one server: command line, port, file for what it prints."""

    argv: list[str]
    port: int
    output: str


def read_state(path: Path) -> StackState | None:
    """The state, or None when there is none or a crash of the machine left it unreadable."""
    return _read(path, StackState)


def read_plan(path: Path) -> dict[str, ServerPlan]:
    """The supervisor's orders.

    Raises:
        FileNotFoundError: there are none.
    """
    return msgspec.json.decode(path.read_bytes(), type=dict[str, ServerPlan])


def read_numbers(path: Path) -> dict[str, int]:
    """A small JSON object of numbers; empty when there is none or it is unreadable."""
    return _read(path, dict[str, int]) or {}


def read_texts(path: Path) -> dict[str, str]:
    """A small JSON object of texts; empty when there is none or it is unreadable."""
    return _read(path, dict[str, str]) or {}


def write(path: Path, value: object) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(msgspec.to_builtins(value), indent=2) + "\n")
    part.replace(path)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
