"""Responses: how far each department has come, what is overdue by which day, and who hears of it."""

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.bodies import FeedbackState, RepairState
from exchange.domain.calendar import to_date
from exchange.domain.facts import answering, application_facts, read_fact
from exchange.domain.fold import fold_all
from exchange.domain.judge import RuleBook, judge
from exchange.domain.notice import Action, Draft, settle
from exchange.domain.policy import Policy, RepairProcess
from exchange.domain.record import DOCUMENT, Fact
from exchange.domain.response import Obligation, ResponseRules, State, obligations
from exchange.domain.standing import EMPTY, Application, Owed, Standing
from exchange.working_days import load_working_days
from tests.worlds import SMALL, day, fact, listing

CALENDAR = load_working_days()
RULES = ResponseRules(
    deadline=CALENDAR.deadlines(), supervisors={"gd.fin": "gd.drc", "gd.drc": "gd.drc", "gd.tax": "gd.drc"}
)
FEEDBACK = {state.name: state for state in FeedbackState}


def feedback(
    department: str, measure: str, state: str, *, n: int = 1, on: str = "2026-03-03", revision: int = 1, **more: Any
) -> Fact:
    """What a department answers."""
    whole = {"epoch": 0, "n": n, "revision": revision}
    body = (
        FEEDBACK[state], more.get("amount", 0), None, measure, 0, n,
        day(more["snoozed_until"]) if "snoozed_until" in more else None, more.get("officer", ""),
    )  # fmt: skip
    document = more.get("document", f"反馈-{measure}")
    return fact("measure_feedback", document, body, department=department, on=on, revision=answering(whole))


def receipt(department: str, *, n: int = 1) -> Fact:
    """Proof that a notice was delivered, by the operator of the bus."""
    whole = {"epoch": 0, "n": n, "revision": 1}
    return fact(
        "delivery_receipt",
        department,
        (0, n, department),
        department="gd.data",
        revision=answering(whole),
    )


def receipt_as_given(n: int, *, receiver: str, department: str = "gd.data") -> Fact:
    """A receipt as it comes off the bus: a document of its own for each notice."""
    value = {
        "department": department, "receiver": receiver, "document": f"回执-{n}", "revision": 1, "epoch": 0, "n": n,
        "decided_on": day("2026-03-02"),
    }  # fmt: skip
    return read_fact("delivery_receipt", value, digest=n, arrived_at=n)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_of_receipts_the_newest_of_each_receiver_is_kept(order: tuple[int, ...]) -> None:
    facts = [receipt_as_given(n, receiver=receiver) for n in order for receiver in ("gd.fin", "gd.drc")]
    own = [receipt_as_given(n, receiver="", department="gd.prtc") for n in order]
    entries, standing = fold_all(facts + own + facts)
    assert len(entries) == 3, "however many notices there were"
    assert {entry.versions[DOCUMENT].body[1] for entry in entries.values()} == {3}
    assert standing.delivered == {"gd.fin": (0, 3), "gd.drc": (0, 3), "gd.prtc": (0, 3)}
    assert standing.counts == {"delivery_receipt": 3}


class Case:
    """One subject as days pass and facts come."""

    def __init__(self, policy: Policy = SMALL) -> None:
        self.policy = policy
        self.facts: list[Fact] = []
        self.standing = EMPTY
        self.today = day("2026-03-02")

    def on(self, when: str, *facts: Fact) -> list[Draft]:
        """The notices of a day on which these facts come."""
        self.today = day(when)
        self.facts += facts
        _, folded = fold_all(self.facts)
        was = self.standing
        changed = folded._replace(told=was.told, sent=was.sent, respond_due=folded.respond_due or was.respond_due)
        book = RuleBook(self.policy, self.today)
        self.standing, drafts = settle(changed, judge(changed, book), book, RULES, epoch=0)
        return drafts

    def states(self) -> dict[tuple[str, str], Obligation]:
        return states_of(self.standing, self.today)


def states_of(standing: Standing, today: int) -> dict[tuple[str, str], Obligation]:
    found = obligations(standing, judge(standing, RuleBook(SMALL, today)), RULES)
    return {(one.department, one.measure): one for one in found}


