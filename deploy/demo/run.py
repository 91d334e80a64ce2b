"""The demonstration itself: servers up, topics made, a processor running, departments at work, and at the end the proof."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from subprocess import Popen
from typing import Any

from consumers.standing.run import Parts, build_verifier
from consumers.standing.verify import Verdict
from deploy.demo.play import Play
from deploy.demo.process import running
from deploy.demo.seen import Seen, Words
from deploy.demo.watching import Watcher
from deploy.local.jars import Advance
from deploy.local.servers import Servers
from deploy.local.stack import Stack
from exchange.domain.calendar import day_of
from exchange.errors import RequestError, RetryLaterError
from exchange.kafka import leads_everything, open_admin
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import apply_topics

PROVINCE_SECONDS = 12.0
"""With `once`, the province publishes for so long after the sample files."""
REDRAW_SECONDS = 0.25
QUIET_WITHIN_SECONDS = 90.0
ATTACH_WITHIN_SECONDS = 60.0

Show = Callable[[Seen], None]
"""Draws, or prints, what has been seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a demonstration came to; `milliseconds` from publication until the notice could be read."""

    seconds: float
    records: int
    accepted: int
    rejected: int
    rejected_reasons: dict[str, int]
    bad_rows: int
    bad_row_reasons: dict[str, int]
    standings_changed: int
    notices: int
    notices_by_department: dict[str, int]
    changes: dict[str, int]
    p50_ms: float | None
    p99_ms: float | None
    verdict: Verdict = field(repr=False)

    def flat(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self) | {"verdict": asdict(self.verdict) | {"good": self.verdict.is_good}}


@contextmanager
def stack_up(settings: Settings, advance: Advance) -> Iterator[Servers]:
    """The servers of the settings; embedded ones that did not run are ended afterwards, their data stays."""
    stack = Stack(settings)
    try:
        servers = stack.servers()
    except RequestError as error:
        if error.code != "not_running":
            raise
    else:
        yield servers
        return
    try:
        yield stack.up(advance, attached=True)
    finally:
        stack.down()


class Demonstration:
    """One run.

    Args:
        settings: of the bus.
        servers: that run.
        rate: records a second of the province.
        seed: of the province.
    """

    def __init__(self, settings: Settings, servers: Servers, *, rate: float, seed: int) -> None:
        self.settings = settings.model_copy(update={"kafka": servers.kafka, "redis": servers.redis})
        self._parts = Parts(self.settings, servers.kafka, servers.redis)
        today = day_of(time.time_ns() // 1_000_000)
        names = {slug: self._parts.catalogue.name_of(slug, today) for slug in self._parts.departments}
        self.seen = Seen(Words(self._parts.policy, names))
        self._play = Play(
            self.settings, embedded=not settings.kafka, codec=self._parts.codec, catalogue=self._parts.catalogue,
            seen=self.seen, rate=rate, seed=seed,
        )  # fmt: skip
        self._log = Stack(settings).folder.output_of("standing")

    def run(self, stop: threading.Event, show: Show, *, once: bool) -> Summary:
        """Show the bus at work until stopped, or with `once` for a while; then wait until all is quiet, and verify.

        Raises:
            RetryLaterError: `not_quiet`.
            FatalError: `process_ended`.
        """
        settings, seen = self.settings, self.seen
        seen.doing = "making the topics 建立主题"
        show(seen)
        apply_topics(open_admin(settings.kafka), self._parts.departments, settings)
        self._wait(ATTACH_WITHIN_SECONDS, lambda: leads_everything(settings.kafka, within_seconds=10), stop, None, show)
        before = self._tokens()
        with (
            running(self._log, "standing") as processor,
            Watcher(
                settings.kafka,
                self._parts.topics,
                self._parts.departments,
                settings.partitions,
                self._parts.codec,
                seen,
            ),
        ):
            seen.doing = "the standing processor takes its partitions over 处理器启动"
            self._wait(ATTACH_WITHIN_SECONDS, lambda: self._attached(before), stop, processor, show)
            self._play.start()
            self._look_on(stop, processor, show, once=once)
            seen.doing = "everybody has stopped publishing, the rest is taken in 收尾"
            show(seen)
            self._play.end()
            verifier = build_verifier(settings, settings.kafka, settings.redis)
            self._wait(QUIET_WITHIN_SECONDS, lambda: verifier.waiting() == 0, threading.Event(), processor, show)
            time.sleep(REDRAW_SECONDS)  # the last notices reach the watcher
        seen.doing = "everything is recomputed from the topics and compared 校验"
        show(seen)
        return self._summary(verifier.verify())

    def _tokens(self) -> list[str]:
        store: Store = self._parts.store
        return [store.cursor(number).token for number in range(self.settings.partitions)]

    def _attached(self, before: list[str]) -> bool:
        """Whether every partition was taken over: each take-over commits a fresh token."""
        return all(now != then for now, then in zip(self._tokens(), before, strict=True))

    def _look_on(self, stop: threading.Event, processor: "Popen[bytes]", show: Show, *, once: bool) -> None:
        until = float("inf")
        while not stop.wait(REDRAW_SECONDS) and time.monotonic() < until:
            show(self.seen)
            if once and until == float("inf") and self._play.samples_done.is_set():
                until = time.monotonic() + PROVINCE_SECONDS
            if processor.poll() is not None or self._play.failure:
                return

    def _wait(
        self,
        seconds: float,
        done: Callable[[], bool],
        stop: threading.Event,
        processor: "Popen[bytes] | None",
        show: Show,
    ) -> None:
        """Until it is done; not when stopped, nor when the processor has ended."""
        until = time.monotonic() + seconds
        while not done():
            if stop.wait(REDRAW_SECONDS) or (processor and processor.poll() is not None):
                return
            if time.monotonic() > until:
                raise RetryLaterError(
                    f"still not done after {seconds:g} s: {self.seen.doing}", code="not_quiet",
                    remedy=f"read {os.path.relpath(self._log)}, then run `creditbus demo` again",
                )  # fmt: skip
            show(self.seen)

    def _summary(self, verdict: Verdict) -> Summary:
        seen = self.seen
        rejected = sum(seen.rejected.values())
        return Summary(
            seconds=round(time.monotonic() - seen.started, 1),
            records=seen.total(),
            accepted=seen.total() - rejected,
            rejected=rejected,
            rejected_reasons=dict(seen.reasons.most_common()),
            bad_rows=sum(seen.bad_rows.values()),
            bad_row_reasons=dict(seen.row_reasons.most_common()),
            standings_changed=len(seen.changed),
            notices=sum(seen.notices.values()),
            notices_by_department=dict(seen.notices.most_common()),
            changes=dict(seen.actions.most_common()),
            p50_ms=seen.percentile(0.5),
            p99_ms=seen.percentile(0.99),
            verdict=verdict,
        )
