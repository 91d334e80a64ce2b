"""A ledger process that sends itself a signal at a chosen step: `ledger_main.py STEP COUNT SIGNAL` (the COUNT-th time)."""

import faulthandler
import logging
import os
import signal
import sys

from consumers.ledger.run import build
from deploy.local.connect import find_servers
from exchange.ledger_keys import LedgerKeys
from exchange.settings import Settings
from exchange.signatures import load_signing_keys


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    faulthandler.register(signal.SIGUSR1)
    step_to_die = sys.argv[1] if len(sys.argv) > 1 else ""
    left = [int(sys.argv[2]) if len(sys.argv) > 2 else 0]

    def on_step(step: str) -> None:
        if step == step_to_die:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.Signals[sys.argv[3]])

    settings = Settings()
    keys = LedgerKeys(load_signing_keys(settings, embedded=False), settings.topic_prefix)
    process, _ = build(settings, find_servers(settings).kafka, keys, on_step=on_step)
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run()


if __name__ == "__main__":
    main()
