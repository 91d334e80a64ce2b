"""`creditbus run standing` whose clock runs ahead by as many days as a file says: `standing_main.py FILE`."""

import logging
import sys
from pathlib import Path

from consumers.standing.run import build
from deploy.cli.run import work
from exchange.clock import now_ms
from exchange.metrics import StandingMetrics
from exchange.settings import Settings

DAY_MS = 86_400_000


def main(ahead: Path) -> None:
    def now() -> int:
        return now_ms() + int(ahead.read_text()) * DAY_MS

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s standing %(message)s")
    settings, metrics = Settings(), StandingMetrics()
    processor, liveness = build(settings, settings.kafka, settings.redis, metrics=metrics, now=now)
    work(processor, liveness, metrics, settings, "standing")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
