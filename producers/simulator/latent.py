"""A province with known truth, for back-tests: each firm has a latent risk that drives its records over years and, later, a violation.

The latent risk is never in a record. It is made of the firm's own nature, of its representative's (who stands for several firms), of
its trade's, and of a part that wanders; records come from it with noise, late, incomplete, and some are repaired or withdrawn. All
rates are assumptions of ours, not statistics: a back-test on them shows that the method works and what it costs, not how a real
province behaves.
"""

import math
import random
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from exchange.domain import bodies
from exchange.domain.bodies import AbnormalState, RepairState, Severity
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS, to_date, to_day
from exchange.domain.record import DOCUMENT, Body, Fact, Version, entry_key
from exchange.domain.synthetic import synthetic_organisation

FIRST_DAY, LAST_DAY = to_day(date(2020, 1, 1)), to_day(date(2026, 12, 31))
YEAR = 365
_WANDER_DAYS = 182
_TRADES = 12
_PERSONS_SHARE = 0.7

_COUNTED = {
    "minor": (0.04, 0.5), "general": (0.05, 1.0), "serious": (0.004, 1.2), "inspection": (0.3, 0.1),
    "arrears": (0.04, 1.1), "commitment": (0.2, 0.0), "respondent": (0.08, 0.5), "debtor": (0.02, 1.1),
    "claimant": (0.05, 0.0), "award": (0.012, -0.5), "change": (0.15, 0.2), "violation": (0.009, 1.4),
}  # fmt: skip
"""Events a year of a firm of no particular risk, and how strongly the latent risk drives them."""
_DRIFT = 0.04
"""Enforcement grows by so much a year: what is learnt from one year is not quite right for the next."""
_LISTED_SHARE, _REPAIRED_SHARE, _WITHDRAWN_SHARE, _VERY_LATE_SHARE = 0.3, 0.3, 0.01, 0.03
_LISTS = (("SER-AMR", "gd.amr"), ("SAFE", "gd.em"), ("ENV", "gd.eco"))


