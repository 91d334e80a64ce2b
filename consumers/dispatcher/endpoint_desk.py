"""The endpoint desk: what people do with a department's endpoint, the same from the command line and from the workspace."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from consumers.dispatcher.guard import Guard
from consumers.dispatcher.message import Envelope
from consumers.dispatcher.post import open_session
from consumers.dispatcher.verification import challenge
from exchange.catalogue import Catalogue
from exchange.clock import now_ms
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint, Payload, State
from exchange.errors import RequestError
from exchange.signatures import Signer, SigningKeys

MAX_CONCURRENCY, MAX_RATE = 256, 100_000
HOUR_MS = 3_600_000
WRITTEN_TIME = "write date, time and zone, such as 2026-01-31T09:30:00+08:00"


class EndpointDesk:
    """Changes endpoints.

    Args:
        store: where they are kept.
        keys: master keys that endpoints' keys are derived from.
        guard: says which URLs may be pushed to.
        envelope: of the messages; only `verify` sends one.
        catalogue: says to whom whole notices are pushed.
        timeout_seconds: that an endpoint has to answer.
        now_ms: the clock.
    """

    def __init__(
        self, store: EndpointStore, keys: SigningKeys, guard: Guard, envelope: Envelope, catalogue: Catalogue, *,
        timeout_seconds: float,
        now_ms: Callable[[], int] = now_ms,
    ) -> None:  # fmt: skip
        self.store = store
        self._keys = keys
        self._guard = guard
        self._envelope = envelope
        self._catalogue = catalogue
        self._timeout = timeout_seconds
        self._now_ms = now_ms

    def known(self, department: str) -> Endpoint:
        """The endpoint of a department; raises `RequestError` `unknown_endpoint`."""
        endpoint = self.store.find(department)
        if endpoint is None:
            raise RequestError(
                f"{department} has no endpoint", code="unknown_endpoint", remedy="add one: creditbus endpoints add"
            )
        return endpoint

    def add(
        self, department: str, url: str, *, payload: Payload | None, rate: int, concurrency: int, from_now: bool = False
    ) -> Endpoint:
        """Add an endpoint, or change the one there is; a new URL is verified anew, the same again changes nothing.

        Args:
            department: whose notices are pushed.
            url: to where.
            payload: how much of them; None takes all that the catalogue grants.
            rate: messages a second, at most.
            concurrency: messages at once, at most.
            from_now: leave out what has been issued already.

        Raises:
            RequestError: `unknown_department`, `payload_not_granted`, `bad_limit`, or the URL is not one that may be pushed to.
        """
        payload = self._granted(department, payload)
        self._guard.check_url(url)
        for name, value, most in (("rate", rate, MAX_RATE), ("concurrency", concurrency, MAX_CONCURRENCY)):
            if not 1 <= value <= most:
                raise RequestError(f"{name}={value} is not 1 to {most}", code="bad_limit", remedy="set it right")
        now = self._now_ms()
        new = Endpoint(
            department=department, url=url, payload=payload, rate=rate, concurrency=concurrency, key_id=self._keys.newest,
            changed_at=now, since=now if from_now else 0,
        )  # fmt: skip
        if self.store.add(new):
            return new

        def change(one: Endpoint) -> Endpoint:
            changed = msgspec.structs.replace(one, url=url, payload=payload, rate=rate, concurrency=concurrency)
            return changed if one.url == url else changed.unverified("its URL has changed", now)

        return self.store.change(department, change)

    async def verify(self, department: str) -> tuple[Endpoint, str]:
        """Send the challenge now, from here; the endpoint as it is then, and why it was not echoed, empty when it was.

        Raises:
            RequestError: `unknown_endpoint`; `not_asked`: this process's own settings refuse it, the endpoint is left as it was.
        """
        endpoint, now = self.known(department), self._now_ms()
        signer = Signer(endpoint.live_keys(self._keys, now))
        async with open_session(self._guard, connections=1, timeout_seconds=self._timeout) as session:
            why = await challenge(endpoint, session, signer, self._envelope, self._guard, now)

        def change(one: Endpoint) -> Endpoint:
            if one.url != endpoint.url or one.state in (State.PAUSED, State.GONE):
                return one
            return one.unverified(why, now) if why else one.verified(now)

        return self.store.change(department, change), why

    def rotate(self, department: str, keep_hours: float) -> Endpoint:
        """New keys, derived from the newest master key; the present ones sign beside them for so long."""
        keep, now = int(keep_hours * HOUR_MS), self._now_ms()
        return self.store.change(department, lambda one: one.rotated(self._keys.newest, now, keep))

    def pause(self, department: str, reason: str) -> Endpoint:
        """Push nothing until it is resumed; notices wait."""
        return self.store.change(department, lambda one: one.paused(reason, self._now_ms()))

    def resume(self, department: str) -> Endpoint:
        """Push again, and at once what waits; one that answered 410 is verified anew."""
        self.known(department)
        self.store.succeeded(department)  # the days of failure begin anew
        return self.store.change(department, lambda one: one.resumed(self._now_ms()))

    def recover(self, department: str, since: datetime) -> Endpoint:
        """Push the newest notice of each subject since a time again, in order.

        Raises:
            RequestError: `bad_time`: the time has no zone.
        """
        if since.tzinfo is None:
            raise RequestError(f"{since} has no zone", code="bad_time", remedy=WRITTEN_TIME)
        asked, now = int(since.timestamp() * 1000), self._now_ms()
        return self.store.change(department, lambda one: one.resumed(now).recovering(asked, now))

    def pushed(self, endpoint: Endpoint) -> Payload:
        """How much is pushed to it: the catalogue may have changed since it was added."""
        return Payload.THIN if endpoint.department in self._catalogue.thin_only() else endpoint.payload

    def _granted(self, department: str, asked: Payload | None) -> Payload:
        self._catalogue.demand(department)
        withheld = self._catalogue.withheld(department)
        if withheld is not None and asked is Payload.FULL:
            raise RequestError(
                f"payload full: notices quote {withheld.name_zh} ({withheld.record_type}), which is not shared with {department}: "
                f"{withheld.sharing_basis}",
                code="payload_not_granted",
                remedy="take thin ones, which are read with the department's own key",
            )
        return asked or (Payload.THIN if withheld is not None else Payload.FULL)

    def facts(self, endpoint: Endpoint, *, with_keys: bool = False) -> dict[str, Any]:
        """What is shown of an endpoint; with the keys that its receiver verifies with only where they are asked for."""
        found: dict[str, Any] = {
            "department": endpoint.department, "url": endpoint.url, "state": endpoint.state.value, "reason": endpoint.reason,
            "changed_at": _moment(endpoint.changed_at), "verified_at": _moment(endpoint.verified_at),
            "payload": self.pushed(endpoint).value, "rate": endpoint.rate, "concurrency": endpoint.concurrency,
            "key_number": endpoint.key_number, "key_id": endpoint.key_id, "previous_until": _moment(endpoint.previous_until),
            "since": _moment(endpoint.since),
        }  # fmt: skip
        if with_keys:
            live = endpoint.live_keys(self._keys, self._now_ms())
            found["public_keys"] = [key.public_text for key in live]
            found["secrets"] = [key.secret_text for key in live]
        return found


def read_time(text: str) -> datetime:
    """A time as people type it; raises `RequestError` `bad_time`."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise RequestError(f"{text[:40]!r} is no time", code="bad_time", remedy=WRITTEN_TIME) from error


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds") if at else ""
