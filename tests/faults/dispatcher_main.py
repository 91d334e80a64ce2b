"""A dispatcher that ends itself with SIGKILL at a chosen step: `dispatcher_main.py STEP COUNT` (the COUNT-th time)."""

import faulthandler
import logging
import os
import signal
import sys

from consumers.dispatcher.run import DispatcherProcess
from deploy.local.connect import find_servers
from exchange.settings import Settings
from exchange.signatures import load_signing_keys


def main() -> None:
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(process)d %(message)s")
    faulthandler.register(signal.SIGUSR1)
    step_to_die = sys.argv[1] if len(sys.argv) > 1 else ""
    left = [int(sys.argv[2]) if len(sys.argv) > 2 else 0]

    def on_step(step: str) -> None:
        if step == step_to_die:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    settings = Settings()
    servers = find_servers(settings)
    keys = load_signing_keys(settings, embedded=True)
    process = DispatcherProcess(settings, servers.kafka, servers.redis, keys, on_step=on_step)
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run()


if __name__ == "__main__":
    main()
