"""`creditbus rejected`: what was rejected and why; replay and release."""

import json
import sys
from collections import Counter
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.departments import known_department
from deploy.cli.tables import open_console, show_table
from exchange.errors import RetryLaterError
from exchange.settings import read_settings

app = typer.Typer(help="Rejected records 退回的信息: list, replay, release.", no_args_is_help=True)
Department = Annotated[str, typer.Option(help="Whose records, such as gd.tax; all departments when left out.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
SHOWN = 50


class _Rejected:
    """The quarantine topics of one bus."""

    def __init__(self, department: str) -> None:
        from consumers.standing.run import Parts
        from deploy.local.connect import find_servers

        self.settings = read_settings()
        servers = find_servers(self.settings)
        self.parts = Parts(self.settings, servers.kafka, servers.redis)
        self.kafka = servers.kafka
        if department:
            known_department(department)
        self.departments = [department] if department else self.parts.departments

    def all(self) -> Any:
        """Each department's rejections."""
        from consumers.quarantine import rejections

        reader = self.parts.reader()
        try:
            for department in self.departments:
                yield from rejections(reader, self.parts.codec, self.parts.topics, department)
        finally:
            reader.close()


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)


@app.command("list")
def list_rejected(department: Department = "", as_json: Json = False) -> None:
    """List rejected records with every reason."""
    reasons: Counter[tuple[str, str]] = Counter()
    table = Table("department", "where", "bytes", "reasons 原因", title="退回 rejected", title_justify="left")
    shown = total = 0
    for one in _Rejected(department).all():
        total += 1
        if as_json:
            sys.stdout.write(json.dumps(one, ensure_ascii=False, default=_plain) + "\n")
            continue
        reasons.update((one["department"], reason["code"]) for reason in one["reasons"])
        if shown < SHOWN:
            shown += 1
            why = "; ".join(f"{r['code']} {r['field']}={r['value'][:40]!r}: {r['rule']}" for r in one["reasons"])
            table.add_row(
                one["department"], f"{one['topic']} [{one['partition']}] {one['offset']}", str(one["raw_size"]), why
            )
    if not as_json:
        console = open_console()
        if total:
            show_table(console, table)
        for (who, code), count in sorted(reasons.items()):
            console.print(f"{who}  {code}  {count:,}")
        console.print(f"{total:,} rejected" + (f", {shown} shown; --json lists all" if total > shown else ""))


@app.command()
def replay(
    department: Department = "",
    reason: Annotated[str, typer.Option(help="Only records rejected for this reason code.")] = "",
) -> None:
    """Send rejected records again, byte for byte, once the cause is mended. One accepted before is known as a duplicate."""
    from confluent_kafka import Producer

    from consumers.quarantine import replay as send_again
    from exchange.kafka import LOSSLESS

    rejected = _Rejected(department)
    producer = Producer({**rejected.kafka.config()} | LOSSLESS)
    sent = skipped = 0
    for one in rejected.all():
        if reason and reason not in {r["code"] for r in one["reasons"]}:
            continue
        if one["raw"]:
            send_again(producer, one)
            sent += 1
        else:
            skipped += 1
    if producer.flush(60):
        raise RetryLaterError("not everything was sent again", remedy="check the brokers and replay again")
    typer.echo(f"{sent:,} sent again" + (f", {skipped:,} classified were not kept" if skipped else ""))


@app.command()
def release(department: Annotated[str, typer.Option(help="Whose held topic, such as gd.tax.")]) -> None:
    """Let a department's topic go on after the quarantine limit held it."""
    rejected = _Rejected(department)
    topic = rejected.parts.topics.into(department)
    released = [n for n in range(rejected.settings.partitions) if rejected.parts.store.release(n, topic)]
    typer.echo(f"{topic}: {len(released)} partitions released" if released else f"{topic} was not held")
