"""A ledger process that sends itself a signal at a chosen step: `ledger_main.py STEP COUNT SIGNAL` (the COUNT-th time)."""

import faulthandler
import logging
import signal
import sys

from consumers.ledger.run import build
from deploy.local.connect import find_servers
from exchange.ledger_keys import LedgerKeys
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from tests.faults.dying import signal_at_step


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    faulthandler.register(signal.SIGUSR1)
    settings = Settings()
    keys = LedgerKeys(load_signing_keys(settings, embedded=False), settings.topic_prefix)
    process, _ = build(settings, find_servers(settings).kafka, keys, on_step=signal_at_step(*sys.argv[3:]))
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    process.run()


if __name__ == "__main__":
    main()
