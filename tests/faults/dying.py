"""For the programs that fault tests kill: a step at which the process sends itself a signal, and its run."""

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Protocol

from exchange.errors import CreditbusError


class Process(Protocol):
    """What runs until it is told to stop."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


def run(process: Process) -> None:
    """Run a process until SIGTERM; an error of the bus ends it with its line."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(name)s %(message)s")
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    try:
        process.run()
    except CreditbusError as error:
        sys.exit(error.line())


def signal_at_step(name: str = "SIGKILL") -> Callable[[str], None]:
    """What the command line says, `STEP COUNT`: the COUNT-th time that the step begins the process gets the signal, once."""
    step_to_die = sys.argv[1] if len(sys.argv) > 1 else ""
    left = [int(sys.argv[2]) if len(sys.argv) > 2 else 0]

    def on_step(step: str) -> None:
        if step == step_to_die and left:
            left[0] -= 1
            if left[0] <= 0:
                left.clear()
                os.kill(os.getpid(), signal.Signals[name])

    return on_step
