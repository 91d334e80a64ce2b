"""The demonstration itself: servers up, topics made, a processor running, departments at work, and at the end the proof."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from subprocess import Popen
from typing import Any

from consumers.archive.run import build_verifier as build_archive_verifier
from consumers.archive.verdict import ArchiveVerdict
from consumers.ledger.checking import Verdict as LedgerVerdict
from consumers.ledger.checking import check_live
from consumers.ledger.run import LedgerParts
from consumers.standing.run import Parts, build_verifier
from consumers.standing.verdict import Verdict
from deploy.demo.loop import Scene, close_the_loop, departments_at_work
from deploy.demo.play import Play
from deploy.demo.portal import PEOPLE, portal_open
from deploy.demo.process import running
from deploy.demo.seen import Seen, Words
from deploy.demo.warned import be_warned
from deploy.demo.watching import Watcher
from deploy.local.jars import Advance
from deploy.local.servers import Servers
from deploy.local.stack import Stack
from exchange.bus_keys import LedgerKeys, trusts
from exchange.domain.calendar import day_of
from exchange.errors import RequestError, RetryLaterError
from exchange.kafka import leads_everything, open_admin
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
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
    """What a demonstration came to; `milliseconds` from publication until the notice could be read.

    delivered: notices proved delivered. feedback: by state. executed_after_s, lift_confirmed_after_s: of the scene at the end, from a
    listing until both departments had fed back, and from a repair until both had confirmed the lift; `subject` is whose. warned: subjects
    that early warning has warned about; warned_after_s: from the last of several penalties until the department was told.
    """

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
    delivered: int
    feedback: dict[str, int]
    executed_after_s: float | None
    lift_confirmed_after_s: float | None
    subject: str
    warned: int
    warned_after_s: float | None
    ledger_entries: int
    ledger_good: bool
    archive_rows: int
    archive_good: bool
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
        folder = Stack(settings).folder
        self._log = folder.output_of("standing")
        self._books = folder.data / "departments"
        self._keys = load_signing_keys(settings, embedded=not settings.kafka)

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
            with (
                departments_at_work(settings, self._keys, self._books, self._log.parent),
                portal_open(settings, self._log.parent) as place,
            ):
                seen.portal = f"{place.url}  登录 sign in: {', '.join(PEOPLE)} / {place.password}"
                self._play.start()
                self._look_on(stop, processor, show, once=once)
                scene, warned_after = self._scenes(processor, show)
                seen.doing = "everybody has stopped publishing, the rest is taken in 收尾"
                show(seen)
                self._play.end()
                self._wait_quiet(processor, show)
            seen.portal = ""
            self._wait_quiet(processor, show)  # the departments' last feedback too
            time.sleep(REDRAW_SECONDS)  # the last notices reach the watcher
        seen.doing = "everything is recomputed from the topics and compared 校验"
        show(seen)
        verdict = build_verifier(settings, settings.kafka, settings.redis).verify()
        archive = build_archive_verifier(settings, settings.kafka).verify()
        return self._summary(verdict, self._check_ledger(), archive, scene, warned_after)

    def _scenes(self, processor: "Popen[bytes]", show: Show) -> tuple[Scene | None, float | None]:
        """The scenes at the end; None when something has gone wrong before them."""
        if self._play.failure or processor.poll() is not None:
            return None, None

        def wait(seconds: float, done: Callable[[], bool]) -> None:
            self._wait(seconds, done, threading.Event(), processor, show)

        scene = close_the_loop(self._parts, self.settings, self.seen, wait)
        return scene, be_warned(self._parts, self.settings, self.seen, wait)

    def _wait_quiet(self, processor: "Popen[bytes]", show: Show) -> None:
        verifier = build_verifier(self.settings, self.settings.kafka, self.settings.redis)
        self._wait(QUIET_WITHIN_SECONDS, lambda: verifier.waiting() == 0, threading.Event(), processor, show)

    def _check_ledger(self) -> LedgerVerdict:
        public = LedgerKeys(self._keys, self.settings.topic_prefix).public()
        return check_live(LedgerParts(self.settings, self.settings.kafka), trusts(public.values()), {}, lambda _: None)

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

    def _summary(
        self,
        verdict: Verdict,
        ledger: LedgerVerdict,
        archive: ArchiveVerdict,
        scene: Scene | None,
        warned_after: float | None,
    ) -> Summary:
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
            delivered=seen.delivered,
            feedback=dict(seen.feedback.most_common()),
            executed_after_s=scene.executed_after if scene else None,
            lift_confirmed_after_s=scene.confirmed_after if scene else None,
            subject=scene.subject if scene else "",
            warned=len(seen.warned),
            warned_after_s=warned_after,
            ledger_entries=ledger.entries,
            ledger_good=ledger.is_good,
            archive_rows=archive.rows,
            archive_good=archive.is_good,
            verdict=verdict,
        )
