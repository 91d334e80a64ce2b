"""`creditbus ledger`: keys, export, verify and trace of the hash-chained record of everything that happened."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.cli.tables import open_console, print_table
from exchange.errors import RequestError
from exchange.settings import Settings, read_settings

if TYPE_CHECKING:
    from consumers.ledger.checking import Verdict
    from consumers.ledger.run import LedgerParts
    from exchange.bus_keys import LedgerKeys
    from exchange.domain.ledger import Head
    from exchange.domain.ledger_trace import Step

app = typer.Typer(help="The ledger 存证: keys, export, verify, trace.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs 输出 JSON.")]
PublicKeys = Annotated[
    list[str] | None,
    typer.Option("--public-key", help="whpk_... of `ledger keys`; again for keys of before a rotation 公钥."),
]
HASH_BYTES = 32


def _keys(settings: Settings) -> "LedgerKeys":
    from exchange.bus_keys import LedgerKeys
    from exchange.signatures import load_signing_keys

    return LedgerKeys(load_signing_keys(settings, embedded=not settings.kafka), settings.topic_prefix)


def _parts(settings: Settings) -> "LedgerParts":
    from consumers.ledger.run import LedgerParts
    from deploy.local.connect import find_servers

    return LedgerParts(settings, find_servers(settings).kafka)


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """A count that runs on the terminal; what it yields is told how many more."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda more: bar.advance(task, more)


