"""A standing processor whose clock the campaign may put wrong: `standing_main.py FILE`, which holds by how many milliseconds.

It is the processor's own clock, by which it judges and stamps. The clock of the machine, and so librdkafka's and the servers', stays right.
"""

import faulthandler
import logging
import mmap
import signal
import struct
import sys
from pathlib import Path

from consumers.standing.run import build, calm_collector
from exchange.clock import now_ms
from exchange.settings import Settings

WRONG_BY = struct.Struct("<q")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(name)s %(message)s")
    faulthandler.register(signal.SIGUSR1)
    settings = Settings()
    with Path(sys.argv[1]).open("rb") as file:
        wrong = mmap.mmap(file.fileno(), WRONG_BY.size, prot=mmap.PROT_READ)
    processor, _ = build(
        settings, settings.kafka, settings.redis, now=lambda: now_ms() + WRONG_BY.unpack_from(wrong)[0]
    )
    calm_collector()
    signal.signal(signal.SIGTERM, lambda *_: processor.stop())
    processor.run()


if __name__ == "__main__":
    main()
