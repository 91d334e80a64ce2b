"""A market-entry desk that ends itself with SIGKILL at a step: `desk_main.py BOOK INBOX KEY [STEP]`."""

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

from consumers.reference.book import open_book
from consumers.reference.feedback_http import HttpFeedback
from consumers.reference.market_entry_desk import PRACTICE, desk_app
from consumers.reference.office import Office
from consumers.reference.receiver import run_together, serve
from tests.pushing import CODEC, TOKEN


async def main(book: str, inbox: str, key: str, step_to_die: str) -> None:
    def on_step(step: str) -> None:
        if step == step_to_die:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(10)  # nothing runs on until the signal arrives

    def on_ready(port: int) -> None:
        logging.getLogger("creditbus.reference").info("listening url=http://127.0.0.1:%d", port)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with HttpFeedback(inbox, TOKEN) as send:
        office = Office(PRACTICE, open_book(Path(book)), send, on_step=on_step)
        await run_together(
            stop, office.run(stop), serve(desk_app(office, [key], CODEC), "127.0.0.1", 0, stop, on_ready)
        )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(main(*sys.argv[1:]))
