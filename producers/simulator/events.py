"""What departments of the synthetic province publish: one maker a record type, each a function of the draw and the population."""

import random
from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any, Generic, NamedTuple, TypeVar

from exchange.clock import CHINA
from producers.simulator import mix
from producers.simulator.population import Organisation, Population

Record = dict[str, Any]
Event = tuple[str, str, Record]
"""Department, record type, record."""

_REMEMBERED = 4096  # documents of each type that later events may amend
_OLDEST_DAYS = 1100
_PUBLISHED_WITHIN_DAYS = 10  # 双公示 gives 7 working days; some are late
_PERSON_SHARE = 0.3  # of court listings fall on natural persons
_ACTIVE_SHARE = 0.97
_REMOVED_SHARE = 0.3
_UPHELD_SHARE = 0.3
_NEXT_STEP_SHARE = 0.6
_GRANTED_SHARE = 0.9
_SETTLED_SHARE = 0.4
_TAX_SHARE = 0.7
_SKEW = 2.0  # the lower a subject's number, the more there is about it


class Issued(NamedTuple):
    """A document that a later event may refer to."""

    header: Record
    department: str
    record_type: str


T = TypeVar("T")


class Chooser(Generic[T]):
    """Draws values by their shares.

    Args:
        shares: value and share, in any unit.
    """

    def __init__(self, shares: Iterable[tuple[T, float]]) -> None:
        rows = tuple(shares)
        self._values = tuple(value for value, _ in rows)
        self._bounds = tuple(accumulate(share for _, share in rows))

    def choose(self, draw: float) -> T:
        """The value at `draw`, from 0 (inclusive) to 1 (exclusive)."""
        return self._values[bisect(self._bounds, draw * self._bounds[-1])]


_ENFORCERS = Chooser(((slug, mark), share) for slug, (mark, share) in mix.ENFORCERS.items())
_SEVERITIES = Chooser(
    ((name, kinds, least, most), share) for name, (share, kinds, least, most) in mix.SEVERITIES.items()
)
_LISTS = Chooser((code, share) for code, (_, share) in mix.LISTS.items())
_RATINGS = Chooser(
    ((scheme, department, Chooser(grades.items())), share)
    for scheme, (department, share, grades) in mix.RATINGS.items()
)
_OUTCOMES = Chooser(mix.OUTCOMES.items())
_COMMITMENTS = Chooser(mix.COMMITMENTS.items())
_ABNORMAL_GROUNDS = Chooser(mix.ABNORMAL_GROUNDS.items())