@pytest.fixture
def case() -> Case:
    """A firm on the tax list since Monday 2026-03-02, which obliges gd.drc and gd.fin within five working days."""
    case = Case()
    drafts = case.on("2026-03-02", listing("TAX", "t1"))
    assert {draft.department for draft in drafts} == {"gd.drc", "gd.fin"}
    return case


FIN = ("gd.fin", "no_procurement")
DUE = day("2026-03-09")


def test_a_measure_goes_from_notified_to_executed(case: Case) -> None:
    assert case.states()[FIN].state == State.NOTIFIED
    assert case.states()[FIN].respond_by == DUE
    case.on("2026-03-02", receipt("gd.fin"))
    assert case.states()[FIN].state == State.DELIVERED
    case.on("2026-03-03", feedback(*FIN, "ACKNOWLEDGED"))
    assert case.states()[FIN].state == State.ACKNOWLEDGED
    assert case.states()[FIN].is_open, "to have read it is not to have done it"
    case.on("2026-03-04", feedback(*FIN, "EXECUTED", revision=2))
    assert case.states()[FIN].state == State.EXECUTED
    assert not case.states()[FIN].is_open
    assert case.states()["gd.drc", "bond_review"].state == State.NOTIFIED, "each department for itself"


@pytest.mark.parametrize("state", ["DECLINED", "NOT_APPLICABLE", "ENDED"])
def test_other_answers_close_it_too(case: Case, state: str) -> None:
    case.on("2026-03-04", feedback(*FIN, state))
    assert case.states()[FIN].state.name == state
    assert not case.states()[FIN].is_open


def test_respond_by_counts_working_days_with_make_up_days() -> None:
    # Spring Festival 2026: off from 15 to 23 February, worked on Saturdays 14 and 28 February.
    case = Case()
    case.on("2026-02-13", listing("TAX", "t1", on="2026-02-13"))
    assert to_date(case.states()[FIN].respond_by) == date(2026, 2, 27)
    assert not case.states()[FIN].provisional


def test_beyond_the_decided_years_the_day_is_provisional() -> None:
    case = Case()
    beyond = f"{CALENDAR.last_year + 1}-03-02"
    case.on(beyond, listing("TAX", "t1", on=beyond))
    assert case.states()[FIN].provisional


def test_overdue_reminds_the_department_and_then_tells_the_supervisor(case: Case) -> None:
    case.on("2026-03-03", feedback("gd.drc", "bond_review", "EXECUTED"))
    assert case.standing.due == day("2026-03-10"), "the day after the respond-by day"
    assert case.on("2026-03-09") == []
    (reminder,) = case.on("2026-03-10")
    assert (reminder.department, reminder.changes) == ("gd.fin", ())
    owed = Owed(*FIN, lift=False, respond_by=DUE)
    assert reminder.told.overdue == (owed,)
    assert reminder.told.n == 2
    assert set(reminder.measures) == {"no_procurement"}, "the full set of measures, as ever"
    assert case.on("2026-03-10") == [], "told once"
    assert case.standing.due == day("2026-03-13"), "three working days after the respond-by day are over"
    (escalation,) = case.on("2026-03-13")
    assert (escalation.department, escalation.told.overdue) == ("gd.drc", (owed,))
    assert case.on("2026-06-01") == []


def test_when_it_answers_at_last_the_supervisor_hears_of_it_and_the_department_does_not(case: Case) -> None:
    case.on("2026-03-03", feedback("gd.drc", "bond_review", "EXECUTED"))
    case.on("2026-03-10")
    case.on("2026-03-13")
    (closed,) = case.on("2026-03-16", feedback(*FIN, "EXECUTED"))
    assert (closed.department, closed.told.overdue) == ("gd.drc", ())
    assert not case.standing.told["gd.fin"].overdue


def test_a_response_overdue_goes_when_the_term_of_its_measure_ends_and_the_supervisor_hears_of_it() -> None:
    case = Case()
    case.on("2026-03-02", listing("TAX", "t1", until="2026-03-16"))
    case.on("2026-03-10")
    case.on("2026-03-13")
    assert {who: len(told.overdue) for who, told in case.standing.told.items()} == {"gd.fin": 1, "gd.drc": 2}
    drafts = {draft.department: draft for draft in case.on("2026-03-16")}
    assert drafts["gd.fin"].changes == (("no_procurement", Action.LIFTED),)
    assert [drafts[one].told.overdue for one in ("gd.fin", "gd.drc")] == [(), ()]
    due = case.states()[FIN].respond_by
    late = {draft.department: draft for draft in case.on(to_date(due + 1).isoformat())}
    assert late["gd.fin"].told.overdue == (Owed(*FIN, lift=True, respond_by=due),), "the end is to be confirmed"
    again = {draft.department: draft for draft in case.on(to_date(due + 1).isoformat(), listing("TAX", "t2"))}
    assert again["gd.fin"].changes == (("no_procurement", Action.IMPOSED),)
    assert again["gd.fin"].told.overdue == (), "nor is the confirmation owed now"


