"""Links: what one subject's standing has to say to another subject, always as facts for the other to merge.

Three kinds, none of which causes its own kind again, so that no message can travel in a loop:
 link: a registration tells each of its aliases (older codes) which subject they are;
 forward: an alias that knows its subject hands all its records over to it, and tells a subject that it belongs to no longer;
 related: a listing tells the persons whom the policy lets it reach by their role, and tells them when it ends.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from zlib import crc32

from exchange.domain.bodies import Related
from exchange.domain.fold import NO_LONGER
from exchange.domain.handover import FROM, hand_over, say_belongs, taken_in
from exchange.domain.judge import Judgement
from exchange.domain.record import DOCUMENT, Body, Entry, Fact, Version, split_key
from exchange.domain.standing import Standing

COUNTER = ""
"""The place in `sent` that counts all messages of a subject."""
LEFT = "left"
"""The place in `sent`, after a subject's id, that says that an alias has left it."""


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
            claim = entry.versions.get(DOCUMENT)
            if claim is None:
                continue  # the claim of an older code, which tells it itself
            day = claim.decided_on
            known = wanted.get((alias, f"link/{subject}/"))
            if alias != subject and (known is None or day < known[0]):
                wanted[alias, f"link/{subject}/"] = (day, (day,))
    for person, key, decided_on, body in reaching(subject, judgement):
        wanted[person, key] = (decided_on, body)
    return wanted


def reaching(subject: str, judgement: Judgement) -> Iterator[tuple[str, str, int, Body]]:
    """What the persons should know whom a subject's listings reach: (person, entry key, day decided, body)."""
    for person, holdings in judgement.reaching.items():
        for h in holdings:
            body = Related(h.role, h.list_code, h.grounds, int(h.serious), h.until, 0)
            yield person, f"related/{subject}/{h.key}|{h.role}", h.decided_on, tuple(body)


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
    related_ended: Body = tuple(Related("", "", "", 0, None, 1))
    for name in [name for name in standing.sent if name != COUNTER]:
        target, _, key = name.partition(" ")
        if (target, key) not in wanted and key.startswith(("related/", "link/")):
            count += 1
            ended = related_ended if key.startswith("related/") else (NO_LONGER,)
            del sent[name]
            out.append(_message(target, key, 0, ended, revision=(epoch << 32) + count, at=at))
    if out:
        sent[COUNTER] = (count, 0)
    return out, sent


def _mark(body: Body) -> int:
    return crc32(repr(body).encode())


def is_ended(key: str, version: Version) -> bool:
    """Whether a message said that a listing no longer reaches its target, or that its older code is claimed no longer."""
    if key.startswith("link/"):
        return version.body[0] == NO_LONGER
    return key.startswith("related/") and bool(Related._make(version.body).ended)


def _message(target: str, key: str, decided_on: int, body: Body, *, revision: int, at: int) -> Message:
    return Message(target, (Fact(key, DOCUMENT, Version(revision, _mark(body), decided_on, at, 0, -1, body)),))


def claimants(standing: Standing) -> list[str]:
    """The subjects that claim an older code as theirs."""
    return [split_key(key)[1] for key in standing.active if key.startswith("link/")]


Handed = Mapping[tuple[str, str], Mapping[str, Version]]
"""(subject, entry key) to slot to the newest version that another has sent it, as it was taken in there."""


def forward(
    alias: str, before: str, now: str, changed: Mapping[str, Entry], all_entries: Callable[[], Mapping[str, Entry]],
    sent: dict[str, tuple[int, int]], *, epoch: int, at: int, handed: Handed | None = None,
) -> tuple[list[Message], dict[str, tuple[int, int]]]:  # fmt: skip
    """What an alias says to the subject that it belongs to, and to the one that it has belonged to.

    Args:
        alias: whose entries they are.
        before: the subject that it belonged to; empty where it belonged to none.
        now: the subject that it belongs to; likewise.
        changed: its entries that have changed.
        all_entries: looks all of them up.
        sent: what others were told before.
        epoch: of the partition.
        at: seconds since 1970-01-01 UTC, as time of arrival.
        handed: what it has sent, where that was read back and `before` cannot be relied on; only the differences are said then.

    Returns:
        The messages, and `sent` as it is then.
    """
    if handed is None and before == now:
        return ([Message(now, facts) for facts in hand_over(now, changed).values()] if now else []), sent
    former = ({before} if handed is None else _handed_to(alias, handed, sent)) - {"", now}
    if not now and not former:  # no alias, as nearly all: their entries are not looked up
        return [], sent
    sent, entries, out = dict(sent), all_entries(), []
    for target in sorted(former):
        revision = _count(sent, epoch)
        sent[f"{target} {LEFT}"] = (revision & _N, 0)
        facts = say_belongs(hand_over(target, entries), revision, at=at, belongs=False)
        out += [Message(target, (fact,)) for fact in facts.values()]
    if now:
        given = hand_over(now, entries)
        if f"{now} {LEFT}" in sent:
            del sent[f"{now} {LEFT}"]
            again = say_belongs(given, _count(sent, epoch), at=at, belongs=True)
            given = {key: (*facts, again[key]) for key, facts in given.items()}
        out += [Message(now, facts) for facts in given.values()]
    if handed is not None:
        out = [message for message in out if not _is_known(alias, message, handed)]
    return out, sent


_N = (1 << 32) - 1


def _count(sent: dict[str, tuple[int, int]], epoch: int) -> int:
    """The revision of one more message; it rises even after a rollback."""
    count = sent.get(COUNTER, (0, 0))[0] + 1
    sent[COUNTER] = (count, 0)
    return (epoch << 32) + count


def _handed_to(alias: str, handed: Handed, sent: Mapping[str, tuple[int, int]]) -> set[str]:
    """The subjects that have an alias's entries and were not told that it has left."""
    found = {target for (target, _), versions in handed.items() for slot in versions if slot.endswith(FROM + alias)}
    return {target for target in found if f"{target} {LEFT}" not in sent}


def _is_known(alias: str, message: Message, handed: Handed) -> bool:
    """Whether the target was sent each of these versions, or a newer one, before."""
    return all(
        fact.version <= handed.get((message.target, fact.key), {}).get(fact.slot, fact.version._replace(revision=-1))
        for fact in (taken_in(alias, fact) for fact in message.facts)
    )
