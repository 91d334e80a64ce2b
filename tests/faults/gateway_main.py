"""A gateway that ends itself with SIGKILL at a chosen step: `gateway_main.py STEP COUNT`; claims run out after four seconds."""

import logging
import time

from deploy.outbound import Publishers
from exchange.metrics import GatewayMetrics
from exchange.redis_client import connect
from exchange.settings import read_settings
from producers.gateway.run import Gateway
from tests.faults.dying import signal_at_step

LEASE_SECONDS = 4.0


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    settings = read_settings()
    die = signal_at_step()

    def on_step(step: str) -> None:
        die(step)
        time.sleep(0.05)  # nothing runs on until the signal arrives

    with Publishers(settings) as publishers:
        client = connect(settings.redis)
        Gateway(settings, client, publishers, GatewayMetrics(), lease_seconds=LEASE_SECONDS, on_step=on_step).run()


if __name__ == "__main__":
    main()
