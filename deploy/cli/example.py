"""`creditbus run example-desk` and `example-centre`: the reference departments as processes, put together here."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchange.errors import RequestError

if TYPE_CHECKING:  # the rest is imported when a command runs, so that --help is quick
    from aiohttp import web

    from consumers.reference.office import Office
    from consumers.reference.outbox import Feedback, SendFeedback
    from consumers.reference.practice import Practice
    from consumers.reference.receiver import Fetch
    from exchange.codec import Codec
    from exchange.settings import Settings

log = logging.getLogger("creditbus.reference")

Listen = Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen 监听地址; port 0 takes a free one.")]
Book = Annotated[Path, typer.Option(help="File of the department's book 台账 (SQLite); made where there is none.")]
FeedbackTo = Annotated[
    str, typer.Option(metavar="kafka|URL", help="Where feedback goes 反馈渠道: Kafka, or the URL of the bus's inbox.")
]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with the department's token cbk_... 令牌文件, for the inbox.")
]
InboxFrom = Annotated[
    str,
    typer.Option(
        metavar="URL", help="The bus's inbox, to fetch thin notices from 收件箱地址; by default the URL of --feedback."
    ),
]
Delay = Annotated[float, typer.Option(min=0, help="Seconds from a notice to its execution 执行延时.")]

Works = Callable[["Office", asyncio.Event], Sequence[Coroutine[Any, Any, None]]]
"""What else an office does until it is told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What both commands are told."""

    book: Path
    listen: str
    feedback: str
    inbox: str
    token_file: Path | None
    delay_seconds: float


def desk(
    book: Book,
    public_key: Annotated[
        list[str], typer.Option(help="whpk_... of this endpoint 验签公钥; give it twice while keys are rotated.")
    ],
    listen: Listen = "127.0.0.1:8801",
    feedback: FeedbackTo = "kafka",
    inbox: InboxFrom = "",
    token_file: TokenFile = None,
    delay_seconds: Delay = 0.0,
) -> None:
    """Example: a market-entry desk (gd.amr) that takes pushed notices 示例：市场准入窗口.

    POST /notices takes them; /may-register?subject=CODE answers the clerk; /obligations and /health show what there is.
    """
    from consumers.reference.market_entry_desk import PRACTICE, desk_app
    from exchange.signatures import public_key as parse_key

    for key in public_key:
        parse_key(key)
    settings, codec = _open_bus()
    choices = Choices(
        book=book, listen=listen, feedback=feedback, inbox=inbox, token_file=token_file, delay_seconds=delay_seconds
    )  # fmt: skip
    asyncio.run(
        _run(PRACTICE, choices, settings, codec, lambda office, fetch: desk_app(office, public_key, codec, fetch))
    )


def centre(
    book: Book,
    secret_file: Annotated[
        list[Path] | None,
        typer.Option(
            help="File with whsec_... of this endpoint 验签密钥文件, to take pushed notices; twice while keys are rotated."
        ),
    ] = None,
    kafka: Annotated[bool, typer.Option(help="Take notices from Kafka 从 Kafka 接收.")] = True,
    listen: Listen = "127.0.0.1:8802",
    feedback: FeedbackTo = "kafka",
    inbox: InboxFrom = "",
    token_file: TokenFile = None,
    delay_seconds: Delay = 0.0,
) -> None:
    """Example: a public-resource trading centre (gd.prtc), by Kafka or pushed 示例：公共资源交易中心.

    /may-bid?subject=CODE&subject=CODE answers for a bidder or a consortium; POST /notices takes pushed notices when there is a
    secret; /obligations and /health show what there is.
    """
    from consumers.inbox import Inbox, open_inbox
    from consumers.reference.resource_trading_centre import PRACTICE, centre_app, take_from_kafka
    from deploy.local.connect import find_servers
    from exchange.topics import Topics

    secrets = [_read_secret(path) for path in secret_file or ()]
    if not kafka and not secrets:
        raise RequestError("no way in is left", code="no_channel", remedy="give --secret-file, or leave out --no-kafka")
    settings, codec = _open_bus()

    def open_own_inbox() -> Inbox:
        topic = Topics(settings.topic_prefix).out_of(PRACTICE.department)
        # The obligations are the book of sequences here, on disk; the inbox needs none of its own.
        return open_inbox(find_servers(settings).kafka, topic, codec, group=f"{topic}.example-centre", book=":memory:")

    def works(office: "Office", stop: asyncio.Event) -> Sequence[Coroutine[Any, Any, None]]:
        return [take_from_kafka(open_own_inbox, office, stop)] if kafka else []

    choices = Choices(
        book=book, listen=listen, feedback=feedback, inbox=inbox, token_file=token_file, delay_seconds=delay_seconds
    )  # fmt: skip
    asyncio.run(
        _run(PRACTICE, choices, settings, codec, lambda office, fetch: centre_app(office, secrets, codec, fetch), works)
    )


def _open_bus() -> "tuple[Settings, Codec]":
    from exchange.codec import open_codec
    from exchange.paths import SCHEMAS
    from exchange.settings import read_settings

    settings = read_settings()
    return settings, open_codec(settings, SCHEMAS)


async def _run(
    practice: "Practice",
    choices: Choices,
    settings: "Settings",
    codec: "Codec",
    app_of: "Callable[[Office, Fetch | None], web.Application]",
    works: Works = lambda _office, _stop: (),
) -> None:
    """An office with its book, its way back to the bus and its pages, until SIGTERM or Ctrl-C."""
    from consumers.reference.book import open_book
    from consumers.reference.office import Office
    from consumers.reference.receiver import run_together, serve

    host, _, port = choices.listen.rpartition(":")
    if not host or not port.isdigit():
        raise RequestError(f"{choices.listen!r} is not HOST:PORT", code="bad_address", remedy="such as 127.0.0.1:8801")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def on_ready(actual: int) -> None:
        log.info("listening department=%s url=http://%s:%d", practice.department, host, actual)

    with closing(open_book(choices.book)) as database:
        async with _way_back(practice.department, choices, settings, codec) as send, _way_in(choices, codec) as fetch:
            office = Office(practice, database, send, delay_ms=int(choices.delay_seconds * 1000))
            await run_together(
                stop,
                office.run(stop),
                serve(app_of(office, fetch), host, int(port), stop, on_ready),
                *works(office, stop),
            )


@asynccontextmanager
async def _way_in(choices: Choices, codec: "Codec") -> "AsyncIterator[Fetch | None]":
    """The port by which thin notices are made whole, open; None when there is no inbox."""
    from consumers.reference.notices_http import HttpNotices

    inbox = choices.inbox or (choices.feedback if _is_url(choices.feedback) else "")
    if not inbox:
        yield None
        return
    if not _is_url(inbox):
        raise RequestError(f"{inbox!r} is no URL", code="bad_inbox", remedy="such as --inbox https://inbox.example")
    async with HttpNotices(inbox, _token(choices), codec) as fetch:
        yield fetch


@asynccontextmanager
async def _way_back(
    department: str, choices: Choices, settings: "Settings", codec: "Codec"
) -> "AsyncIterator[SendFeedback]":
    """The port by which feedback leaves, open."""
    from consumers.reference.feedback_http import HttpFeedback

    if _is_url(choices.feedback):
        async with HttpFeedback(choices.feedback, _token(choices)) as send:
            yield send
        return
    if choices.feedback != "kafka":
        raise RequestError(f"{choices.feedback!r} is neither kafka nor a URL", code="bad_feedback", remedy="see --help")
    from deploy.local.connect import find_servers
    from exchange.catalogue import load_catalogue
    from exchange.json_form import from_json
    from exchange.paths import SCHEMAS
    from producers.publisher import Publisher, UnconfirmedError

    reachable = settings.model_copy(update={"kafka": find_servers(settings).kafka})
    schema = codec.contracts.latest["measure_feedback"].schema
    publisher = Publisher(reachable, department, codec, load_catalogue(SCHEMAS))

    async def publish(records: "Sequence[Feedback]") -> None:
        await asyncio.gather(*(publisher.confirm(from_json(schema, one), "measure_feedback") for one in records))

    try:
        yield publish
    finally:
        with contextlib.suppress(UnconfirmedError):  # what is not confirmed is in the book, and goes at the next start
            publisher.close()


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _token(choices: Choices) -> str:
    if choices.token_file is None:
        raise RequestError("the inbox needs a token", code="no_token", remedy="give --token-file")
    return _read_secret(choices.token_file)


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}", code="no_file", remedy="check the path") from error
