"""Links: what one subject's standing has to say to another subject, always as facts for the other to merge.

Three kinds, none of which causes its own kind again, so that no message can travel in a loop:
 link: a registration tells each of its aliases (older codes) which subject they are;
 forward: an alias that knows its subject hands all its records over to it;
 related: a listing tells the persons whom the policy lets it reach by their role, and tells them when it ends.
"""

from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

from exchange.domain.bodies import Related
from exchange.domain.judge import Judgement
from exchange.domain.record import DOCUMENT, Body, Entry, Fact, Version, split_key
from exchange.domain.standing import Standing

COUNTER = ""
"""The place in `sent` that counts all messages of a subject."""


class Message(NamedTuple):
    """Facts for another subject to merge."""

    target: str
    facts: tuple[Fact, ...]


def _wanted(subject: str, standing: Standing, judgement: Judgement) -> dict[tuple[str, str], tuple[int, Body]]:
    """What other subjects should know: (target, entry key) to (day decided, body)."""
    wanted: dict[tuple[str, str], tuple[int, Body]] = {}
    for key, entry in standing.active.items():
        if key.startswith("alias/"):
            _, _, alias = split_key(key)
            day = entry.versions[DOCUMENT].decided_on
            known = wanted.get((alias, f"link/{subject}/"))
            if alias != subject and (known is None or day < known[0]):
                wanted[alias, f"link/{subject}/"] = (day, (day,))
    for person, holdings in judgement.reaching.items():
        for h in holdings:
            body = Related(h.role, h.list_code, h.grounds, int(h.serious), h.until, 0)
            wanted[person, f"related/{subject}/{h.key}|{h.role}"] = (h.decided_on, tuple(body))
    return wanted


def messages(
    subject: str, standing: Standing, judgement: Judgement, *, epoch: int, at: int
) -> tuple[list[Message], dict[str, tuple[int, int]]]:
    """The messages that bring other subjects up to date, and what each will have been told then.

    Args:
        subject: whose standing it is.
        standing: already settled; `sent` says what was told before.
        judgement: of the same standing.
        epoch: of the partition; with the count it makes revisions that rise even after a rollback.
        at: seconds since 1970-01-01 UTC, as time of arrival.
    """
    wanted = _wanted(subject, standing, judgement)
    if not wanted and not standing.sent:
        return [], standing.sent
    sent = dict(standing.sent)
    count = sent.get(COUNTER, (0, 0))[0]
    out: list[Message] = []
    for (target, key), (decided_on, body) in wanted.items():
        mark = _mark(body)
        name = f"{target} {key}"
        if name not in sent or sent[name][1] != mark:
            count += 1
            sent[name] = (count, mark)
            out.append(_message(target, key, decided_on, body, revision=(epoch << 32) + count, at=at))
    ended: Body = tuple(Related("", "", "", 0, None, 1))
    for name in [name for name in standing.sent if name != COUNTER]:
        target, _, key = name.partition(" ")
        if (target, key) not in wanted and key.startswith("related/"):
            count += 1
            del sent[name]
            out.append(_message(target, key, 0, ended, revision=(epoch << 32) + count, at=at))
    if out:
        sent[COUNTER] = (count, 0)
    return out, sent


def _mark(body: Body) -> int:
    return crc32(repr(body).encode())


def is_ended(key: str, version: Version) -> bool:
    """Whether a message said that a listing no longer reaches its target."""
    return key.startswith("related/") and bool(Related._make(version.body).ended)


def _message(target: str, key: str, decided_on: int, body: Body, *, revision: int, at: int) -> Message:
    return Message(target, (Fact(key, DOCUMENT, Version(revision, _mark(body), decided_on, at, 0, -1, body)),))


def forward(target: str, entries: Mapping[str, Entry]) -> list[Message]:
    """Messages that hand an alias's entries over to its subject; links stay with the alias."""
    return [
        Message(target, tuple(Fact(key, slot, version) for slot, version in entry.versions.items()))
        for key, entry in entries.items()
        if not key.startswith("link/")
    ]