class LatentFirm(NamedTuple):
    """A firm, all facts about it in the order of their making, and the truth.

    violations: days of serious violations, whenever the bus hears of them. risk: latent risk by half-year from `FIRST_DAY`.
    """

    subject: str
    representative: str
    facts: tuple[Fact, ...]
    violations: tuple[int, ...]
    risk: tuple[float, ...]

    def violates(self, day: int, within: int = YEAR) -> bool:
        """Whether a serious violation happens in the days after one."""
        return any(day < one <= day + within for one in self.violations)

    def risk_on(self, day: int) -> float:
        """The latent risk of a day."""
        return self.risk[(day - FIRST_DAY) // _WANDER_DAYS]


class LatentProvince:
    """Firms and what their representatives' other firms say of them.

    Args:
        seed: the same seed gives the same province.
        size: number of firms.
    """

    def __init__(self, seed: int, size: int) -> None:
        rnd = random.Random(seed)  # noqa: S311 # a simulation, no secret
        persons = [rnd.gauss(0, 1) for _ in range(max(1, int(size * _PERSONS_SHARE)))]
        trades = [rnd.gauss(0, 1) for _ in range(_TRADES)]
        self.firms = []
        self._related: dict[str, list[Fact]] = {}
        for number in range(size):
            own = random.Random(f"{seed}/{number}")  # noqa: S311 # likewise
            person = own.randrange(len(persons))
            nature = 0.7 * own.gauss(0, 1) + 0.35 * persons[person] + 0.3 * own.choice(trades)
            maker = _Maker(own, number, f"person:sim.{person:032x}", nature)
            firm = maker.make()
            self.firms.append(firm)
            for key, decided_on, arrived_at, list_code in maker.listed:
                body = bodies.Related("LEGAL_REPRESENTATIVE", list_code, "", 1, None, 0)
                version = Version(1, 0, decided_on, arrived_at, 0, -1, tuple(body))
                related = Fact(f"related/{firm.subject}/{key}|LEGAL_REPRESENTATIVE", DOCUMENT, version)
                self._related.setdefault(firm.representative, []).append(related)

    def related(self, representative: str) -> list[Fact]:
        """What the bus tells a person of the listings of his firms."""
        return self._related.get(representative, [])


class _Maker:
    """Makes one firm."""

    def __init__(self, rnd: random.Random, number: int, representative: str, nature: float) -> None:
        self._rnd = rnd
        self._number = 0
        self._subject = f"org:{synthetic_organisation(1000 + number)}"
        self._representative = representative
        self._facts: list[Fact] = []
        self.listed: list[tuple[str, int, int, str]] = []
        wander, self._risk = 0.0, []
        for _ in range((LAST_DAY - FIRST_DAY) // _WANDER_DAYS + 1):
            wander = 0.8 * wander + 0.3 * rnd.gauss(0, 1)
            self._risk.append(nature + wander)
        self._began = (
            FIRST_DAY - rnd.randrange(6000) if rnd.random() < 0.8 else FIRST_DAY + rnd.randrange(1500)
        )  # share of older firms

    def make(self) -> LatentFirm:
        """The firm with all that happens to it."""
        body = bodies.Registration("合成企业", 0, 0, "440300", self._representative, "")
        self._add("registration", "gd.amr", tuple(body), self._began, document="设立")
        violations = []
        for name, (rate, drive) in _COUNTED.items():
            for day in self._days(rate, drive):
                if name == "violation":
                    violations.append(day)
                getattr(self, f"_{name}")(day)
        for year in range(2020, 2027):
            self._report(to_day(date(year, 6, 30)))
            self._tax_grade(to_day(date(year, 4, 15)))
        return LatentFirm(
            self._subject, self._representative, tuple(self._facts), tuple(sorted(violations)), tuple(self._risk)
        )

    def _days(self, rate: float, drive: float) -> Iterator[int]:
        """Days of events: a Poisson process, thinned by the risk of the day."""
        most = rate * math.exp(abs(drive) * max(map(abs, self._risk)) + _DRIFT * 7) / YEAR
        day = float(max(FIRST_DAY, self._began))
        while True:
            day += self._rnd.expovariate(most)
            if day > LAST_DAY:
                return
            years = (day - FIRST_DAY) / YEAR
            if self._rnd.random() < rate * math.exp(drive * self._at(int(day)) + _DRIFT * years) / YEAR / most:
                yield int(day)

    def _at(self, day: int) -> float:
        return self._risk[min(max(0, day - FIRST_DAY) // _WANDER_DAYS, len(self._risk) - 1)]

    def _chance(self, base: float, drive: float, day: int) -> bool:
        return self._rnd.random() < 1 / (1 + math.exp(-base - drive * self._at(day)))

    def _add(
        self, record: str, department: str, body: Body, day: int, *, document: str = "", revision: int = 1,
        slot: str = DOCUMENT, key: str = "",
    ) -> Fact:  # fmt: skip
        """A fact decided on a day, heard of some days later."""
        self._number += 1
        late = 1 + self._rnd.expovariate(0.1)
        if self._rnd.random() < _VERY_LATE_SHARE:
            late += self._rnd.random() * 200
        at = int((day + late) * DAY_MS - CHINA_OFFSET_MS) // 1000
        name = document or f"{record}{self._number}"
        key = key or entry_key(record, department, name)
        fact = Fact(key, slot, Version(revision, self._number, day, at, 0, -1, body))
        self._facts.append(fact)
        return fact

    def _penalty(self, severity: Severity, fine: int, day: int) -> Fact:
        fact = self._add("penalty", self._rnd.choice(("gd.amr", "gd.eco", "gd.em")), (severity, fine, 0, None), day)
        if self._rnd.random() < _WITHDRAWN_SHARE:
            self._amend(fact, "withdrawal", (0,), day + 30)
        elif self._rnd.random() < _REPAIRED_SHARE * (0.3 if severity == Severity.SERIOUS else 1):
            after = 370 if severity == Severity.SERIOUS else 100
            self._amend(fact, "repair", (RepairState.GRANTED, day + after, 1), day + after + self._rnd.randrange(200))
        return fact

    def _amend(self, fact: Fact, kind: str, body: Body, day: int) -> None:
        self._add(kind, "", body, day, slot=f"{kind}/{self._number}", key=fact.key)

    def _minor(self, day: int) -> None:
        self._penalty(Severity.MINOR, 0, day)

    def _general(self, day: int) -> None:
        self._penalty(Severity.GENERAL, self._rnd.randrange(1_000_00, 50_000_00), day)

    def _serious(self, day: int) -> None:
        self._penalty(Severity.SERIOUS, self._rnd.randrange(50_000_00, 500_000_00), day)

    def _violation(self, day: int) -> None:
        """What the back-test predicts; the authority finds it weeks later."""
        found = day + 7 + int(self._rnd.expovariate(1 / 40))
        self._penalty(Severity.SERIOUS, self._rnd.randrange(100_000_00, 2_000_000_00), found)
        if self._rnd.random() < _LISTED_SHARE:
            code, department = self._rnd.choice(_LISTS)
            listing = bodies.Listing(code, "", 0, None, 1, None, "")
            fact = self._add("listing", department, tuple(listing), found + 20)
            self.listed.append((fact.key, found + 20, fact.version.arrived_at, code))

    def _inspection(self, day: int) -> None:
        failed, lost = self._chance(-2.5, 1.0, day), self._chance(-3.8, 1.2, day)
        outcome = 3 if lost else 1 if failed else 2 if self._rnd.random() < 0.003 else 0  # share of refusals
        self._add("inspection_result", "gd.amr", (outcome, 0, None), day)

    def _arrears(self, day: int) -> None:
        name = f"欠{self._number}"
        self._add("arrears", "gd.tax", (0, 10_000_00, None), day, document=name)
        if not self._chance(-1.2, 0.5, day):
            paid = day + 20 + int(self._rnd.expovariate(1 / 120))
            self._add("arrears", "gd.tax", (0, 10_000_00, paid), paid, document=name, revision=2)

    def _commitment(self, day: int) -> None:
        self._add("commitment", "gd.amr", (2 if self._chance(-3.5, 1.1, day) else 1, 0, None), day)

    def _respondent(self, day: int) -> None:
        self._add("court_judgment", "gd.court", (1, 0, None), day)

    def _debtor(self, day: int) -> None:
        self._add("court_judgment", "gd.court", (3, 0, None), day)

    def _claimant(self, day: int) -> None:
        self._add("court_judgment", "gd.court", (0, 0, None), day)

    def _award(self, day: int) -> None:
        self._add("award", "gd.drc", (0, 0, None), day)

    def _change(self, day: int) -> None:
        body = bodies.Registration("合成企业", 0, 0, "440300", self._representative, "")
        self._add("registration", "gd.amr", tuple(body), day)

    def _report(self, day: int) -> None:
        """The annual report that was due on a day; who does not file is mostly entered as abnormal, until it does."""
        if day < self._began + 180:
            return
        missing, late = self._chance(-3.2, 1.0, day), self._chance(-2.8, 0.6, day)
        self._add("annual_report", "gd.amr", (3 if missing else 1 if late else 0, 0, None), day + 1)
        if missing and self._rnd.random() < 0.8:  # share that is entered
            name, entered = f"异{self._number}", day + 10
            self._add("abnormal_entry", "gd.amr", ("1", AbnormalState.ENTERED, None), entered, document=name)
            removed = entered + 30 + int(self._rnd.expovariate(1 / 250))
            body = ("1", AbnormalState.REMOVED, removed)
            self._add("abnormal_entry", "gd.amr", body, removed, document=name, revision=2)

    def _tax_grade(self, day: int) -> None:
        if day < self._began + YEAR or self._rnd.random() < 0.4:  # share that is not rated
            return
        grade = "D" if self._chance(-3.0, 1.0, day) else "A" if self._chance(-2.6, -0.9, day) else "B"
        year = to_date(day).year
        self._add("rating", "gd.tax", (0, grade, str(year - 1), None, None), day, document=f"纳税信用{year}")
