"""Notices and standing changes: from a judged standing to the bytes of `credit.out.*` and `credit.standing`."""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

from exchange.domain.judge import Judgement, Support, newest_registration
from exchange.domain.notice import Draft
from exchange.domain.standing import Standing
from exchange.items_writer import ItemsWriter


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


RespondBy = Callable[[int, int], int]
"""The day that is so many working days after a day."""


def notice_id(department: str, subject: str, epoch: int, n: int, cause: Cause) -> str:
    """A name for a notice that follows from its cause, so that a repeated one has the same name."""
    text = f"{department} {subject} {epoch} {n} {cause.topic} {cause.partition} {cause.offset}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _supporting(support: Support, subject: str) -> dict[str, Any]:
    holding, rule = support
    return {
        "list_code": holding.list_code,
        "department": holding.department,
        "document": holding.document,
        "subject": holding.subject or subject,
        "role": holding.role,
        "entry": holding.key,
        "decided_on": holding.decided_on,
        "until": holding.until,
        "memorandum": rule.memorandum,
        "article": rule.article,
    }


def _measure(
    measure: str, supports: tuple[Support, ...], subject: str, today: int, respond_by: RespondBy
) -> dict[str, Any]:
    return {
        "measure": measure,
        "listings": [_supporting(support, subject) for support in supports],
        "respond_by": respond_by(today, min(support.rule.respond_within_working_days for support in supports)),
        "basis": "; ".join(sorted({support.rule.basis for support in supports})),
    }


_why = attrgetter("memorandum", "article", "basis", "respond_within_working_days")


class NoticeWriter:
    """Writes the notices about one subject: what changed, and the full set of measures now in force.

    A record that concerns many departments mostly obliges them to the same measures for the same reasons: those are encoded once.

    Args:
        writer: of the notice's measures.
        respond_by: working-day arithmetic.
        policy: version of the policy judged by.
    """

    def __init__(self, writer: ItemsWriter, respond_by: RespondBy, policy: str) -> None:
        self._writer = writer
        self._respond_by = respond_by
        self._policy = policy

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
        shared = {
            "subject": subject,
            "subject_name": str(registration.versions[""].body[0]) if registration else "",
            "epoch": epoch,
            "issued_at": issued_at,
            "published_at": cause.published_at,
            "received_at": cause.received_at,
            "cause": {
                "type": cause.record_type,
                "department": cause.department,
                "document": cause.document,
                "topic": cause.topic,
                "partition": cause.partition,
                "offset": cause.offset,
            },
            "policy_version": self._policy,
        }
        encoded: dict[tuple[object, ...], bytes] = {}
        messages = []
        for draft in drafts:
            plain = shared | {
                "id": notice_id(draft.department, subject, epoch, draft.n, cause),
                "department": draft.department,
                "n": draft.n,
                "changes": [{"measure": measure, "action": int(action)} for measure, action in draft.changes],
            }
            items = []
            for measure, supports in sorted(draft.measures.items()):
                # A holding is one object in all supports of a judgement.
                why = (measure, *((id(one.holding), _why(one.rule)) for one in supports))
                item = encoded.get(why)
                if item is None:
                    in_force = _measure(measure, supports, subject, standing.as_of, self._respond_by)
                    item = encoded[why] = self._writer.item(in_force)
                items.append(item)
            messages.append(self._writer.message(plain, items))
        return messages


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
