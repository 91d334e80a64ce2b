"""Classing: from subjects to the ratings that must be published, by what the store knows of each now."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchange.catalogue import Catalogue
from exchange.domain.calendar import day_of, to_date
from exchange.domain.handover import visible_entries
from exchange.domain.policy import Policy
from exchange.domain.record import Entry
from exchange.domain.risk.assess import Assessment, assess
from exchange.domain.risk.model import SCHEME, RiskModel, Rules
from exchange.domain.risk.occurrences import firm_of
from exchange.domain.risk.publish import Observed, Wanted, document_of, observe, wanted
from exchange.partitioner import partition_of
from exchange.standing_store import StandingStore

UNDER_WAY_SECONDS = 60.0
"""A class that was published counts as known for so long, until it is seen; then the store is believed again."""
_REMARK_CHARACTERS = 1000
_FIRMS = "org:"


@dataclass(slots=True)
class Classed:
    """What a batch brings: the records to publish, how many firms were worked out, and how many of each class."""

    records: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    letters: Counter[str] = field(default_factory=Counter)
    computed: int = 0


class Classer:
    """Works classes out.

    Args:
        store: of the standings.
        policy: of the lists.
        model: of the classes.
        catalogue: names of departments.
        partitions: of the bus.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        store: StandingStore,
        policy: Policy,
        model: RiskModel,
        catalogue: Catalogue,
        partitions: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._policy = policy
        self._model = model
        self._catalogue = catalogue
        self._partitions = partitions
        self._clock = clock
        self._rules: Rules | None = None
        self._under_way: dict[str, tuple[float, Wanted]] = {}

    def rules(self, day: int) -> Rules | None:
        """The model on a day; None where none is in force."""
        if self._rules is None or self._rules.day != day:
            self._rules = self._model.on(day)
        return self._rules

    def work_out(self, partition: int, subjects: Sequence[str], now: int) -> Classed:
        """The classes of subjects of one partition, and which of them to publish.

        Args:
            partition: theirs.
            subjects: ids; persons and older codes have no class, and a record in the wrong partition was rejected.
            now: milliseconds since 1970-01-01 UTC.

        Raises:
            RetryLaterError: Redis is away.
        """
        classed = Classed()
        rules = self.rules(day_of(now))
        firms = [one for one in subjects if one.startswith(_FIRMS) and partition_of(one, self._partitions) == partition]
        if rules is None or not firms:
            return classed
        found = dict(zip(firms, map(visible_entries, self._store.entries_of(partition, firms)), strict=True))
        persons = self._representatives(found.values())
        for subject, entries in found.items():
            firm = firm_of(entries)
            representative = persons.get(firm.representative, {}) if firm is not None else {}
            assessment = assess(subject, entries, representative, self._policy, rules)
            if assessment is not None:
                classed.computed += 1
                classed.letters[assessment.letter] += 1
            what = wanted(assessment, self._observe(subject, entries, rules), rules)
            if what is not None:
                name = str(firm.name) if firm is not None else ""
                classed.records.append((subject, self._record(subject, name, what, assessment, rules, now)))
                self._under_way[subject] = (self._clock(), what)
        return classed

    def forget(self) -> None:
        """Nothing is under way: what was published may have gone elsewhere."""
        self._under_way.clear()

    def _observe(self, subject: str, entries: Mapping[str, Entry], rules: Rules) -> Observed:
        """The class that the bus knows, or will as soon as what was published is folded."""
        observed = observe(entries, rules)
        at, sent = self._under_way.get(subject, (0.0, None))
        if sent is None:
            return observed
        this_year, _ = document_of(rules.day)
        seen = sent.document != this_year or sent.revision <= observed.revision
        if seen or self._clock() - at > UNDER_WAY_SECONDS:
            del self._under_way[subject]
            return observed
        return Observed(sent.revision, sent.letter, sent.points, sent.valid_until)

    def _representatives(self, found: Iterable[Mapping[str, Entry]]) -> dict[str, Mapping[str, Entry]]:
        """Entries of the legal representatives, wherever they are kept."""
        by_partition: defaultdict[int, dict[str, None]] = defaultdict(dict)
        for entries in found:
            firm = firm_of(entries)
            if firm is not None and firm.representative:
                by_partition[partition_of(firm.representative, self._partitions)][firm.representative] = None
        persons: dict[str, Mapping[str, Entry]] = {}
        for number, names in by_partition.items():
            wanted_names = list(names)
            found_there = map(visible_entries, self._store.entries_of(number, wanted_names))
            persons |= zip(wanted_names, found_there, strict=True)
        return persons

    def _record(
        self, subject: str, name: str, what: Wanted, assessment: Assessment | None, rules: Rules, now: int
    ) -> dict[str, Any]:
        method = rules.method
        return {
            "subject": subject,
            "subject_name": name,
            "department": method.department,
            "document": what.document,
            "revision": what.revision,
            "decided_on": to_date(rules.day),
            "published_at": datetime.fromtimestamp(now / 1000, UTC),
            "division": assessment.firm.division if assessment is not None else "",
            "scheme": SCHEME,
            "grade": what.letter,
            "period": what.period,
            "points": Decimal(what.points) / 100,
            "valid_until": to_date(what.valid_until),
            "basis": method.basis,
            "authority": self._catalogue.departments[method.department].name_zh,
            "remark": remark_of(assessment, rules),
        }


def remark_of(assessment: Assessment | None, rules: Rules) -> str:
    """The shares in words, so that the record explains itself: each indicator with its points, and the model's version."""
    if assessment is None:
        return f"不再属于分类对象（口径 {rules.version}）"
    shares = "；".join(f"{share.indicator.name_zh} {share.points / 100:+.2f}" for share in assessment.shares)
    return f"{shares or '无风险指标'}（口径 {rules.version}）"[:_REMARK_CHARACTERS]