def test_a_snooze_needs_an_officer_and_ends(case: Case) -> None:
    case.on("2026-03-03", feedback("gd.drc", "bond_review", "EXECUTED"))
    case.on("2026-03-04", feedback(*FIN, "ACKNOWLEDGED", snoozed_until="2026-04-01"))
    assert [draft.department for draft in case.on("2026-03-10")] == ["gd.fin"], "nobody answers for it"
    case.on("2026-03-11", feedback(*FIN, "ACKNOWLEDGED", revision=2, snoozed_until="2026-04-01", officer="07"))
    assert not case.states()[FIN].is_overdue(day("2026-03-31"))
    assert case.on("2026-03-31") == []
    drafts = case.on("2026-04-01")
    assert {draft.department for draft in drafts} == {"gd.fin", "gd.drc"}, "back, and late enough for the supervisor"


def test_a_lift_is_owed_a_confirmation_as_the_measure_was_an_answer(case: Case) -> None:
    case.on("2026-03-03", feedback(*FIN, "EXECUTED"), feedback("gd.drc", "bond_review", "EXECUTED"))
    withdrawal = fact("withdrawal", "w", (0,), target="listing/gd.tax/t1")
    drafts = case.on("2026-04-01", withdrawal)
    assert {draft.changes for draft in drafts} == {
        (("bond_review", Action.LIFTED),), (("no_procurement", Action.LIFTED),),
    }  # fmt: skip
    assert case.states()[FIN].state == State.LIFTED
    case.on("2026-04-01", receipt("gd.fin", n=2))
    assert case.states()[FIN].state == State.LIFT_DELIVERED
    case.on("2026-04-02", feedback(*FIN, "ACKNOWLEDGED", n=2, revision=2))
    assert case.states()[FIN].state == State.LIFT_ACKNOWLEDGED
    case.on("2026-04-03", feedback(*FIN, "ENDED", n=2, revision=3))
    assert FIN not in case.states(), "confirmed, nothing is owed"
    assert "gd.drc" in case.standing.told
    assert case.standing.told["gd.drc"].lifted, "the other department has not confirmed"
    due = case.states()["gd.drc", "bond_review"].respond_by
    (reminder,) = case.on(to_date(due + 1).isoformat())
    assert reminder.told.overdue == (Owed("gd.drc", "bond_review", lift=True, respond_by=due),)


def test_an_answer_to_an_older_notice_says_nothing_of_a_measure_imposed_again(case: Case) -> None:
    case.on("2026-03-03", feedback(*FIN, "EXECUTED"))
    case.on("2026-04-01", fact("withdrawal", "w", (0,), target="listing/gd.tax/t1"))
    case.on("2026-05-06", listing("TAX", "t2", on="2026-05-06"))
    again = case.states()[FIN]
    assert (again.state, again.since.n) == (State.NOTIFIED, 3)
    assert not case.standing.told["gd.fin"].lifted, "what is in force again is not to be confirmed as ended"
    case.on("2026-05-07", feedback(*FIN, "EXECUTED", n=3))
    assert case.states()[FIN].state == State.EXECUTED


def test_another_support_changes_nothing_about_what_was_answered(case: Case) -> None:
    case.on("2026-03-03", feedback(*FIN, "EXECUTED"))
    drafts = case.on("2026-03-05", listing("COURT", "c1", department="gd.court", grounds="1", on="2026-03-05"))
    assert [draft.changes for draft in drafts] == [(("no_procurement", Action.CHANGED),)]
    assert case.states()[FIN].state == State.EXECUTED
    assert case.states()[FIN].since.n == 1


