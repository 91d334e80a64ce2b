"""`creditbus bench`: the measurements that the documents quote, from a clone of the repository."""

import subprocess
import sys
from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated

import typer

from exchange.errors import RequestError


class Bench(StrEnum):
    """What can be measured."""

    THROUGHPUT = "throughput"
    SCALE = "scale"
    LATENCY = "latency"
    GROWTH = "growth"
    JOB = "job"
    CODEC = "codec"
    INBOX = "inbox"
    DELIVERY = "delivery"
    BRIDGE = "bridge"
    LEDGER = "ledger"
    PORTAL = "portal"
    DIRECTORY = "directory"
    RISK = "risk"
    ARCHIVE = "archive"
    SIMULATE = "simulate"
    EARLY_WARNING = "early-warning"
    WARNINGS = "warnings"
    FOOTPRINT = "footprint"
    FAULTS = "faults"
    SOAK = "soak"


def bench(
    name: Annotated[Bench, typer.Argument(help="What to measure.")],
    options: Annotated[list[str] | None, typer.Argument(help="Options of the bench, after `--`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one flat JSON object as the last line.")] = False,
) -> None:
    """Measure on servers of its own; further options are the bench's, see `creditbus bench NAME -- --help` 性能测试."""
    if find_spec("tests.bench") is None:
        raise RequestError(
            "the benches are not installed", code="no_benches", remedy="run this in a clone of the repository"
        )
    command = [
        sys.executable,
        "-m",
        f"tests.bench.{name.value.replace('-', '_')}",
        *(options or []),
        *(["--json"] if as_json else []),
    ]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 # our own module
