"""`creditbus show`, `check`, `watch`: what is known of a subject, whether a matter may be granted, what a department is told."""

import json
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy.cli.tables import open_console, print_table
from exchange.domain.calendar import to_date
from exchange.domain.fold import UNCOUNTED
from exchange.domain.handover import visible
from exchange.domain.identity import is_series
from exchange.domain.judge import RuleBook, judge
from exchange.domain.record import Entry, split_key
from exchange.domain.standing import EMPTY
from exchange.errors import RequestError
from exchange.look_up import Found
from exchange.settings import Settings, read_settings
from exchange.standing_store import Wanted

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SubjectArgument = Annotated[
    str, typer.Argument(help="Subject id, or a bare unified social credit code 统一社会信用代码.")
]


def iso(day: int | None) -> str:
    """A day (since 1970-01-01) as people write it; empty for none."""
    return "" if day is None else to_date(day).isoformat()


def moment(seconds: int) -> str:
    """Seconds since 1970-01-01 UTC as an ISO time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else ""


def find_subject(text: str, settings: Settings) -> Found:
    """The canonical subject, its standing and its entries; an alias leads to the subject it belongs to."""
    from deploy.local.connect import find_servers
    from exchange.look_up import look_up, subject_of
    from exchange.redis_client import connect
    from exchange.store import Store

    subject = subject_of(text)
    return look_up(Store(connect(find_servers(settings).redis)), settings.partitions, subject)


def find_entry(settings: Settings, subject: str, key: str) -> Entry | None:
    """One entry of a subject, as it is named there."""
    from deploy.local.connect import find_servers
    from exchange.partitioner import partition_of
    from exchange.redis_client import connect
    from exchange.store import Store

    store = Store(connect(find_servers(settings).redis))
    number = partition_of(subject, settings.partitions)
    entry = store.load([Wanted(number, [], [(subject, key)])])[0].entries[0]
    seen = visible(entry) if entry is not None else None
    return seen if seen is not None and seen.versions else None


def today_book() -> RuleBook:
    """The policy shipped, as of today in China."""
    from exchange.catalogue import load_catalogue
    from exchange.domain.calendar import day_of
    from exchange.paths import SCHEMAS
    from exchange.policy_files import load_policy

    return RuleBook(load_policy(SCHEMAS, load_catalogue(SCHEMAS)), day_of(time.time_ns() // 1_000_000))


def show(subject: SubjectArgument, as_json: Json = False) -> None:
    """Show a subject's standing: records, listings, measures 信用状况."""
    name, standing, entries = find_subject(subject, read_settings())
    documents = sorted(key for key in entries if split_key(key)[0] not in UNCOUNTED)
    judgement = judge(standing, today_book(), person=name.startswith("person:"))
    listings = [
        {
            "list": h.list_code, "department": h.department, "document": h.document, "role": h.role,
            "whose": h.subject or name, "decided_on": iso(h.decided_on), "until": iso(h.until),
        }
        for h in judgement.holdings
    ]  # fmt: skip
    measures: list[dict[str, Any]] = [
        {
            "department": department, "measure": measure, "name_zh": supports[0].rule.name_zh,
            "because_of": [f"{s.holding.list_code} {s.holding.document}" for s in supports], "memorandum": supports[0].rule.memorandum,
        }
        for department, found in sorted(judgement.measures.items())
        for measure, supports in sorted(found.items())
    ]  # fmt: skip
    if as_json:
        answer = {
            "subject": name, "asked": subject, "known": standing is not EMPTY, "counts": standing.counts, "listings": listings,
            "measures": measures, "documents": documents, "updated_at": moment(standing.updated_at),
        }  # fmt: skip
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    console = open_console()
    console.print(f"[bold]{name}[/]  更新 updated {moment(standing.updated_at) or '—'}")
    if standing is EMPTY:
        console.print("no record of this subject 无记录")
        return
    console.print("  ".join(f"{name} {count}" for name, count in sorted(standing.counts.items())))
    print_table(console, "名单 listings", listings)
    print_table(
        console, "措施 measures",
        [
            {
                "department": one["department"], "measure": f"{one['measure']}\n{one['name_zh']}",
                "because of": "\n".join([*one["because_of"], one["memorandum"]]),
            }
            for one in measures
        ],
    )  # fmt: skip
    console.print(f"{len(documents)} documents 文书: " + ", ".join(" ".join(split_key(key)) for key in documents[:10]))


