"""A ledger process that sends itself a signal at a chosen step: `ledger_main.py STEP COUNT SIGNAL` (the COUNT-th time)."""

import sys

from consumers.ledger.run import build
from deploy.local.connect import find_servers
from exchange.bus_keys import LedgerKeys
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from tests.faults.dying import run, signal_at_step


def main() -> None:
    settings = Settings()
    keys = LedgerKeys(load_signing_keys(settings, embedded=False), settings.topic_prefix)
    run(build(settings, find_servers(settings).kafka, keys, on_step=signal_at_step(*sys.argv[3:]))[0])


if __name__ == "__main__":
    main()
