"""A standing processor that ends itself with SIGKILL at a chosen step: `processor_main.py STEP COUNT` (the COUNT-th time).

With a third argument it commits wrongly, to show that the fault tests can fail: see BROKEN.
"""

import faulthandler
import logging
import signal
import sys

import consumers.standing.run
import exchange.store
from consumers.standing.run import build
from deploy.local.connect import find_servers
from exchange.settings import Settings
from tests.faults.dying import signal_at_step

BROKEN = {
    "outbox": (
        "redis.call('RPUSH', KEYS[3], unpack(ARGV, from, math.min(from + CHUNK, at + messages) - 1))",
        "local forgotten = from",
    ),
    "records": ("redis.call('HSET', KEYS[key], ARGV[at], ARGV[at + 1])", "local forgotten = ARGV[at]"),
}
"""Commits that forget a part: what of the script is replaced, and by what."""


class Forgetful(exchange.store.Store):
    """A store whose commit is broken as the command line says."""

    def __init__(self, client: object) -> None:
        super().__init__(client)  # type: ignore[arg-type] # passed on
        whole, broken = BROKEN[sys.argv[3]]
        assert whole in self._commit
        self._commit = self._commit.replace(whole, broken)
        self._commit_sha = exchange.store._sha(self._commit)


def main() -> None:
    if len(sys.argv) > 3:
        # The one place where the store is made.
        consumers.standing.run.Store = Forgetful  # type: ignore[attr-defined]
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    faulthandler.register(signal.SIGUSR1)
    settings = Settings()
    servers = find_servers(settings)
    processor, _ = build(settings, servers.kafka, servers.redis, on_step=signal_at_step())
    signal.signal(signal.SIGTERM, lambda *_: processor.stop())
    processor.run()


if __name__ == "__main__":
    main()
