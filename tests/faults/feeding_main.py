"""A process that feeds a folder and sends itself SIGKILL at a chosen step: `feeding_main.py NAME STEP COUNT` (the COUNT-th time)."""

import sys
from collections.abc import Callable

from consumers.archive.run import build as build_archive
from consumers.deadlines.run import build as build_deadlines
from consumers.directory.run import build as build_directory
from consumers.feeding.process import FeedingProcess
from consumers.standing.liveness import Liveness
from exchange.settings import Settings
from tests.faults.dying import run, signal_at_step

BUILD: dict[str, Callable[..., tuple[FeedingProcess, Liveness]]] = {
    "archive": build_archive,
    "deadlines": build_deadlines,
    "directory": build_directory,
}

if __name__ == "__main__":
    build = BUILD[sys.argv.pop(1)]
    settings = Settings()
    run(build(settings, settings.kafka, on_step=signal_at_step())[0])
