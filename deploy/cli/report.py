"""`creditbus report`: check a credit report that somebody shows, without a network, and the keys to check it with."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.ask import Json
from deploy.cli.tables import open_console
from exchange.errors import RequestError
from exchange.settings import read_settings

app = typer.Typer(help="Credit reports: verify one, public keys 信用报告核验.", no_args_is_help=True)


@app.command()
def keys(as_json: Json = False) -> None:
    """The public keys that credit reports of this bus are sealed with 公钥."""
    from exchange.report_seal import ReportSeals
    from exchange.signatures import load_signing_keys

    settings = read_settings()
    public = ReportSeals(load_signing_keys(settings, embedded=not settings.kafka), settings.topic_prefix).public()
    if as_json:
        sys.stdout.write(json.dumps({"keys": public}) + "\n")
    else:
        for key_id, text in public.items():
            typer.echo(f"{key_id}  {text}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The report's PDF.")],
    key: Annotated[list[str], typer.Option(help="A public key whpk_… of the bus; may be repeated 公钥.")],
    as_json: Json = False,
) -> None:
    """Whether a report is as it was issued; needs its file and the bus's public key, no network. Exit code 1 when it is not."""
    from consumers.portal.report.pdf import read_report
    from exchange.report_seal import is_sealed

    try:
        raw = file.read_bytes()
    except OSError as error:
        raise RequestError(f"{file}: {error.strerror}", code="no_file", remedy="give a report's PDF") from error
    content, seal = read_report(raw)
    good = is_sealed(content, seal, key)
    if as_json:
        sys.stdout.write(
            json.dumps({"good": good, "key_id": seal.key_id, "report": content}, ensure_ascii=False) + "\n"
        )
    elif good:
        title, text = content["verdict"]
        open_console().print(
            f"[bold]属实 genuine[/]  {content['name']}  {content['issued_at']}  {title} {text}", highlight=False
        )
    else:
        open_console().print("[bold]未能核验 not verified[/]: changed since it was issued, or sealed under another key")
    raise typer.Exit(0 if good else 1)
