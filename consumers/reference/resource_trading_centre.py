"""The public-resource trading centre (公共资源交易中心), gd.prtc: notices from Kafka or pushed, and the admission of bidders.

Pushed notices are verified with the official `standardwebhooks` library and the endpoint's secret (`v1`), as any department
may do that uses the library of its own language.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.inbox import Inbox
from consumers.reference.book import Obligation, State
from consumers.reference.office import Office
from consumers.reference.practice import Declined, Duty, Practice, decline_without_basis
from consumers.reference.receiver import Fetch, Receiver
from consumers.webhook import Message, read_message
from exchange.codec import Codec
from exchange.domain.check import Answer
from exchange.domain.identity import is_person
from exchange.signatures import SignatureError

QUESTION = "/may-bid"
_RECEIVE_SECONDS = 0.5


def _declines(obligation: Obligation) -> Declined | None:
    """This centre's rule for what it declines: bidders are legal persons and other organisations, never natural persons."""
    if is_person(obligation.subject):
        reason = "自然人不是本中心投标人（招标投标法第二十五条） a natural person is no bidder here"
        return Declined(state=State.NOT_APPLICABLE, reason=reason)
    return decline_without_basis(obligation)


PRACTICE = Practice(
    department="gd.prtc",
    name_zh="公共资源交易中心",
    name_en="public-resource trading centre",
    officer="交易管理部-03",
    mark="粤交易限",
    duties={
        "bidding_limit": Duty(
            name_zh="限制参与公共资源交易",
            name_en="limited in public-resource trading",
            answer=Answer.REFUSE,
            review_only=frozenset({"ABN"}),  # 企业信息公示暂行条例第十八条: restricted or banned, the evaluator decides
        ),
        "consortium_bidding_limit": Duty(
            name_zh="联合体任一成员失信则整体限制投标",
            name_en="a consortium with one such member is limited as a whole",
            answer=Answer.REFUSE,
        ),
        "priority_processing": Duty(name_zh="优先办理", name_en="processed first", answer=Answer.FAST_TRACK),
        "no_awards": Duty(
            name_zh="撤销荣誉，取消参加评先评优资格",
            name_en="honours revoked, no awards",
            answer=Answer.REFUSE,
            at_counter=False,
        ),
    },
    declines=_declines,
)


def open_with_library(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], codec: Codec) -> Message:
    """Verify with the official library, then read.

    Args:
        body: exactly as received.
        headers: of the request.
        secrets: `whsec_...`; two while they are rotated.
        codec: of the contracts.

    Raises:
        SignatureError: the library refuses it.
        MessageError: see `read_message`.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    for secret in secrets:
        try:
            Webhook(secret).verify(body, lower, json_parse=False)
        except (WebhookVerificationError, ValueError):  # it lets errors of base64 and UTF-8 through
            continue
        return read_message(body, headers, codec)
    raise SignatureError("no signature fits, or the timestamp is too far away")


def centre_app(office: Office, secrets: Sequence[str], codec: Codec, fetch: Fetch | None = None) -> web.Application:
    """The centre's pages; without secrets it takes no pushed notices.

    Args:
        office: with PRACTICE.
        secrets: `whsec_...` of its endpoint.
        codec: of the contracts.
        fetch: for thin notices; None when there is no way to the inbox.
    """

    def open_request(body: bytes, headers: Mapping[str, str]) -> Message:
        return open_with_library(body, headers, secrets, codec)

    return Receiver(office, open_request if secrets else None, QUESTION, fetch).app()


async def take_from_kafka(open_inbox: Callable[[], Inbox], office: Office, stop: asyncio.Event) -> None:
    """Take notices from the inbox until told to stop. One thread polls Kafka; the book stays with the event loop.

    A notice is in the book before the inbox is asked for the next, and only then is Kafka told. If it dies in between, Kafka
    gives it again and the book knows it.

    Args:
        open_inbox: opens it, in the thread that polls; with a book of its own, since it is closed there.
        office: that takes them.
        stop: ends it.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox") as thread:
        inbox = await loop.run_in_executor(thread, lambda: open_inbox().__enter__())
        try:
            while not stop.is_set():
                notice = await loop.run_in_executor(thread, inbox.receive, _RECEIVE_SECONDS)
                if notice is not None:
                    office.take(notice)
        finally:
            await loop.run_in_executor(thread, inbox.__exit__, None, None, None)
