"""The backup of what only Redis has: accounts, API keys, endpoints, and which rejected records were sent again.

All else in Redis follows from the topics (`creditbus rebuild`) or is over within hours (sessions, limits, idempotency keys).
A backup is JSON lines: a head, a line for each field of a hash with its value in Base64, and at the end the SHA-256 of all before.
Passwords and API keys are in it as hashes only, endpoints with their addresses; it is a file for its owner's eyes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import redis
from redis.exceptions import RedisError

from exchange.accounts import ACCOUNTS, SIGNED_IN
from exchange.api_keys import API_KEYS
from exchange.corrections import corrections_of
from exchange.endpoint_store import ENDPOINTS, FAILING
from exchange.errors import RequestError
from exchange.redis_errors import translate_redis
from exchange.whole_file import write_whole

FORMAT = "creditbus-backup-1"
_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    bus: str
    taken_at: datetime


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of one hash."""

    key: str
    field: str
    value: bytes


class _End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: str


class Backup(NamedTuple):
    """What a backup has, and of which bus and moment."""

    bus: str
    taken_at: datetime
    kept: Sequence[Kept]


class Restored(NamedTuple):
    """What a restore did: fields that were missing, that were there already, and that differed."""

    written: int
    same: int
    differing: tuple[str, ...]


def keys(departments: Iterable[str]) -> list[str]:
    """The hashes that a backup has."""
    return [ACCOUNTS, SIGNED_IN, API_KEYS, ENDPOINTS, FAILING, *(corrections_of(one) for one in sorted(departments))]


def take(client: "redis.Redis", departments: Iterable[str], bus: str, now: datetime) -> Backup:
    """Read what is to be kept.

    Args:
        client: of Redis, answering bytes.
        departments: of the catalogue.
        bus: its topic prefix.
        now: the moment, with its zone.

    Raises:
        RetryLaterError: Redis is away.
    """
    kept = []
    for key in keys(departments):
        try:
            found = cast("dict[bytes, bytes]", client.hgetall(key))
        except RedisError as error:
            raise translate_redis(error) from error
        kept += [Kept(key, field.decode(), value) for field, value in sorted(found.items())]
    return Backup(bus, now, kept)


def write(backup: Backup, path: Path) -> None:
    """Write a backup, whole or not at all, readable by its owner alone."""
    lines = [_encode(_Head(FORMAT, backup.bus, backup.taken_at)), *map(_encode, backup.kept)]
    body = b"".join(line + b"\n" for line in lines)
    end = _encode(_End(hashlib.sha256(body).hexdigest()))
    write_whole(path, body + end + b"\n", mode=0o600)


def read(path: Path) -> Backup:
    """Read a backup that is whole.

    Raises:
        RequestError: `backup_unreadable`, `backup_damaged`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(
            f"{path} cannot be read: {error.strerror}", code="backup_unreadable", remedy="give a file of `creditbus backup take`"
        ) from error  # fmt: skip
    body, _, end = raw.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        first, *lines = body.splitlines()
        head = msgspec.json.decode(first, type=_Head)
        told = msgspec.json.decode(end, type=_End).sha256
        kept = [msgspec.json.decode(line, type=Kept) for line in lines]
    except (msgspec.DecodeError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if head.format != FORMAT:
        raise _damaged(path, f"format {head.format!r}, not {FORMAT!r}")
    if hashlib.sha256(body).hexdigest() != told:
        raise _damaged(path, "its SHA-256 is not the one at its end")
    return Backup(head.bus, head.taken_at, kept)


def restore(client: "redis.Redis", backup: Backup, departments: Iterable[str], bus: str, *, replace: bool) -> Restored:
    """Put back what is missing; may be repeated.

    Args:
        client: of Redis, answering bytes.
        backup: as read.
        departments: of the catalogue.
        bus: the topic prefix of the bus that it must be of.
        replace: whether the backup's value also takes the place of another one.

    Raises:
        RequestError: `backup_of_another_bus`; a hash that no backup has: `backup_damaged`.
        RetryLaterError: Redis is away; repeat it.
    """
    if backup.bus != bus:
        raise RequestError(
            f"the backup is of the bus {backup.bus!r}, not {bus!r}", code="backup_of_another_bus",
            remedy=f"take it to that bus, or say --bus {backup.bus} to bring it here",
        )  # fmt: skip
    known = set(keys(departments))
    strange = sorted({one.key for one in backup.kept} - known)
    if strange:
        raise RequestError(
            f"the backup has {', '.join(strange)}, which the catalogue does not explain", code="backup_damaged",
            remedy="restore it with the catalogue that it was taken with",
        )  # fmt: skip
    written = same = 0
    differing = []
    try:
        for one in backup.kept:
            if client.hsetnx(one.key, one.field, one.value):
                written += 1
            elif client.hget(one.key, one.field) == one.value:
                same += 1
            else:
                differing.append(f"{one.key} {one.field}")
                if replace:
                    client.hset(one.key, one.field, one.value)
    except RedisError as error:
        raise translate_redis(error) from error
    return Restored(written, same, tuple(differing))


def _damaged(path: Path, why: str) -> RequestError:
    return RequestError(f"{path} is no whole backup: {why}", code="backup_damaged", remedy="take another copy of it")
