"""`creditbus simulate`: a synthetic province publishes onto the bus."""

import itertools
import json
import sys
import time
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.cli.servers import with_servers
from exchange.clock import today
from exchange.settings import read_settings


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same records 随机种子.")] = 1,
    subjects: Annotated[int, typer.Option(min=1, help="Organisations in the province 主体数.")] = 10_000,
    rate: Annotated[float, typer.Option(min=0, help="Records a second; 0 is as fast as it goes 每秒条数.")] = 50.0,
    count: Annotated[int | None, typer.Option(min=0, help="So many records; endless when left out 总条数.")] = None,
    for_: Annotated[float | None, typer.Option("--for", min=0, help="For so many seconds 秒数.")] = None,
    burst: Annotated[
        list[str] | None,
        typer.Option(help="LIST:COUNT listings first, at full speed, such as COURT:700000; may be repeated 突发."),
    ] = None,
    repeated: Annotated[float, typer.Option(min=0, max=1, help="Share that comes a second time 重复比例.")] = 0.0,
    disordered: Annotated[
        float, typer.Option(min=0, max=1, help="Share that is held back and overtaken 乱序比例.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end 输出 JSON.")] = False,
) -> None:
    """Publish what the departments of a synthetic province would; nobody in it exists 模拟报送.

    With --burst and neither --count nor --for, only the bursts. Ctrl-C ends it; what was handed over is confirmed first.
    """
    from deploy.cli.stopping import stopped_by_signal
    from exchange.catalogue import load_catalogue
    from exchange.codec import open_codec
    from exchange.paths import SCHEMAS
    from exchange.pseudonym import load_person_keys
    from producers.simulator.events import Event
    from producers.simulator.run import Province
    from producers.simulator.simulate import Burst
    from producers.simulator.simulate import simulate as make_stream

    settings = read_settings()
    bursts = tuple(Burst.parse(text) for text in burst or ())
    at_once = sum(one.count for one in bursts)
    stream = make_stream(
        seed, subjects, today=today(), keys=load_person_keys(settings, embedded=not settings.kafka),
        bursts=bursts, repeated=repeated, disordered=disordered,
    )  # fmt: skip
    steady = 0 if bursts and count is None and for_ is None else count
    published: Counter[str] = Counter()
    started = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"), TimeElapsedColumn())
    with (
        stopped_by_signal() as stop,
        Progress(*columns, console=Console(stderr=True), transient=True) as bar,
        Province(with_servers(settings), open_codec(settings, SCHEMAS), load_catalogue(SCHEMAS)) as province,
    ):
        task = bar.add_task("records 条", total=None)

        def observe(event: Event, _sent: int) -> None:
            published[event[1]] += 1
            bar.advance(task)

        province.publish(itertools.islice(stream, at_once), rate=0, seconds=None, stop=stop, on_event=observe)
        province.publish(itertools.islice(stream, steady), rate=rate, seconds=for_, stop=stop, on_event=observe)
    seconds = time.monotonic() - started
    total = sum(published.values())
    if as_json:
        result = {"records": total, "seconds": round(seconds, 3), "records_per_s": round(total / seconds, 1)}
        sys.stdout.write(json.dumps(result | {"record_types": dict(published.most_common())}) + "\n")
        return
    for record_type, number in published.most_common():
        typer.echo(f"{number:>10,}  {record_type}")
    typer.echo(f"{total:>10,}  records confirmed in {seconds:.1f} s ({total / seconds:,.0f}/s)")
