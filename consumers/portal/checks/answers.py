"""Answers of checks as programs get them: each with its reasons, basis and a plain explanation."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache

import msgspec

from consumers.portal.checks.reading import Found
from consumers.portal.checks.words import Explanation, Ground, Names, explain, ground_of
from exchange.domain.calendar import to_date
from exchange.domain.check import GRAVEST_FIRST, Answer, check
from exchange.domain.identity import is_person
from exchange.domain.judge import RuleBook
from exchange.domain.standing import EMPTY
from exchange.errors import Reason

Show = Callable[[str], str]
"""How the visitor knows a subject; see `PortalKeys.for_visitor`."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about one subject.

    `subject` is whose standing was looked at: of an alias its canonical subject. `data_as_of` is when its newest record arrived;
    null where the bus knows nothing of it.
    """

    subject: str
    answer: str
    known: bool
    explanation: Explanation
    grounds: tuple[Ground, ...]
    data_as_of: str | None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a subject cannot be checked: field, value and the rule that it breaks."""

    code: str
    field: str
    value: str
    rule: str

    def as_reason(self) -> Reason:
        """The same as the bus's errors carry it."""
        return Reason(code=self.code, field=self.field, value=self.value, rule=self.rule)


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """In place of an answer: what is wrong with the subject at a position of the request."""

    error: Fault


class Single(Answered, frozen=True, kw_only=True):
    """A check of one subject. `as_of` is the day that it is about; the decision refers to `id`."""

    id: str
    matter: str
    as_of: str
    policy: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A check of many, in the order of the request."""

    id: str
    matter: str
    as_of: str
    policy: str
    counts: dict[str, int]
    results: list[Answered | Wrong]


class Checker:
    """Answers for one rule book; what repeats is made once.

    Args:
        book: policy and day.
        names: of lists, departments, matters.
    """

    def __init__(self, book: RuleBook, names: Names) -> None:
        self.book = book
        self.as_of = to_date(book.as_of).isoformat()
        self._names = names
        self._ground = lru_cache(maxsize=65_536)(lambda support: ground_of(support, names))
        self._plain = cache(self._explain_clear)

    def answer(self, found: Found, matter: str, show: Show) -> Answered:
        """The answer about one subject.

        Args:
            found: its standing.
            matter: a code of the policy.
            show: how the visitor knows a subject.
        """
        standing = found.standing
        if not standing.active:  # nine in ten: there is nothing to judge
            return Answered(
                subject=show(found.subject), answer=Answer.CLEAR, known=found.is_known,
                explanation=self._plain(matter, found.is_known), grounds=(), data_as_of=_moment(standing.updated_at),
            )  # fmt: skip
        one = check(standing, self.book, matter, person=is_person(found.subject))
        explanation = explain(one, self._names, known=True) if one.supports else self._plain(matter, found.is_known)
        return Answered(
            subject=show(found.subject), answer=one.answer, known=True, explanation=explanation,
            grounds=tuple(map(self._ground, one.supports)), data_as_of=_moment(one.updated_at),
        )  # fmt: skip

    def _explain_clear(self, matter: str, known: bool) -> Explanation:  # noqa: FBT001 # a key of the cache
        return explain(check(EMPTY, self.book, matter), self._names, known=known)

    def single(self, check_id: str, matter: str, one: Answered) -> Single:
        """The answer to a question about one subject."""
        return Single(
            id=check_id, matter=matter, as_of=self.as_of, policy=self.book.policy.version, subject=one.subject,
            answer=one.answer, known=one.known, explanation=one.explanation, grounds=one.grounds, data_as_of=one.data_as_of,
        )  # fmt: skip

    def batch(self, check_id: str, matter: str, results: list[Answered | Wrong]) -> Batch:
        """The answer to a question about many."""
        counts = Counter(one.answer if isinstance(one, Answered) else "error" for one in results)
        return Batch(
            id=check_id, matter=matter, as_of=self.as_of, policy=self.book.policy.version, counts=dict(counts), results=results,
        )  # fmt: skip


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A result of a `Batch` as it is read back: an answer, or `error`."""

    subject: str = ""
    answer: str = ""
    explanation: Explanation | None = None
    grounds: tuple[Ground, ...] = ()
    data_as_of: str | None = None
    error: Fault | None = None


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A `Batch` as it is read back; `grounds` where it is a `Single`."""

    counts: dict[str, int] = {}
    results: tuple[Row, ...] = ()
    grounds: tuple[Ground, ...] = ()


read_rows = msgspec.json.Decoder(Rows).decode
"""Reads the body of a check."""


def grounds_at(body: bytes, position: int) -> tuple[Ground, ...]:
    """The grounds of one subject's answer.

    Args:
        body: a `Single` or a `Batch` in JSON.
        position: of the subject in the question.
    """
    rows = read_rows(body)
    return rows.results[position].grounds if rows.results else rows.grounds


def gravest(answers: list[Answered]) -> Answered:
    """Of several answers about one subject that is known by several ids the gravest; of equal ones one that knows something."""
    return min(answers, key=lambda one: (GRAVEST_FIRST.index(Answer(one.answer)), not one.known))


@lru_cache(maxsize=65_536)
def _moment(seconds: int) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
