"""For the programs that fault tests kill: a step at which the process sends itself a signal."""

import os
import signal
import sys
from collections.abc import Callable


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
