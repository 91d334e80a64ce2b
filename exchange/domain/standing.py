"""The standing: all that follows now from a subject's records, small enough to rewrite on each event."""

from typing import NamedTuple

from exchange.domain.record import Entry


class Told(NamedTuple):
    """What one department was last told about the subject: the notice's number and measure to fingerprint of its support."""

    n: int
    measures: dict[str, int]


class Standing(NamedTuple):
    """What the bus keeps of one subject beside its records.

    counts: tallies over the entries that stand, such as `penalty` or `fine` (fen); zero is left out.
    active: entries that can oblige somebody (registration, listings, ratings, links), until withdrawn or past their term.
    told: department to what it was last told. Measures are never edited here: they are judged from `active` and compared.
    sent: what other subjects were last told through the internal topic: message key to (n, fingerprint).
    merged_into: the canonical subject, where this one is an alias of it.
    as_of: the day (since 1970-01-01) up to which terms have been applied.
    due: the next day on which something changes by itself; 0 if nothing does.
    updated_at: when the newest record arrived, seconds since 1970-01-01 UTC.
    policy: version of the policy it was judged by.
    """

    counts: dict[str, int]
    active: dict[str, Entry]
    told: dict[str, Told]
    sent: dict[str, tuple[int, int]]
    merged_into: str = ""
    as_of: int = 0
    due: int = 0
    updated_at: int = 0
    policy: str = ""


EMPTY = Standing({}, {}, {}, {})
"""The standing of a subject nobody has said anything about."""
