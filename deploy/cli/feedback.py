"""`creditbus feedback`: a clerk or a script says what became of one measure of a notice."""

import json
import sys
from typing import Annotated

import typer

from deploy.cli.servers import with_servers
from exchange.settings import read_settings


def feedback(
    department: Annotated[str, typer.Option("--department", "-d", help="Who answers, such as gd.fin 部门.")],
    notice: Annotated[str, typer.Option(help="Id of the notice 通知编号.")],
    subject: Annotated[str, typer.Option(help="Subject id, or a bare USCC 信用主体.")],
    measure: Annotated[str, typer.Option(help="Code of the measure 措施代码.")],
    state: Annotated[
        str, typer.Option(help="acknowledged, executed, declined, not_applicable or ended 执行状态.")
    ] = "acknowledged",
    detail: Annotated[str, typer.Option(help="What was done, or the legal reason of a refusal 执行情况.")] = "",
    amount: Annotated[str, typer.Option(help="Amount concerned in yuan 涉及金额.")] = "",
    executed_on: Annotated[str, typer.Option(help="Day on which it was done 执行日期.")] = "",
    evidence: Annotated[str, typer.Option(help="Number of the document that proves it 执行凭证.")] = "",
    officer: Annotated[str, typer.Option(help="Who answers for it, by staff number or post 经办人.")] = "",
    snoozed_until: Annotated[str, typer.Option(help="Respite; needs an officer 暂缓至.")] = "",
    epoch: Annotated[int, typer.Option(min=0, help="Epoch of the notice 纪元.")] = 0,
    n: Annotated[int, typer.Option(min=0, help="Number of the notice; 0 means the newest 序号.")] = 0,
    document: Annotated[
        str, typer.Option(help="Number of the feedback; from notice and measure if none 反馈编号.")
    ] = "",
    revision: Annotated[int, typer.Option(min=0, help="Revision; 0 means the present second 修订号.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON 输出 JSON.")] = False,
) -> None:
    """Say what a department did about one measure; a later step of it takes the place of the earlier 反馈."""
    from deploy.cli.departments import known_department
    from deploy.outbound import Publishers
    from exchange.answers import complete_feedback, seconds_now, today_in_china
    from exchange.codec import Codec
    from exchange.json_form import from_json
    from exchange.paths import SCHEMAS

    given = {
        "subject": subject if ":" in subject else f"org:{subject}", "notice_id": notice, "measure": measure, "state": state.upper(),
        "detail": detail, "amount_yuan": amount or None, "executed_on": executed_on or None, "evidence": evidence, "officer": officer,
        "snoozed_until": snoozed_until or None, "epoch": epoch, "n": n, "document": document, "revision": revision or None,
    }  # fmt: skip
    fields = from_json(Codec.from_files(SCHEMAS).contracts.latest["measure_feedback"].schema, given)
    record = complete_feedback(fields, revision=seconds_now(), today=today_in_china())
    with Publishers(with_servers(read_settings())) as publishers:
        publisher = publishers.of(known_department(department))
        where = publisher.publish(record, "measure_feedback").result(timeout=publisher.deadline_seconds)
    if as_json:
        known = {"document": record["document"], "revision": record["revision"], **where._asdict()}
        sys.stdout.write(json.dumps(known, ensure_ascii=False) + "\n")
    else:
        typer.echo(f"{record['document']} 修订 {record['revision']}: {record['state']} 已确认 confirmed")
