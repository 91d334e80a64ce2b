"""Signs about single subjects: each begins with its cause, says why without naming anybody, and ends with it."""

import re
from typing import Any

import pytest

from consumers.early_warning.addresses import address_key
from consumers.early_warning.findings import SubjectFinding, Warnings
from consumers.early_warning.signals import Step, SubjectSignals
from exchange.domain.bodies import WarningLevel
from exchange.domain.calendar import DAY_MS
from exchange.records import WarningState
from tests.portal import CATALOGUE, CODEC, POLICY
from tests.worlds import FIRM, PERSON, day

SIGNALS = SubjectSignals(POLICY)
TODAY = day("2026-05-20")
FEN = {"amount_yuan": b"\x0f\x42\x40"}
"""10,000 yuan."""


def at(on: str, seconds: int = 0) -> int:
    return day(on) * DAY_MS + seconds * 1000


def record(
    subject: str = FIRM, document: str = "一", on: str = "2026-05-01", department: str = "gd.amr", **fields: Any
) -> dict[str, Any]:
    return {
        "subject": subject,
        "document": document,
        "department": department,
        "revision": 1,
        "decided_on": day(on),
    } | fields


def registered(subject: str = FIRM, **fields: Any) -> tuple[str, dict[str, Any]]:
    given = {
        "status": 0, "legal_representative": PERSON, "address": "广州市天河区合成路10号", "registered_capital_yuan": b"\x01\x86\xa0",
        "subject_name": "合成有限公司", "division": "440106",
    }  # fmt: skip
    return "registration", record(subject, "登记", "2020-01-01") | given | fields


def penalty(
    document: str, on: str = "2026-05-01", department: str = "gd.amr", **fields: Any
) -> tuple[str, dict[str, Any]]:
    return "penalty", record(document=document, on=on, department=department, **fields)


