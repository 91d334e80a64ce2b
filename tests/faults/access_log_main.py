"""Drains the access log and sends itself SIGKILL at a chosen step: `access_log_main.py STEP COUNT`."""

from consumers.portal.access.drainer import Drainer, open_producer
from exchange.codec import Codec
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.topics import Topics
from tests.faults.dying import signal_at_step


def main() -> None:
    settings = Settings()
    Drainer(
        connect(settings.redis), open_producer(settings.kafka), Codec.from_files(SCHEMAS),
        Topics(settings.topic_prefix).access, on_step=signal_at_step(),
    ).run()  # fmt: skip


if __name__ == "__main__":
    main()
