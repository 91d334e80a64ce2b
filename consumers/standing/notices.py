"""Notices and standing changes: from a judged standing to the bytes of `credit.out.*` and `credit.standing`."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from exchange.domain.judge import Judgement, Support, newest_registration
from exchange.domain.notice import Draft
from exchange.domain.response import Deadline
from exchange.domain.standing import Imposed, Lifted, Owed, Standing
from exchange.domain.terms import Holding
from exchange.parts import array, number, optional_day, text, word


class Cause(NamedTuple):
    """What set a change off: a record, or (with empty strings) a day that came or a policy that changed.

    Times in milliseconds since 1970-01-01 UTC: published by the department, received by the processor; 0 if none.
    """

    record_type: str = ""
    department: str = ""
    document: str = ""
    topic: str = ""
    partition: int = -1
    offset: int = -1
    published_at: int = 0
    received_at: int = 0


_BOOLEAN = (b"\0", b"\1")


def notice_id(department: str, subject: str, epoch: int, n: int, cause: Cause) -> str:
    """A name for a notice that follows from its cause, so that a repeated one has the same name."""
    text = f"{department} {subject} {epoch} {n} {cause.topic} {cause.partition} {cause.offset}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


class NoticeWriter:
    """Writes the notices about one subject: what changed, and the full set of measures now in force.

    A record that concerns many departments mostly obliges them to the same measures for the same reasons, so parts are encoded
    once: the circumstances for all notices, a holding for all measures that it supports, a measure for all departments.

    Args:
        prefix: of a notice's message, see `Codec.prefix`.
        deadline: working-day arithmetic.
        policy: version of the policy judged by.
    """

    def __init__(self, prefix: bytes, deadline: Deadline, policy: str) -> None:
        self._prefix = prefix
        self._deadline = deadline
        self._policy = text(policy)

    def write(
        self, subject: str, standing: Standing, drafts: Iterable[Draft], cause: Cause, *, epoch: int, issued_at: int
    ) -> list[bytes]:
        """The message of each draft.

        Args:
            subject: whom they are about.
            standing: already settled.
            drafts: from `exchange.domain.notice.diff`.
            cause: what set them off.
            epoch: of the partition; first part of the sequence.
            issued_at: milliseconds since 1970-01-01 UTC.
        """
        registration = newest_registration(standing.active)
        about = text(subject) + text(str(registration.versions[""].body[0]) if registration else "")
        epoch_part = number(epoch)
        circumstances = _circumstances(cause, issued_at)
        holdings: dict[int, bytes] = {}
        measures: dict[tuple[object, ...], bytes] = {}
        messages = []
        for department, changes, in_force, told in drafts:
            items = []
            for measure, supports in sorted(in_force.items()):
                imposed = told.measures[measure]
                # A holding is one object in all supports of a judgement.
                why = (measure, imposed, *((id(holding), rule.memorandum, rule.article, rule.basis,
                                            rule.respond_within_working_days) for holding, rule in supports))  # fmt: skip
                item = measures.get(why)
                if item is None:
                    item = measures[why] = self._measure(measure, supports, subject, imposed, holdings)
                items.append(item)
            n = told.n
            messages.append(
                b"".join((
                    self._prefix, text(notice_id(department, subject, epoch, n, cause)), about, word(department), epoch_part,
                    number(n), circumstances, array([word(measure) + number(action) for measure, action in changes]),
                    array(items), self._policy, array([self._lifted(*one) for one in sorted(told.lifted.items())]),
                    array([_owed(one) for one in told.overdue]),
                ))
            )  # fmt: skip
        return messages

    def _measure(
        self, measure: str, supports: tuple[Support, ...], subject: str, imposed: Imposed, holdings: dict[int, bytes]
    ) -> bytes:
        """A measure in force, with all that supports it; `holdings` are those encoded already, by identity."""
        listings = []
        for holding, rule in supports:
            encoded = holdings.get(id(holding))
            if encoded is None:
                encoded = holdings[id(holding)] = _holding(holding, subject)
            listings.append(encoded + word(rule.memorandum) + word(rule.article))
        within = min(rule.respond_within_working_days for _, rule in supports)
        respond_by, provisional = self._deadline(imposed.day, within)
        basis = "; ".join(sorted({rule.basis for _, rule in supports}))
        return b"".join((
            word(measure), array(listings), optional_day(respond_by), word(basis), _BOOLEAN[provisional], _since(imposed),
        ))  # fmt: skip

    def _lifted(self, measure: str, lifted: Lifted) -> bytes:
        """A lift that is still to be confirmed."""
        respond_by, provisional = self._deadline(lifted.day, lifted.within)
        parts = (word(measure), optional_day(respond_by), _BOOLEAN[provisional], number(lifted.within), _since(lifted))
        return b"".join(parts)


def _since(one: Imposed | Lifted) -> bytes:
    return number(one.epoch) + number(one.n) + optional_day(one.day)


def _owed(one: Owed) -> bytes:
    return word(one.department) + text(one.measure) + _BOOLEAN[one.lift] + number(one.respond_by)


def _circumstances(cause: Cause, issued_at: int) -> bytes:
    record_type, department, document, topic, partition, offset, published_at, received_at = cause
    return b"".join((
        number(issued_at), number(published_at), number(received_at), word(record_type), word(department), text(document),
        word(topic), number(partition), number(offset),
    ))  # fmt: skip


def _holding(holding: Holding, subject: str) -> bytes:
    return b"".join((
        word(holding.list_code), word(holding.department), text(holding.document), text(holding.subject or subject),
        word(holding.role), text(holding.key), number(holding.decided_on), optional_day(holding.until),
    ))  # fmt: skip


def standing_change(subject: str, judgement: Judgement, *, epoch: int, n: int, changed_at: int) -> dict[str, Any]:
    """The plain record for `credit.standing`: which listings and measures are in force now."""
    return {
        "subject": subject,
        "epoch": epoch,
        "n": n,
        "changed_at": changed_at,
        "listings": sorted({f"{h.list_code} {h.key}" for h in judgement.holdings}),
        "measures": sorted(f"{department}/{m}" for department, ms in judgement.measures.items() for m in ms),
    }
