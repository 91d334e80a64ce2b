"""Keeps Redis' users as the table of grants says. `creditbus redis apply`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import RedisError, ResponseError

from exchange.grants import Grant
from exchange.redis_acl import password_rules, users
from exchange.redis_errors import translate_redis


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersApplied:
    """What `apply_users` did; `saved` when Redis keeps it over a restart (it has an `aclfile`)."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    saved: bool


def apply_users(
    client: "redis.Redis", prefix: str, grants: Mapping[str, Grant], passwords: Mapping[str, tuple[str, ...]]
) -> UsersApplied:
    """Give every process of a bus its user, each in one step; may be run again at any time.

    Users that are not named as a bus of this prefix names its processes are left alone.

    Args:
        client: of a user who may change the list.
        prefix: of the bus.
        grants: who may do what.
        passwords: of users, one or two each; who is not among them keeps what he has.

    Raises:
        CreditbusError: as Redis answers.
    """
    meant = users(grants)
    try:
        before = _listed(client)
        for name, rules in meant.items():
            _ask(client, "ACL", "SETUSER", name, "on", *password_rules(passwords.get(name, ())), *rules)
        removed = tuple(name for name in before if name not in meant and _is_ours(name, prefix))
        if removed:
            _ask(client, "ACL", "DELUSER", *removed)
        after = _listed(client)
        saved = _save(client)
    except RedisError as error:
        raise translate_redis(error) from error
    there = [name for name in meant if name in before]
    return UsersApplied(
        added=tuple(name for name in meant if name not in before),
        changed=tuple(name for name in there if before[name] != after[name]),
        removed=removed,
        unchanged=tuple(name for name in there if before[name] == after[name]),
        saved=saved,
    )


def _listed(client: "redis.Redis") -> dict[str, str]:
    lines = [line.decode() if isinstance(line, bytes) else line for line in _ask(client, "ACL", "LIST")]
    return {line.split(" ", 2)[1]: line for line in lines}


def _save(client: "redis.Redis") -> bool:
    try:
        _ask(client, "ACL", "SAVE")
    except ResponseError:  # no aclfile is configured
        return False
    return True


def _ask(client: "redis.Redis", *command: str) -> Any:
    return client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it untyped


def _is_ours(name: str, prefix: str) -> bool:
    return re.fullmatch(rf"{re.escape(prefix)}\.[a-z-]+", name) is not None
