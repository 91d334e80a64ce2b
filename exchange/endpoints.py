"""Endpoints: where the bus pushes a department's notices to, one a department, and what can happen to one.

Pure values and changes of them; `exchange.endpoint_store` keeps them. Nothing secret is in one: keys are derived.
"""

from enum import StrEnum
from typing import Self

import msgspec

from exchange.signatures import EndpointKey, SigningKeys


class State(StrEnum):
    """What becomes of notices: only an active endpoint gets any, the others' wait."""

    UNVERIFIED = "unverified"
    ACTIVE = "active"
    PAUSED = "paused"
    GONE = "gone"


class Payload(StrEnum):
    """How much a message says: the whole notice, or only which one it is."""

    FULL = "full"
    THIN = "thin"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A department's webhook. Times are milliseconds since 1970-01-01 UTC.

    Attributes:
        rate: messages a second, at most.
        concurrency: messages under way at once, at most.
        key_number: of the newest keys, with the id of the master key they are derived from.
        previous_number: of the keys before, which sign beside them until `previous_until`.
        reason: why it is in its state.
        since: notices issued before are not pushed, unless recovered; 0 pushes all there are.
        recovery: when notices were last asked for again, those since `recover_since`; 0 for never.
    """

    department: str
    url: str
    payload: Payload = Payload.FULL
    rate: int = 500
    concurrency: int = 16
    key_number: int = 1
    key_id: str
    previous_number: int = 0
    previous_key_id: str = ""
    previous_until: int = 0
    state: State = State.UNVERIFIED
    reason: str = ""
    changed_at: int = 0
    verified_at: int = 0
    since: int = 0
    recovery: int = 0
    recover_since: int = 0

    def live_keys(self, keys: SigningKeys, now: int) -> list[EndpointKey]:
        """The keys that sign now, newest first.

        Raises:
            RequestError: `unknown_signing_key`: a master key is no longer among the settings.
        """
        live = [keys.endpoint_key(self.department, self.key_number, self.key_id)]
        if now < self.previous_until:
            live.append(keys.endpoint_key(self.department, self.previous_number, self.previous_key_id))
        return live

    def rotated(self, key_id: str, now: int, keep: int) -> Self:
        """With new keys, derived from a master key; the present ones sign beside them for `keep` milliseconds."""
        return msgspec.structs.replace(
            self,
            key_number=self.key_number + 1,
            key_id=key_id,
            previous_number=self.key_number,
            previous_key_id=self.key_id,
            previous_until=now + keep,
        )

    def verified(self, now: int) -> Self:
        """It has echoed the challenge."""
        return self._become(State.ACTIVE, "", now, verified_at=now)

    def unverified(self, reason: str, now: int) -> Self:
        """It has not echoed the challenge, or has moved."""
        return self._become(State.UNVERIFIED, reason, now, verified_at=0)

    def paused(self, reason: str, now: int) -> Self:
        """Nothing more is sent until somebody resumes it; one that is paused or gone stays so."""
        return self if self.state in (State.PAUSED, State.GONE) else self._become(State.PAUSED, reason, now)

    def gone(self, now: int) -> Self:
        """It has answered 410: it wants nothing any more."""
        return self._become(State.GONE, "answered 410 Gone", now, verified_at=0)

    def resumed(self, now: int) -> Self:
        """As before it was paused; one that was gone is verified anew."""
        if self.state not in (State.PAUSED, State.GONE):
            return self
        return self._become(State.ACTIVE if self.verified_at else State.UNVERIFIED, "", now)

    def recovering(self, since: int, now: int) -> Self:
        """With the newest notice of each subject since a time asked for again."""
        return msgspec.structs.replace(self, recovery=now, recover_since=since)

    def _become(self, state: State, reason: str, now: int, **more: int) -> Self:
        return msgspec.structs.replace(self, state=state, reason=reason[:300], changed_at=now, **more)
