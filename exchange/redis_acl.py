"""Redis' access control list: a user for each process that uses Redis, with its keys only. Made of the table of grants."""

import hashlib
from collections.abc import Mapping

from exchange.grants import Grant

COMMON = (
    "+@connection",
    "+@read",
    "+@transaction",
    "+@scripting",
    "-script|flush",
    "-script|kill",
    "-function",
    "+time",
    "+cluster|slots",  # where a cluster keeps which slots
    "+cluster|shards",
    "+cluster|nodes",
)
"""What every process may do; `-@dangerous` follows, so that none lists all keys, empties the server, or sees other clients."""
ADMINISTRATOR = ("+@all",)
REPLICA = "replica"
"""User by which a Redis follows another; it is none of the bus's principals."""


def users(grants: Mapping[str, Grant]) -> dict[str, tuple[str, ...]]:
    """The rules of each user, by name; principals without keys have none. Passwords are not part of them."""
    return {name: _rules(grant) for name, grant in grants.items() if grant.keys or grant.looks_at}


def acl_file(grants: Mapping[str, Grant], passwords: Mapping[str, tuple[str, ...]], administrator: str) -> str:
    """The file that Redis reads users from (`aclfile`), with hashes of passwords only.

    Args:
        grants: who may do what.
        passwords: of each user, one or two: while one is being replaced both are good. `REPLICA` may be one of them.
        administrator: user that may do everything; the default user, who needs no password, is shut off.
    """
    rules = (
        {administrator: ("~*", "&*", *ADMINISTRATOR)}
        | users(grants)
        | {REPLICA: ("-@all", "+psync", "+replconf", "+ping")}
    )
    lines = ["user default off resetchannels resetkeys -@all"]
    for name, words in rules.items():
        if name in passwords:
            lines.append(" ".join(["user", name, "on", *map(_hashed, passwords[name]), *words]))
    return "\n".join(lines) + "\n"


def password_rules(passwords: tuple[str, ...]) -> tuple[str, ...]:
    """Rules that make these passwords, and no others, good; none to leave them as they are."""
    return ("resetpass", *map(_hashed, passwords)) if passwords else ()


def _rules(grant: Grant) -> tuple[str, ...]:
    keys = tuple(f"~{pattern}" for pattern in grant.keys)
    looks = tuple(f"%R~{pattern}" for pattern in grant.looks_at)
    writes = ("+@write",) if grant.keys else ()
    dangerous = ("+info",) if grant.governs else ()
    return ("resetkeys", *keys, *looks, "resetchannels", "-@all", *COMMON, *writes, "-@dangerous", *dangerous)


def _hashed(password: str) -> str:
    return "#" + hashlib.sha256(password.encode()).hexdigest()
