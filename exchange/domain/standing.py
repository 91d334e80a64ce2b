"""The standing: all that follows now from a subject's records, small enough to rewrite on each event."""

from typing import NamedTuple

from exchange.domain.record import Entry


class Imposed(NamedTuple):
    """What a department knows of one measure in force: a checksum of its support, and the notice (and its day) that imposed it."""

    mark: int
    epoch: int
    n: int
    day: int


class Lifted(NamedTuple):
    """A measure that a department has to confirm the end of: the notice (and its day) that lifted it, and within how many working days."""

    epoch: int
    n: int
    day: int
    within: int


class Owed(NamedTuple):
    """A response that somebody owes and whose day (since 1970-01-01) has passed; `lift` where the end of a measure is to be confirmed."""

    department: str
    measure: str
    lift: bool
    respond_by: int


class Told(NamedTuple):
    """What one department was last told about the subject.

    n: the notice's number. measures: those in force. lifted: those whose end it has not confirmed. overdue: its own responses of
    which it was reminded, and those of the departments that it supervises.
    """

    n: int
    measures: dict[str, Imposed]
    lifted: dict[str, Lifted]
    overdue: tuple[Owed, ...] = ()


class Application(NamedTuple):
    """An application for repair of one document that its authority has not decided: made on a day, and whether it was accepted."""

    applied_on: int
    accepted: bool


class Answer(NamedTuple):
    """A department's newest feedback on one measure; of two the greater counts, so that any order ends in the same.

    revision, digest: of the version (see `exchange.domain.facts.answering`). epoch, n: the notice it answers; n is 0 where it
    names none. state: position in the schema's FeedbackState. Days since 1970-01-01; amount in fen. `decided_on` is the day of
    the feedback, `document` its number.
    """

    revision: int
    digest: int
    epoch: int
    n: int
    state: int
    decided_on: int
    executed_on: int | None
    amount: int
    snoozed_until: int | None
    officer: str
    document: str


class Standing(NamedTuple):
    """What the bus keeps of one subject beside its records.

    counts: tallies over the entries that stand, such as `penalty` or `fine` (fen); zero is left out.
    active: entries that can oblige somebody (registration, listings, ratings, links), until withdrawn or past their term.
    told: department to what it was last told. Measures are never edited here: they are judged from `active` and compared.
    sent: what other subjects were last told through the internal topic: message key to (n, fingerprint).
    delivered: department to the sequence (epoch, n) of the newest notice proved delivered.
    answers: `department measure` to the department's newest feedback on it.
    merged_into: the canonical subject, where this one is an alias of it.
    as_of: the day (since 1970-01-01) up to which terms have been applied.
    due: the next day on which something changes by itself; 0 if nothing does.
    updated_at: when the newest record arrived, seconds since 1970-01-01 UTC.
    policy: version of the policy it was judged by.
    respond_due: the next day on which responses must be looked at: one is overdue then, escalates or comes back from snooze; 0 if
        there is none, `TO_BE_FOUND` if something has changed since it was set.
    applications: entry key to the open application for repair of that document, of whatever type.
    """

    counts: dict[str, int]
    active: dict[str, Entry]
    told: dict[str, Told]
    sent: dict[str, tuple[int, int]]
    delivered: dict[str, tuple[int, int]]
    answers: dict[str, Answer]
    merged_into: str = ""
    as_of: int = 0
    due: int = 0
    updated_at: int = 0
    policy: str = ""
    respond_due: int = 0
    applications: dict[str, Application] = {}  # noqa: RUF012 # never changed in place


TO_BE_FOUND = -1
"""A `respond_due` that is before every day."""

EMPTY = Standing({}, {}, {}, {}, {}, {})
"""The standing of a subject nobody has said anything about."""
