"""A dispatcher that sends itself a signal at a chosen step: `dispatcher_main.py STEP COUNT SIGNAL` (the COUNT-th time)."""

import faulthandler
import logging
import signal
import sys

from consumers.dispatcher.run import DispatcherProcess
from deploy.local.connect import find_servers
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from tests.faults.dying import signal_at_step


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    faulthandler.register(signal.SIGUSR1)
    settings = Settings()
    servers = find_servers(settings)
    keys = load_signing_keys(settings, embedded=True)
    process = DispatcherProcess(settings, servers.kafka, servers.redis, keys, on_step=signal_at_step(*sys.argv[3:]))
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run()


if __name__ == "__main__":
    main()
