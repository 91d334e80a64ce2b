"""Policy: lists, measures and publicity terms as dated facts. Which listing obliges which department to what, and why.

Days are counted since 1970-01-01; validity is `effective_from` (inclusive) to `effective_to` (exclusive). `confidence` says
how sure the fact is: H read in an official text or well known, M from a secondary source, L to be confirmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

OPEN = 2**31 - 1
"""The day `effective_to` of a rule that has no end."""

NO_REPAIR = 1200
"""`min_months` of a repair rule that rules repair out: later than any term ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why one may be put on a list; a ground that fell away keeps its dates, for the entries decided under it."""

    code: str
    name_zh: str
    name_en: str
    basis: str
    effective_from: int
    effective_to: int = OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long a listing on some grounds (empty: any) holds; `months` None means until cured or performed."""

    grounds: frozenset[str]
    months: int | None
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRule:
    """How many months after correction a listing may be repaired at the earliest."""

    min_months: int
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """A list: whose it is, its colour (black, red, watch, abnormal), and how long its entries hold.

    authorities: slugs of the departments that may list. removal_working_days: within so many an ended entry must be gone; 0
    where no rule says so.
    """

    list_code: str
    name_zh: str
    name_en: str
    colour: str
    authorities: frozenset[str]
    joint_requires_serious_from: int | None
    terms: tuple[Term, ...]
    repairs: tuple[RepairRule, ...] = ()
    grounds: tuple[Ground, ...] = ()
    removal_working_days: int = 0
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRule:
    """One measure that one department must take (or grant) because of one list.

    target: ENTITY, PERSON, ANY, or CONSORTIUM (an entity, and every consortium it is in). role: empty for the listed subject itself, else the role of persons it reaches
    (LEGAL_REPRESENTATIVE, ...). effect on a check: refuse, review or fast_track; matters: what is asked for when it counts.
    category of the National Basic List: a (takes rights away, must rest on law), b (management), c (by other organisations).
    region: the province whose rule it is, where not ours; such a rule is known and obliges nobody here.
    """

    measure: str
    name_zh: str
    name_en: str
    department: str
    list_code: str
    target: str
    role: str
    effect: str
    matters: frozenset[str]
    urgent: bool
    requires_serious: bool
    respond_within_working_days: int
    memorandum: str
    article: str
    basis: str
    effective_from: int
    effective_to: int = OPEN
    category: str = ""
    confidence: str = "H"
    note: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorandum:
    """An agreement between departments (合作备忘录) on what follows from a list; `number` is how it is cited."""

    code: str
    number: str
    name_zh: str
    name_en: str
    lists: frozenset[str]
    signatories: int
    measures: int
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What somebody asks a service counter for, such as `bidding`."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairProcess:
    """Within how many working days of its application a repair must be accepted or refused, and answered."""

    accept_working_days: int
    answer_working_days: int
    basis: str
    effective_from: int
    effective_to: int = OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicityTerm:
    """For how long penalties of one severity are public: months before repair, and until they stop by themselves."""

    severity: str
    published: bool
    min_months: int
    max_months: int
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureTerm:
    """Within how many working days of the decision records of these types must be public (双公示)."""

    record_types: frozenset[str]
    within_working_days: int
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRule:
    """A domain of early warnings: the watch list it leads to, and which series belong to it.

    departments, industries, lists: a series along that dimension belongs here when its value is among them; the domain that names
    nothing takes the rest.
    """

    domain: str
    list_code: str
    departments: frozenset[str]
    industries: frozenset[str]
    lists: frozenset[str]
    basis: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRule:
    """From what on a subject is warned about: one kind of sign, with its thresholds by level.

    within_days: what is counted must lie in so many days; 0 counts what holds now. levels: the smallest count of BLUE, YELLOW, ORANGE
    and RED; 0 where the sign never comes to that level. valid_days: for so long a warning holds that nothing renews.
    """

    signal: str
    domain: str
    name_zh: str
    name_en: str
    within_days: int
    levels: tuple[int, int, int, int]
    valid_days: int
    basis: str
    meaning: str
    effective_from: int
    effective_to: int = OPEN
    confidence: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole policy. `edges` are all days on which some rule begins or ends, in order.

    version: a checksum of all that follows, 12 hex digits. rules_elsewhere: rules of other provinces. warning_lists: the watch list
    of each domain of early warnings.
    """

    version: str
    lists: Mapping[str, ListRule]
    rules_by_list: Mapping[str, tuple[MeasureRule, ...]]
    rating_lists: Mapping[tuple[str, str], str]
    publicity: tuple[PublicityTerm, ...]
    edges: tuple[int, ...]
    matters: Mapping[str, Matter] = field(default_factory=dict)
    memoranda: Mapping[str, Memorandum] = field(default_factory=dict)
    repair_process: tuple[RepairProcess, ...] = ()
    rules_elsewhere: tuple[MeasureRule, ...] = ()
    disclosure: tuple[DisclosureTerm, ...] = ()
    warning_lists: Mapping[str, str] = field(default_factory=dict)
    warning_rules: tuple[WarningRule, ...] = ()
    signal_rules: tuple[SignalRule, ...] = ()

    def term_months(self, list_code: str, grounds: str, decided_on: int) -> int | None:
        """Months that a listing holds by the term of the day it was decided; None if it has no end of its own."""
        listed = self.lists.get(list_code)
        found = [t for t in (listed.terms if listed else ()) if t.effective_from <= decided_on < t.effective_to]
        exact = [t for t in found if grounds in t.grounds] or [t for t in found if not t.grounds]
        return exact[0].months if exact else None

    def repair_min_months(self, list_code: str, day: int) -> int:
        """Months after correction before which no repair takes effect; 0 where no rule says so."""
        listed = self.lists.get(list_code)
        found = [r.min_months for r in (listed.repairs if listed else ()) if r.effective_from <= day < r.effective_to]
        return found[0] if found else 0

    def repair_process_for(self, day: int) -> RepairProcess | None:
        """The terms of the process for an application of that day; None where no rule was in force."""
        found = [p for p in self.repair_process if p.effective_from <= day < p.effective_to]
        return found[0] if found else None

    def publicity_for(self, severity: str, decided_on: int) -> PublicityTerm | None:
        """The publicity term of a penalty by the rules of the day it was decided."""
        found = [
            p for p in self.publicity if p.severity == severity and p.effective_from <= decided_on < p.effective_to
        ]
        return found[0] if found else None

    def disclosure_for(self, record_type: str, decided_on: int) -> DisclosureTerm | None:
        """The term within which a decision of that day must be public; None where no rule was in force."""
        found = [
            term
            for term in self.disclosure
            if record_type in term.record_types and term.effective_from <= decided_on < term.effective_to
        ]
        return found[0] if found else None