class Events:
    """Makes events, one after the other; state is only what later events refer back to.

    Args:
        population: whom they are about.
        seed: the same seed and population give the same events.
        today: no decision is later.
    """

    def __init__(self, population: Population, seed: int, today: date) -> None:
        self._population = population
        self._random = random.Random(seed).random  # noqa: S311 # a simulation, no secret
        self._days = tuple(today - timedelta(days=back) for back in range(_OLDEST_DAYS))
        self._published_at = datetime.combine(today, time(9), CHINA)
        self._mark = f"〔{today.year}〕"
        self._number = 0
        self._registered = 0
        self._issued: dict[str, deque[Issued]] = {
            name: deque(maxlen=_REMEMBERED) for name in ("listing", "penalty", "abnormal_entry", "arrears", "repair")
        }
        makers = {record_type: getattr(self, f"_make_{record_type}") for record_type in mix.RECORD_TYPES}
        self._makers: Chooser[Callable[[], Event]] = Chooser(
            (makers[record_type], share) for record_type, share in mix.RECORD_TYPES.items()
        )

    def make(self) -> Event:
        """The next event."""
        return self._sign(self._makers.choose(self._random())())

    def make_listing(self, list_code: str, organisation: Organisation) -> Event:
        """A listing of one organisation on one list; the stuff of bursts."""
        return self._sign(self._list(list_code, self._header(organisation, 30, "列")))

    def _sign(self, event: Event) -> Event:
        """The event with who published it when."""
        event[2].update(department=event[0], published_at=self._published_at)
        return event

    def _header(self, organisation: Organisation, within_days: int, mark: str) -> Record:
        """The first fields of a record about an organisation, decided within so many days."""
        self._number += 1
        subject = organisation.subject
        if organisation.older and subject not in self._population.registered:
            subject = organisation.older
        return {
            "subject": subject,
            "subject_name": organisation.name,
            "document": f"粤{mark}{self._mark}{self._number}号",
            "revision": 1,
            "decided_on": self._days[int(self._random() * within_days)],
            "classification": "UNCLASSIFIED",
            "division": organisation.division,
        }

    def _anybody(self) -> Organisation:
        """Somebody; the lower the number, the more often."""
        return self._population.organisation(int(self._population.size * self._random() ** _SKEW))

    def _enforce(self, kind: str) -> tuple[str, Record]:
        """A department that licenses, inspects and penalises, and the header of its decision."""
        slug, mark = _ENFORCERS.choose(self._random())
        return slug, self._header(self._anybody(), _PUBLISHED_WITHIN_DAYS, f"{mark}{kind}")

    def _make_registration(self) -> Event:
        population = self._population
        organisation = population.organisation(self._registered % population.size)
        revision = self._registered // population.size + 1
        self._registered += 1
        population.registered.add(organisation.subject)
        header = self._header(organisation, _PUBLISHED_WITHIN_DAYS, "登")
        header.update(
            document=f"粤登{organisation.subject[4:]}",
            revision=revision,
            status="ACTIVE" if self._random() < _ACTIVE_SHARE else "CANCELLED",
            kind=organisation.kind,
            aliases=organisation.aliases,
            legal_representative=organisation.representative,
            officers=({"person": organisation.officer, "role": "DIRECTOR"},)
            if organisation.kind == "ENTERPRISE"
            else (),
            established_on=organisation.established_on,
            address=f"合成路{organisation.name[2:-2]}",
        )
        return mix.REGISTRARS.get(organisation.kind, "gd.amr"), "registration", header

    def _make_licence(self) -> Event:
        department, header = self._enforce("许")
        header.update(document_title="准予行政许可决定书", category="普通", certificate_name="经营许可证", content="准予从事许可范围内的经营活动",
            valid_from=header["decided_on"], authority=department)  # fmt: skip
        return department, "licence", header

    def _make_penalty(self) -> Event:
        department, header = self._enforce("罚")
        severity, categories, least, most = _SEVERITIES.choose(self._random())
        fine = least + int((most - least) * self._random() ** 3) // 100 * 100
        header.update(violation="违反登记管理规定", facts="经查，当事人存在违法行为", basis="有关法律法规", categories=categories,
            content=f"罚款{fine}元" if fine else "警告", fine_yuan=Decimal(fine) if fine else None, severity=severity,
            simple_procedure=severity == "MINOR", authority=department)  # fmt: skip
        return self._issue(department, "penalty", header)

    def _make_inspection_result(self) -> Event:
        department, header = self._enforce("查")
        header.update(outcome=_OUTCOMES.choose(self._random()), kind="RANDOM", matter="双随机、一公开抽查")
        return department, "inspection_result", header

    def _make_abnormal_entry(self) -> Event:
        entry = self._recall("abnormal_entry") if self._random() < _REMOVED_SHARE else None
        if entry is not None:
            removed = {**entry.header, "revision": 2, "state": "REMOVED", "removed_on": self._days[0]}
            return entry.department, "abnormal_entry", removed
        header = self._header(self._anybody(), 400, "异")
        header.update(grounds=_ABNORMAL_GROUNDS.choose(self._random()), state="ENTERED", removed_on=None)
        return self._issue("gd.amr", "abnormal_entry", header)

    def _make_listing(self) -> Event:
        header = self._header(self._anybody(), _OLDEST_DAYS, "列")
        list_code = _LISTS.choose(self._random())
        if list_code == "COURT" and self._random() < _PERSON_SHARE:
            header.update(subject=self._population.person(int(self._random() * 2**30)), subject_name="")
        return self._list(list_code, header)

    def _list(self, list_code: str, header: Record) -> Event:
        department = mix.LISTS[list_code][0]
        grounds = mix.GROUNDS.get(list_code, "")
        place = int(self._random() * len(grounds))
        header.update(list_code=list_code, grounds=grounds[place : place + 1], term_months=0, until=None,
            serious=list_code not in mix.RED_LISTS, performed_on=None, authority=department)  # fmt: skip
        if list_code in mix.RED_LISTS:  # nobody extends or repairs a good mark
            return department, "listing", header
        return self._issue(department, "listing", header)

    def _make_listing_extension(self) -> Event:
        listing = self._recall("listing")
        if listing is None:
            return self._make_listing()
        return listing.department, "listing_extension", self._amend(listing, "延", extend_months=12, target_type=None)

    def _make_withdrawal(self) -> Event:
        issued = self._recall("penalty") if self._random() < 0.5 else self._recall("listing")  # either
        if issued is None:
            return self._make_penalty()
        return issued.department, "withdrawal", self._amend(issued, "撤", reason="WITHDRAWN")

    def _make_objection(self) -> Event:
        issued = self._recall("listing")
        if issued is None:
            return self._make_listing()
        state = "UPHELD" if self._random() < _UPHELD_SHARE else "DISMISSED"
        return issued.department, "objection", self._amend(issued, "议", state=state)

    def _make_repair(self) -> Event:
        """A new application, or the next step of one: applied, accepted, granted or refused."""
        open_ = self._recall("repair") if self._random() < _NEXT_STEP_SHARE else None
        if open_ is not None:
            step = open_.header["state"]
            state = "ACCEPTED" if step == "APPLIED" else "GRANTED" if self._random() < _GRANTED_SHARE else "REFUSED"
            header = {**open_.header, "revision": open_.header["revision"] + 1, "state": state}
            return (
                self._issue(open_.department, "repair", header)
                if state == "ACCEPTED"
                else (open_.department, "repair", header)
            )
        issued = self._recall("penalty") if self._random() < 0.5 else self._recall("listing")  # either
        if issued is None:
            return self._make_penalty()
        header = self._amend(issued, "修", state="APPLIED", corrected_on=self._days[1], commitment=True)
        return self._issue(issued.department, "repair", header)

    def _make_rating(self) -> Event:
        scheme, department, grades = _RATINGS.choose(self._random())
        organisation = self._anybody()
        header = self._header(organisation, 60, "评")
        header.update(
            scheme=scheme, grade=grades.choose(self._random()), period=str(self._days[0].year - 1), valid_until=None
        )
        return department, "rating", header

    def _make_annual_report(self) -> Event:
        header = self._header(self._anybody(), 180, "报")
        header.update(year=self._days[0].year - 1, state="FILED", filed_on=header["decided_on"])
        return "gd.amr", "annual_report", header

    def _make_commitment(self) -> Event:
        department, header = self._enforce("诺")
        header.update(state=_COMMITMENTS.choose(self._random()), kind="APPROVAL", matter="证明事项告知承诺")
        return department, "commitment", header

    def _make_arrears(self) -> Event:
        owed = self._recall("arrears") if self._random() < _SETTLED_SHARE else None
        if owed is not None:
            return owed.department, "arrears", {**owed.header, "revision": 2, "settled_on": self._days[0]}
        department, kind = ("gd.tax", "TAX") if self._random() < _TAX_SHARE else ("gd.hrss", "SOCIAL_INSURANCE")
        header = self._header(self._anybody(), 90, "欠")
        header.update(kind=kind, amount_yuan=Decimal(int(self._random() ** 3 * 5_000_000) + 1), settled_on=None)
        return self._issue(department, "arrears", header)

    def _make_court_judgment(self) -> Event:
        header = self._header(self._anybody(), 90, "民")
        header.update(
            case_kind="CIVIL", role="RESPONDENT", cause="买卖合同纠纷", result="判决履行", court="合成人民法院"
        )
        return "gd.court", "court_judgment", header

    def _make_award(self) -> Event:
        header = self._header(self._anybody(), 300, "奖")
        header.update(title="守合同重信用企业", level="PROVINCIAL")
        return "gd.drc", "award", header

    def _make_social_report(self) -> Event:
        header = self._header(self._anybody(), 30, "社")
        header.update(origin="ASSOCIATION", source="合成行业协会", title="行业信用评价", grade="AA", verified=True)
        return "gd.drc", "social_report", header

    def _issue(self, department: str, record_type: str, header: Record) -> Event:
        """The event, remembered so that a later one may refer to it."""
        self._issued[record_type].append(Issued(header, department, record_type))
        return department, record_type, header

    def _recall(self, record_type: str) -> Issued | None:
        """One of the documents issued lately, which is not recalled again; None while there is none."""
        issued = self._issued[record_type]
        if not issued:
            return None
        place = int(self._random() * len(issued))
        issued[place], issued[-1] = issued[-1], issued[place]
        return issued.pop()

    def _amend(self, issued: Issued, mark: str, **fields: object) -> Record:
        """A record about another document of the same subject."""
        self._number += 1
        header = {name: issued.header[name] for name in ("subject", "subject_name", "classification", "division")}
        amendment = {
            **header,
            "document": f"粤{mark}{self._mark}{self._number}号",
            "revision": 1,
            "decided_on": self._days[0],
            "target_department": "",
            "target_type": issued.record_type,
            "target_document": issued.header["document"],
            **fields,
        }
        return {name: value for name, value in amendment.items() if name != "target_type" or value is not None}