def check_command(
    subject: SubjectArgument,
    matter: Annotated[
        str, typer.Option(help="What is asked for, a code of docs/policy.md (Matters), such as bidding 事项.")
    ],
    as_json: Json = False,
) -> None:
    """Ask whether a matter may be granted 核查; exit code 0 for clear and fast-track, 1 for review and refuse."""
    from exchange.domain.check import Answer, check

    book = today_book()
    matters = book.policy.matters
    if matter not in matters:
        raise RequestError(
            f"no matter {matter!r}", code="unknown_matter", remedy="one of " + ", ".join(sorted(matters))
        )
    name, standing, _ = find_subject(subject, read_settings())
    if is_series(name):
        raise RequestError(
            f"{name} is a series of counts", code="not_about_series", remedy="check an organisation or a person"
        )
    found = check(standing, book, matter, person=name.startswith("person:"))
    reasons = [
        {
            "effect": s.rule.effect, "measure": s.rule.measure, "name_zh": s.rule.name_zh, "department": s.rule.department,
            "list": s.holding.list_code, "decided_by": s.holding.department, "document": s.holding.document,
            "until": iso(s.holding.until), "memorandum": s.rule.memorandum, "article": s.rule.article, "basis": s.rule.basis,
        }
        for s in found.supports
    ]  # fmt: skip
    if as_json:
        answer = {
            "subject": name, "matter": matter, "answer": found.answer.value, "reasons": reasons, "as_of": iso(found.as_of),
            "data_as_of": moment(found.updated_at),
        }  # fmt: skip
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    else:
        console = open_console()
        console.print(
            f"[bold]{found.answer.value}[/]  {name}  {matter}  as of {iso(found.as_of)}  data {moment(found.updated_at) or '—'}"
        )
        print_table(console, "依据 reasons", [_reason_row(one) for one in reasons])
    raise typer.Exit(1 if found.answer in (Answer.REFUSE, Answer.REVIEW) else 0)


def _reason_row(one: dict[str, str]) -> dict[str, str]:
    """A reason in three columns, for people."""
    return {
        "effect": f"{one['effect']}\n{one['measure']}\n{one['name_zh']}\n{one['department']}",
        "because of": f"{one['list']} {one['document']}\n{one['decided_by']}\nuntil {one['until'] or '—'}",
        "basis": f"{one['basis']}\n{one['memorandum']} {one['article']}".rstrip(),
    }


def watch(
    department: Annotated[str, typer.Option(help="Whose notices, such as gd.tax.")],
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Also what is there already.")] = False,
    count: Annotated[int, typer.Option(help="End after so many notices; 0 goes on.")] = 0,
    as_json: Json = False,
) -> None:
    """Watch a department's notices as they come 订阅通知."""
    from uuid import uuid4

    from consumers.inbox import open_inbox
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.codec import open_codec
    from exchange.paths import SCHEMAS
    from exchange.topics import Topics

    settings = read_settings()
    load_catalogue(SCHEMAS).demand(department)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(1))
    topic = Topics(settings.topic_prefix).out_of(department)
    kafka = find_servers(settings).kafka
    codec = open_codec(settings, SCHEMAS)
    console = open_console()
    seen = 0
    inbox = open_inbox(
        kafka, topic, codec, group=f"{topic}.watch.{uuid4().hex}", book=":memory:", from_now=not from_beginning
    )
    with inbox:
        while not stopping and (not count or seen < count):
            notice = inbox.receive(timeout=0.5)
            if notice is None:
                continue
            seen += 1
            if as_json:
                sys.stdout.write(json.dumps(notice, ensure_ascii=False, default=str) + "\n")
                sys.stdout.flush()
            else:
                changes = ", ".join(f"{c['action']} {c['measure']}" for c in notice["changes"])
                cause = notice["cause"]
                console.print(
                    f"{notice['department']}  {notice['subject']} {notice['subject_name']}  {changes}  "
                    f"[dim]{len(notice['measures'])} in force; {cause['type']} {cause['document']}[/]"
                )