@app.command()
def keys(as_json: Json = False) -> None:
    """List the public keys of checkpoints, newest first; keep them: old checkpoints are verified with old keys 公钥."""
    public = _keys(read_settings()).public()
    if as_json:
        sys.stdout.write(json.dumps({"keys": [{"id": name, "public_key": key} for name, key in public.items()]}) + "\n")
        return
    for name, key in public.items():
        typer.echo(f"{name}  {key}")


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="File to write, .jsonl or .jsonl.gz 输出文件.")],
    partition: Annotated[int, typer.Option(help="Only this partition; -1 means all 仅此分区.")] = -1,
    with_payloads: Annotated[
        bool, typer.Option("--with-payloads", help="With the messages themselves, classified ones left out 含原文.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the ledger to a file that can be verified anywhere, without servers 导出."""
    from consumers.ledger.export import export as write

    settings = read_settings()
    if partition >= settings.partitions:
        raise RequestError(
            f"there is no partition {partition}",
            code="no_partition",
            remedy=f"give one of 0 to {settings.partitions - 1}",
        )
    numbers = range(settings.partitions) if partition < 0 else [partition]
    with _counting("entries 条目") as progress:
        done = write(_parts(settings), out, list(numbers), payloads=with_payloads, progress=progress)
    heads = {number: f"{number}:{head.sequence}:{head.hash.hex()}" for number, head in done.heads.items()}
    if as_json:
        shown = {"file": str(out), "entries": done.entries, "payloads": done.payloads, "heads": list(heads.values())}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
        return
    typer.echo(f"{out}: {done.entries:,} entries 条目, {done.payloads:,} payloads 原文")
    typer.echo("heads 链首, to keep elsewhere and give to verify --head:")
    for head in heads.values():
        typer.echo(f"  {head}")


@app.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="An exported file; without it the live ledger 导出文件.")] = None,
    public_key: PublicKeys = None,
    head: Annotated[
        list[str] | None, typer.Option("--head", help="partition:sequence:hash kept elsewhere; must be there 已知链首.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check sequence, chain, digests and signatures; exit code 1 when anything is wrong 核验."""
    from consumers.ledger.checking import check_file, check_live
    from exchange.bus_keys import trusts

    known = dict(map(_head, head or ()))
    if file is not None:
        if not public_key:
            raise RequestError(
                "no public key to verify with",
                code="no_public_key",
                remedy="give --public-key, see creditbus ledger keys",
            )
        with _counting("lines 行") as progress:
            verdict = check_file(file, trusts(public_key), known, progress)
    else:
        settings = read_settings()
        trusted = trusts([*(public_key or ()), *_keys(settings).public().values()])
        with _counting("entries 条目") as progress:
            verdict = check_live(_parts(settings), trusted, known, progress)
    if as_json:
        shown = {
            "good": verdict.is_good, "entries": verdict.entries, "unsigned": verdict.unsigned, "kinds": verdict.kinds,
            "payloads": verdict.payloads, "payloads_gone": verdict.payloads_gone, "chains": verdict.chains,
            "fault_count": verdict.fault_count, "faults": [fault._asdict() for fault in verdict.faults],
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
    else:
        _show(verdict)
    raise typer.Exit(0 if verdict.is_good else 1)


def _show(verdict: "Verdict") -> None:
    console = open_console()
    word = "[green]whole 完整[/]" if verdict.is_good else f"[red]{verdict.fault_count:,} faults 有误[/]"
    console.print(
        f"{word}: {verdict.entries:,} entries 条目, {verdict.unsigned:,} after the last checkpoint 未签, "
        f"{verdict.payloads:,} payloads checked 原文, {verdict.payloads_gone:,} not there any more"
    )
    for fault in verdict.faults:
        console.print(f"  {fault.text()}", markup=False)


def _head(text: str) -> tuple[int, "Head"]:
    from exchange.domain.ledger import Head

    try:
        partition, sequence, digest = text.split(":")
        found = int(partition), Head(int(sequence), bytes.fromhex(digest))
        if len(found[1].hash) == HASH_BYTES:
            return found
    except ValueError:
        pass
    raise RequestError(
        f"--head {text!r} is not partition:sequence:hash",
        code="bad_head",
        remedy="copy it from creditbus ledger export",
    )


@app.command()
def trace(
    notice_id: Annotated[str, typer.Argument(help="Id of the notice 通知编号.")],
    subject: Annotated[
        str,
        typer.Option(help="Whom the notice is about, USCC or subject id: so only one chain is read 信用主体."),
    ] = "",
    public_key: PublicKeys = None,
    as_json: Json = False,
) -> None:
    """Prove a notice from the issuing department's record to the acting department's feedback 溯源."""
    from consumers.ledger.tracing import Chain
    from exchange.bus_keys import trusts

    settings = read_settings()
    trusted = trusts([*(public_key or ()), *_keys(settings).public().values()])
    with _counting("entries 条目") as progress:
        chain = Chain(_parts(settings), trusted, progress)
        found = chain.trace(notice_id, f"org:{subject}" if subject and ":" not in subject else subject)
    if as_json:
        shown = {
            "notice_id": notice_id, "partition": chain.partition, "good": not chain.faults,
            "steps": [_step(step) for step in found.steps], "faults": [fault._asdict() for fault in chain.faults],
        }  # fmt: skip
        sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
    else:
        _show_trace(found.steps, notice_id, chain.partition)
        for fault in chain.faults:
            open_console().print(fault.text(), style="red", markup=False)
    raise typer.Exit(1 if chain.faults else 0)


_WORDS = {"RECORD": "信用信息", "REJECTION": "退回", "NOTICE": "通知", "RECEIPT": "送达回执", "FEEDBACK": "措施反馈"}


def _show_trace(steps: tuple["Step", ...], notice_id: str, partition: int) -> None:
    from datetime import UTC, datetime

    rows = []
    for step in steps:
        entry, signed = step.entry, step.covered_by
        at = datetime.fromtimestamp(entry.written_at / 1000, UTC)
        rows.append({
            "what 事项": f"{entry.kind} {_WORDS[entry.kind]}\n{entry.department}",
            "document 编号, where 位置": f"{entry.record_type} {entry.document}\n{entry.topic} {entry.offset}",
            "at 时间": f"{at:%Y-%m-%d}\n{at:%H:%M:%S}Z",
            "entry 条目, signed by 检查点": f"{entry.sequence} {step.hash.hex()[:16]}\n"
            + (f"{signed.sequence} ({signed.key_id})" if signed else "not yet 未签"),
        })  # fmt: skip
    print_table(open_console(), f"notice 通知 {notice_id}, partition 分区 {partition}", rows)


def _step(step: "Step") -> dict[str, Any]:
    entry = step.entry
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in entry._asdict().items()}
    signed = step.covered_by
    covered = {"sequence": signed.sequence, "key_id": signed.key_id, "signed_at": signed.written_at} if signed else None
    return shown | {"hash": step.hash.hex(), "covered_by": covered}
