"""`creditbus responses` and `overdue`: who did what about a subject's measures, and which responses are owed and late."""

import json
import sys
import time
from functools import partial
from typing import Annotated, Any

import typer

from deploy.cli.ask import Json, SubjectArgument, find_entry, find_subject, iso, today_book
from deploy.cli.tables import open_console, print_table
from exchange.domain.bodies import FeedbackState
from exchange.domain.calendar import day_of
from exchange.domain.judge import judge
from exchange.domain.response import Obligation, ResponseRules, State, obligations
from exchange.domain.spells import find_spells, rested_on
from exchange.domain.standing import Answer, Owed
from exchange.response_words import STATES, WORKS
from exchange.settings import read_settings
from exchange.working_days import load_working_days


def responses(
    subject: SubjectArgument,
    initiator: Annotated[
        str,
        typer.Option(
            help="Only measures that rest, or rested until they were lifted, on this department's listings, such as gd.tax 发起部门."
        ),
    ] = "",
    document: Annotated[
        str,
        typer.Option(
            help="Only measures that rest, or rested until they were lifted, on this listing's number 名单文书号."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Who has done what about each measure of a subject: notified, delivered, executed, declined, overdue, lifted 响应与反馈."""
    settings = read_settings()
    found, book = find_subject(subject, settings), today_book()
    name, standing, entries = found
    judgement = judge(standing, book, person=found.is_person)
    spells = find_spells(entries, book.policy, person=found.is_person, find_entry=partial(find_entry, settings))
    rows = []
    shown = set()
    for one in obligations(standing, judgement, ResponseRules(deadline=load_working_days().deadlines())):
        pair = (one.department, one.measure)
        if one.lift:
            listings = rested_on(spells.get(pair, ()), one.since.day)
        else:
            supports = judgement.measures.get(one.department, {}).get(one.measure, ())
            listings = [(s.holding.department, s.holding.document) for s in supports]
        shown.add(pair)
        if _wanted(listings, initiator, document):
            rows.append(_row(one, listings, book.as_of))
    for key, answer in standing.answers.items():  # lifts that are confirmed are owed no more
        department, _, measure = key.partition(" ")
        if answer.state == FeedbackState.ENDED and (department, measure) not in shown:
            listings = rested_on(spells.get((department, measure), ()), answer.decided_on)
            if _wanted(listings, initiator, document):
                rows.append(_confirmed(department, measure, answer, listings))
    rows.sort(key=lambda row: (row["department"], row["measure"]))
    if as_json:
        sys.stdout.write(json.dumps({"subject": name, "responses": rows}, ensure_ascii=False) + "\n")
        return
    console = open_console()
    if not rows:
        console.print(f"{name}: nobody owes or owed a response 无措施需要响应")
    print_table(
        console, f"{name} 响应与反馈 responses",
        [
            {
                "department 部门": row["department"], "measure 措施": row["measure"],
                "state 状态": f"{STATES[State[row['state'].upper()]].zh} {row['state']}{'  逾期 OVERDUE' if row['overdue'] else ''}",
                "respond by 反馈期限": row["respond_by"] + (" 暂定 provisional" if row["provisional"] else ""),
                "because of 依据名单": "\n".join(row["because_of"]),
                "what was done 执行情况": " ".join(filter(None, (row["executed_on"], row["amount_yuan"], row["feedback"]))),
            }
            for row in rows
        ],
    )  # fmt: skip


def _wanted(listings: list[tuple[str, str]], initiator: str, document: str) -> bool:
    if not initiator and not document:
        return True
    return any((not initiator or initiator == who) and (not document or document == what) for who, what in listings)


def _row(one: Obligation, listings: list[tuple[str, str]], today: int) -> dict[str, Any]:
    return {
        "department": one.department, "measure": one.measure, "state": one.state.name.lower(), "lift": one.lift,
        "overdue": one.is_overdue(today), "respond_by": iso(one.respond_by), "provisional": one.provisional,
        "since": iso(one.since.day), "epoch": one.since.epoch, "n": one.since.n,
        "snoozed_until": iso(one.snoozed_until or None), "because_of": [f"{who} {what}" for who, what in listings],
    } | _answer(one.answer)  # fmt: skip


def _confirmed(department: str, measure: str, answer: Answer, listings: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "department": department, "measure": measure, "state": State.LIFT_CONFIRMED.name.lower(), "lift": True,
        "overdue": False, "respond_by": "", "provisional": False, "since": "", "epoch": answer.epoch, "n": answer.n,
        "snoozed_until": "", "because_of": [f"{who} {what}" for who, what in listings],
    } | _answer(answer)  # fmt: skip


def _answer(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"feedback": "", "decided_on": "", "executed_on": "", "amount_yuan": "", "officer": ""}
    amount = f"{answer.amount // 100}.{answer.amount % 100:02}" if answer.amount else ""
    return {
        "feedback": answer.document, "decided_on": iso(answer.decided_on), "executed_on": iso(answer.executed_on),
        "amount_yuan": amount, "officer": answer.officer,
    }  # fmt: skip


def overdue(
    department: Annotated[str, typer.Option(help="Only what this department owes, such as gd.fin 责任部门.")] = "",
    as_json: Json = False,
) -> None:
    """Which responses are owed and late, the longest overdue first; exit code 1 if there are any 逾期反馈."""
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS
    from exchange.redis_client import connect
    from exchange.store import Store

    settings = read_settings()
    catalogue = load_catalogue(SCHEMAS)
    if department:
        catalogue.demand(department)
    store = Store(connect(find_servers(settings).redis))
    found = [
        (subject, owed)
        for one in ([department] if department else sorted(catalogue.departments))
        for number in range(settings.partitions)
        for subject, owed in store.overdue(number, one)
    ]
    found.sort(key=lambda pair: (pair[1].respond_by, pair))
    today, working_days = day_of(time.time_ns() // 1_000_000), load_working_days()
    rows = [_owed(subject, owed, working_days.between(owed.respond_by, today)) for subject, owed in found]
    if as_json:
        sys.stdout.write(json.dumps({"overdue": rows}, ensure_ascii=False) + "\n")
    elif not rows:
        open_console().print("nothing is overdue 无逾期反馈")
    else:
        print_table(open_console(), "逾期反馈 overdue responses", [{k: str(v) for k, v in row.items()} for row in rows])
    raise typer.Exit(1 if rows else 0)


def _owed(subject: str, owed: Owed, days: int) -> dict[str, Any]:
    work, _, document = owed.measure.partition(" ")
    return {
        "department": owed.department, "subject": subject, "measure": owed.measure,
        "owed": f"{' '.join(WORKS[work])} {document}" if work in WORKS else "确认解除 confirm the lift" if owed.lift else "反馈 respond",
        "respond_by": iso(owed.respond_by), "working_days_late": days,
    }  # fmt: skip