def licence(document: str, until: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    given = {"state": 0, "valid_until": day(until), "certificate_name": "食品经营许可证", "document_title": ""}
    return "licence", record(document=document) | given | fields


def arrears(document: str, kind: int, settled: str = "", **fields: Any) -> tuple[str, dict[str, Any]]:
    return "arrears", record(document=document, kind=kind, settled_on=day(settled) if settled else None) | FEN | fields


def judgment(document: str, case: int, role: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    return "court_judgment", record(document=document, case_kind=case, role=role, performed_on=None) | FEN | fields


class Watched:
    """One subject, and all that is said about it."""

    def __init__(self, *records: tuple[str, dict[str, Any]], on: str = "2026-05-20") -> None:
        self.state = b""
        self.found: list[SubjectFinding] = []
        self._seconds = 0
        for one in records:
            self.take(*one, on=on)

    def take(self, record_type: str, value: dict[str, Any], *, on: str = "2026-05-20") -> list[SubjectFinding]:
        self._seconds += 1
        return self._keep(SIGNALS.step(self.state, record_type, value, at(on, self._seconds)))

    def wait(self, on: str) -> list[SubjectFinding]:
        """Let time pass until a day, as far as something is due."""
        found: list[SubjectFinding] = []
        while (due := SIGNALS.due(self.state)) is not None and due <= at(on):
            found += self._keep(SIGNALS.on_due(FIRM, self.state, due))
        return found

    def _keep(self, step: Step) -> list[SubjectFinding]:
        self.state = step.state
        self.found += step.findings
        return list(step.findings)


def test_a_burst_of_penalties_of_one_department_is_its_matter() -> None:
    firm = Watched(registered(), penalty("一"), penalty("二"))
    assert firm.found == []
    (raised,) = firm.take(*penalty("三"))
    assert (raised.signal, raised.domain, raised.level, raised.observed) == (
        "PENALTY_BURST",
        "MARKET",
        WarningLevel.BLUE,
        3,
    )
    assert raised.documents == ("penalty/gd.amr/一", "penalty/gd.amr/三", "penalty/gd.amr/二")
    assert firm.take(*penalty("三")) == [], "a duplicate says nothing"
    (mixed,) = [one for one in firm.take(*penalty("四", department="gd.eco")) if not one.ended]
    assert (mixed.domain, mixed.level) == ("GENERAL", WarningLevel.YELLOW)


def test_a_burst_ends_when_a_penalty_is_withdrawn_and_when_it_is_long_ago() -> None:
    firm = Watched(penalty("一"), penalty("二"), penalty("三"))
    withdrawal = record(document="撤", target_type="penalty", target_department="", target_document="二")
    (over,) = firm.take("withdrawal", withdrawal)
    assert over.ended
    (again,) = firm.take(*penalty("五"))
    assert not again.ended
    assert again.revision > over.revision, "what is said last counts"
    (over,) = [one for one in firm.wait("2026-12-31") if one.ended]
    assert over.at == day("2026-07-30") * DAY_MS - 8 * 3_600_000, "90 days after the first"


def test_an_expired_licence_of_a_firm_that_goes_on() -> None:
    firm = Watched(registered(), licence("一", "2026-05-31"))
    assert firm.found == []
    (raised,) = firm.wait("2026-06-30")
    assert (raised.signal, raised.level, raised.at) == (
        "EXPIRED_LICENCE",
        WarningLevel.BLUE,
        day("2026-06-01") * DAY_MS - 8 * 3_600_000,
    )
    assert "2026年5月31日" in raised.explanation_zh
    (over,) = firm.take(*licence("二", "2029-05-31"), on="2026-06-10")
    assert over.ended, "renewed"
    assert Watched(registered(status=3), licence("一", "2026-01-31")).found == [], "a cancelled firm needs none"


def test_a_warning_whose_cause_goes_on_is_renewed() -> None:
    firm = Watched(registered(), licence("一", "2026-05-01"))
    (raised,) = firm.found
    renewed = firm.wait("2026-12-31")
    assert [one.ended for one in renewed] == [False] * len(renewed)
    assert renewed
    assert {one.since for one in renewed} == {raised.since}, "the same warning"
    assert renewed[-1].valid_until > day("2026-12-31")


def test_signs_of_insolvency_are_counted_by_kind() -> None:
    firm = Watched(registered(registered_capital_yuan=b"\x7f\xff\xff\xff"), arrears("税", 0), arrears("又税", 0))
    assert firm.found == []
    (raised,) = firm.take(*arrears("薪", 1))
    assert (raised.level, raised.observed, raised.domain) == (WarningLevel.BLUE, 2, "INSOLVENCY")
    assert "欠缴税款、拖欠工资" in raised.explanation_zh
    (worse,) = firm.take(*judgment("执", 3, 3))
    (worst,) = firm.take(*judgment("破", 4, 1))
    assert (worse.level, worst.level) == (WarningLevel.YELLOW, WarningLevel.ORANGE)
    over = [
        firm.take(*arrears("薪", 1, "2026-05-10", revision=2)),
        firm.take(*judgment("执", 3, 3, revision=2, performed_on=TODAY)),
    ]
    assert [[one.level for one in found] for found in over] == [[WarningLevel.YELLOW], [WarningLevel.BLUE]]
    (end,) = firm.take(*judgment("破", 4, 1, revision=2, performed_on=TODAY))
    assert end.ended


def test_debts_above_the_capital_are_a_sign() -> None:
    firm = Watched(registered(registered_capital_yuan=b"\x01"), arrears("税", 0))
    assert "超过注册资本" in firm.found[0].explanation_zh


class Group:
    """All firms that share something, each with its state; what they pass on is handed over as a process would."""

    def __init__(self) -> None:
        self.firms: dict[str, bytes] = {}
        self.shared: dict[str, bytes] = {}
        self.said: dict[tuple[str, str], SubjectFinding] = {}
        self._seconds = 0

    def take(self, record_type: str, value: dict[str, Any]) -> list[SubjectFinding]:
        self._seconds += 1
        step = SIGNALS.step(self.firms.get(value["subject"], b""), record_type, value, at("2026-05-20", self._seconds))
        self.firms[value["subject"]] = step.state
        found: list[SubjectFinding] = []
        for link in (*step.links, *step.links):  # twice: it must not matter
            passed = SIGNALS.step_shared(link.key, self.shared.get(link.key, b""), link.fact)
            self.shared[link.key] = passed.state
            found += passed.findings
        self.said |= {(one.subject, one.signal): one for one in found}
        return found

    def in_force(self, signal: str) -> dict[str, WarningLevel]:
        return {one.subject: one.level for one in self.said.values() if one.signal == signal and not one.ended}


def firm(number: int) -> str:
    return f"org:{number}"


def test_many_firms_at_one_address_however_it_is_written() -> None:
    group = Group()
    for number in range(19):
        assert group.take(*registered(firm(number), legal_representative="")) == []
    group.take(*registered(firm(19), legal_representative="", address="广东省广州市天河区合成路１０ 号"))
    assert group.in_force("SHARED_ADDRESS") == dict.fromkeys(map(firm, range(20)), WarningLevel.BLUE)
    group.take(*registered(firm(3), legal_representative="", address="广州市海珠区合成街2号", revision=2))
    assert group.in_force("SHARED_ADDRESS") == {}, "nineteen are left"
    group.take(*registered(firm(20), legal_representative=""))
    assert firm(3) not in group.in_force("SHARED_ADDRESS")
    group.take(*registered(firm(5), legal_representative="", status=3, revision=2))
    assert group.in_force("SHARED_ADDRESS") == {}, "a cancelled firm is not there"


def test_one_representative_over_failing_firms_is_not_named() -> None:
    group = Group()
    for number in range(4):
        group.take(*registered(firm(number), address=""))
    assert group.said == {}
    group.take("abnormal_entry", record(firm(0), "异一", state=0))
    listing: dict[str, Any] = {
        "list_code": "TAX",
        "grounds": "1",
        "term_months": 0,
        "until": None,
        "performed_on": None,
    }
    found = group.take("listing", record(firm(1), "税一", department="gd.tax", **listing))
    assert group.in_force("SHARED_REPRESENTATIVE") == dict.fromkeys(map(firm, range(4)), WarningLevel.BLUE)
    assert all(PERSON not in str(one) and PERSON[-12:] not in str(one) for one in found)
    group.take("abnormal_entry", record(firm(0), "异一", state=1, revision=2))
    assert group.in_force("SHARED_REPRESENTATIVE") == {}


def test_nothing_is_said_about_a_person() -> None:
    step = SIGNALS.step(b"", "penalty", record(PERSON, "一"), at("2026-05-20"))
    assert step == Step(b"")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("广东省深圳市南山区合成大道1号A栋301室", "深圳市南山区合成大道１号Ａ栋301室", True),
        ("深圳市南山区合成大道1号三楼", "深圳市南山区合成大道1号3楼", True),
        ("深圳市南山区合成大道1号(集群注册)", "深圳市南山区合成大道1号", True),
        ("深圳市南山区合成大道1号", "深圳市南山区合成大道11号", False),
    ],
)
def test_addresses_in_one_form(one: str, other: str, *, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same
    assert address_key("深圳市南山区") == ""


def test_a_finding_is_a_valid_record_and_the_same_each_time() -> None:
    from exchange.records import to_avro
    from exchange.validation import validate

    warnings = Warnings(CATALOGUE, POLICY)
    watched = Watched(registered(), penalty("一"), penalty("二"), penalty("三"))
    (raised,) = watched.found
    made = warnings.of(raised)
    raw = CODEC.encode("early_warning", to_avro(made))
    assert raw == CODEC.encode("early_warning", to_avro(warnings.of(raised)))
    plain = CODEC.decode_plain(raw)[1]
    assert (
        validate("early_warning", plain, department="gd.data", today=TODAY, grants={"early_warning"}, thorough=True)
        == ()
    )
    assert (made.state, made.subject_name, made.basis) == (WarningState.RAISED, "合成有限公司", "国市监信发〔2022〕6号")
    assert re.fullmatch(r"YJ-PENALTY_BURST-MARKET-\w{18}-20260520", made.document)