def test_an_answer_that_names_no_notice_counts_from_the_day_of_the_notice(case: Case) -> None:
    case.on("2026-03-03", feedback(*FIN, "EXECUTED", n=0, on="2026-03-01"))
    assert case.states()[FIN].state == State.NOTIFIED
    case.on("2026-03-03", feedback(*FIN, "EXECUTED", n=0, revision=2, on="2026-03-03"))
    assert case.states()[FIN].state == State.EXECUTED


def repair(state: RepairState, document: str, target: str, *, on: str, revision: int = 1) -> list[Fact]:
    """What a step of credit repair brings."""
    own = fact("repair", document, (state, None, 1), target=target, on=on, revision=revision)
    return [own, *application_facts({"state": state, "document": document}, own)]


def repair_case() -> Case:
    process = RepairProcess(accept_working_days=3, answer_working_days=10, basis="o", effective_from=0)
    return Case(replace(SMALL, repair_process=(process,)))


LISTED, FINED = "listing/gd.tax/t1", "penalty/gd.tax/f1"


@pytest.mark.parametrize("target", [LISTED, FINED])
@pytest.mark.parametrize("documents", ["申1 受1 决1", "申1 申1 申1"])
def test_applications_for_repair_are_owed_acceptance_and_answer(target: str, documents: str) -> None:
    applied, accepted, decided = documents.split()
    number = target.rpartition("/")[2]
    case = repair_case()
    case.on("2026-03-02", listing("TAX", "t1"), fact("penalty", "f1", (1, 100, 0, None)))
    case.on("2026-03-02", *(feedback(d, m, "EXECUTED") for d, m in (FIN, ("gd.drc", "bond_review"))))
    assert case.on("2026-04-07", *repair(RepairState.APPLIED, applied, target, on="2026-04-07")) == []
    (late,) = case.on("2026-04-11")
    assert late.told.overdue == (Owed("gd.tax", f"repair_acceptance {number}", False, day("2026-04-10")),)
    case.on("2026-04-13", *repair(RepairState.ACCEPTED, accepted, target, on="2026-04-13", revision=2))
    assert not case.standing.told["gd.tax"].overdue
    (late,) = case.on("2026-04-22")
    assert late.told.overdue == (Owed("gd.tax", f"repair_answer {number}", False, day("2026-04-21")),)
    case.on("2026-04-23", *repair(RepairState.GRANTED, decided, target, on="2026-04-23", revision=3))
    assert not case.standing.told["gd.tax"].overdue
    assert not case.standing.applications


def test_a_subject_that_owes_nothing_is_watched_for_its_penalty_and_then_forgotten() -> None:
    case = repair_case()
    case.on("2026-04-07", fact("penalty", "f1", (1, 100, 0, None)))
    case.on("2026-04-07", *repair(RepairState.APPLIED, "申1", FINED, on="2026-04-07"))
    assert case.standing.due == day("2026-04-11")
    (late,) = case.on("2026-04-11")
    assert (late.department, late.changes) == ("gd.tax", ())
    case.on("2026-04-14", fact("withdrawal", "w", (0,), target=FINED))
    assert (case.standing.told["gd.tax"].overdue, case.standing.due) == ((), 0)


def test_a_second_application_has_terms_of_its_own() -> None:
    case = repair_case()
    case.on("2026-03-02", fact("penalty", "f1", (1, 100, 0, None)))
    for state, on in ((RepairState.APPLIED, "2026-03-03"), (RepairState.REFUSED, "2026-03-05")):
        case.on(on, *repair(state, "申1", FINED, on=on, revision=state + 1))
    case.on("2026-06-01", *repair(RepairState.APPLIED, "申2", FINED, on="2026-06-01"))
    assert case.standing.applications == {FINED: Application(day("2026-06-01"), accepted=False)}


answers = st.builds(
    lambda n, state, revision, document: feedback(*FIN, state, n=n, revision=revision, document=document),
    st.integers(0, 3), st.sampled_from(sorted(FEEDBACK)), st.integers(1, 4), st.sampled_from("ab"),
)  # fmt: skip
receipts = st.builds(lambda n: receipt("gd.fin", n=n), st.integers(1, 4))


@given(st.lists(st.one_of(answers, receipts), max_size=10), st.data())
def test_responses_in_any_order_end_in_the_same_state(history: list[Fact], data: st.DataObject) -> None:
    _, one = fold_all(history)
    _, other = fold_all(data.draw(st.permutations(history + history[:3])))
    assert (one.delivered, one.answers) == (other.delivered, other.answers)
