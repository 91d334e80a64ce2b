"""`creditbus persons`: pseudonyms of natural persons, at the department that knows who they are."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Pseudonyms of natural persons 自然人假名.", no_args_is_help=True)
WAITING = 5000
"""Records that may wait for their receipts."""


@app.callback()
def _group() -> None:
    """Pseudonyms of natural persons 自然人假名."""


@app.command()
def rekey(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="Citizen IDs, one a line; they stay here 公民身份号码文件."),
    ],
    department: Annotated[str, typer.Option("--department", "-d", help="Who publishes, such as gd.tax 部门.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs 输出 JSON.")] = False,
) -> None:
    """Say of each person which pseudonyms he had under older keys, so that all his records are one person's 换钥."""
    from deploy.cli.departments import known_department
    from deploy.cli.servers import with_servers
    from deploy.outbound import Publishers
    from exchange.answers import today_in_china
    from exchange.pseudonym import load_person_keys
    from exchange.settings import read_settings
    from producers.rekeying import RECORD_TYPE, BadLine, pseudonym_changes

    settings = read_settings()
    keys = load_person_keys(settings, embedded=not settings.kafka)
    sent, bad, waiting = 0, [], []
    with file.open(encoding="utf-8") as lines, Publishers(with_servers(settings)) as publishers:
        publisher = publishers.of(known_department(department))
        for one in pseudonym_changes(lines, keys, today_in_china()):
            if isinstance(one, BadLine):
                bad.append(one)
                continue
            waiting.append(publisher.publish(one[1], RECORD_TYPE))
            if len(waiting) == WAITING:
                sent += _confirm(waiting, publisher.deadline_seconds)
        sent += _confirm(waiting, publisher.deadline_seconds)
    if as_json:
        told = {"confirmed": sent, "bad": [{"line": one.line, "code": one.code, "rule": one.rule} for one in bad]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        for one in bad:
            typer.echo(f"line {one.line}: {one.code} - {one.rule}", err=True)
        typer.echo(f"{sent} changes confirmed by the bus 已确认, {len(bad)} lines are no citizen ID 有误")
    if bad:
        raise typer.Exit(1)


def _confirm(waiting: list[Any], seconds: float) -> int:
    """Wait for receipts, each with its error; how many there were."""
    for receipt in waiting:
        receipt.result(timeout=seconds)
    count = len(waiting)
    waiting.clear()
    return count
