"""The second half of the loop in the demonstration: notices are pushed and pulled, departments act and feed back, lifts are confirmed.

The market-entry desk (gd.amr) takes pushed notices, the trading centre (gd.prtc) reads Kafka; both are the shipped reference programs.
The scene at the end shows one case from its listing to the confirmed lift.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from consumers.standing.run import Parts
from deploy.demo.process import free_port, running
from deploy.demo.seen import Seen
from exchange.clock import now_ms
from exchange.domain.calendar import day_of, to_date
from exchange.domain.judge import RuleBook, judge
from exchange.domain.response import ResponseRules, obligations
from exchange.domain.standing import EMPTY, Standing
from exchange.domain.synthetic import synthetic_uscc
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.partitioner import partition_of
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import SigningKeys
from exchange.working_days import load_working_days
from producers.publisher import Publisher

DESK, CENTRE = "gd.amr", "gd.prtc"
ISSUER = "gd.tax"
SCENE_WITHIN_SECONDS = 30.0
CORRECTED_DAYS_AGO, LISTED_DAYS_AGO = 220, 240
"""The listing of the scene is old enough to be repaired today."""
OVER = "the demonstration is over 演示结束"

Wait = Callable[[float, Callable[[], bool]], None]
"""Waits for so many seconds at most until it is so."""


@contextmanager
def departments_at_work(settings: Settings, keys: SigningKeys, folder: Path, logs: Path) -> Iterator[None]:
    """Desk, centre, dispatcher and ledger at work, as processes of their own; the desk's endpoint is paused afterwards.

    Args:
        settings: of the bus, with its servers.
        keys: that notices are signed with.
        folder: of the departments' books.
        logs: folder for what the processes print.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store, url = EndpointStore(connect(settings.redis)), f"http://127.0.0.1:{free_port()}/notices"
    endpoint = _register(store, url, keys)
    public = [key.public_text for key in endpoint.live_keys(keys, now_ms())]
    listen = url.removeprefix("http://").removesuffix("/notices")
    with ExitStack() as stack:
        stack.callback(store.change, DESK, lambda one: one.paused(OVER, now_ms()))
        desk = ["--book", str(folder / "desk.sqlite"), "--listen", listen]
        desk += [word for key in public for word in ("--public-key", key)]
        centre = ["--book", str(folder / "centre.sqlite"), "--listen", f"127.0.0.1:{free_port()}"]
        local = {"CREDITBUS_WEBHOOK_NETWORKS": "127.0.0.0/8", "CREDITBUS_WEBHOOK_PLAIN_HTTP": "true"}
        stack.enter_context(running(logs / "desk.log", "example-desk", *desk))
        stack.enter_context(running(logs / "centre.log", "example-centre", *centre))
        stack.enter_context(running(logs / "dispatcher.log", "dispatcher", **local))
        stack.enter_context(running(logs / "ledger.log", "ledger"))
        yield


def _register(store: EndpointStore, url: str, keys: SigningKeys) -> Endpoint:
    """The desk's endpoint: new, or that of an earlier demonstration at its new address."""
    new = Endpoint(department=DESK, url=url, key_id=keys.newest, changed_at=now_ms())
    if store.add(new):
        return new
    store.succeeded(DESK)

    def moved(one: Endpoint) -> Endpoint:
        return msgspec.structs.replace(one.resumed(now_ms()), url=url).unverified("its URL has changed", now_ms())

    return store.change(DESK, moved)


class Scene(NamedTuple):
    """One case from its listing to the confirmed lift: seconds until both departments had executed, and had confirmed the lift."""

    subject: str
    document: str
    executed_after: float
    confirmed_after: float


def close_the_loop(parts: Parts, settings: Settings, seen: Seen, wait: Wait) -> Scene:
    """List a firm, wait until desk and centre have executed; grant its repair, wait until both have confirmed the lift.

    Raises:
        RetryLaterError: `not_quiet`, from `wait`.
    """
    number = int(time.time()) % 90_000 + 9_000  # a firm that is nobody else's
    subject, document = f"org:{synthetic_uscc(number)}", f"粤税失信演示{number}号"
    today = day_of(now_ms())

    def standing() -> Standing:
        return parts.store.standing(partition_of(subject, settings.partitions), subject) or EMPTY

    def publish(record_type: str, own: str, days_ago: int, **fields: object) -> float:
        record = {
            "subject": subject, "subject_name": "合成演示有限公司", "document": own, "revision": 1,
            "decided_on": to_date(today - days_ago), "published_at": datetime.now(UTC),
        } | fields  # fmt: skip
        publisher.publish(record, record_type).result(30)
        return time.monotonic()

    with Publisher(settings, ISSUER, parts.codec, parts.catalogue) as publisher:
        seen.doing = f"{ISSUER} lists a firm; {DESK} (pushed) and {CENTRE} (Kafka) act and feed back 列入、响应、反馈"
        began = publish("listing", document, LISTED_DAYS_AGO, list_code="TAX", grounds="1", serious=True)
        wait(SCENE_WITHIN_SECONDS, lambda: _have_answered(standing(), parts))
        executed_after = time.monotonic() - began
        seen.doing = "its repair is granted: measures are lifted, and each lift is confirmed 修复、解除、确认"
        began = publish(
            "repair", f"{document}修", 0, target_type="listing", target_document=document, state="GRANTED",
            corrected_on=to_date(today - CORRECTED_DAYS_AGO), commitment=True,
        )  # fmt: skip
        wait(SCENE_WITHIN_SECONDS, lambda: _have_confirmed(standing()))
        return Scene(subject, document, round(executed_after, 2), round(time.monotonic() - began, 2))


def _have_answered(standing: Standing, parts: Parts) -> bool:
    """Whether both departments were told, and owe nothing any more."""
    judgement = judge(standing, RuleBook(parts.policy, day_of(now_ms())))
    found = obligations(standing, judgement, ResponseRules(deadline=load_working_days().deadlines()))
    told = all(who in standing.told for who in (DESK, CENTRE))
    return told and not any(one.is_open for one in found if one.department in (DESK, CENTRE))


def _have_confirmed(standing: Standing) -> bool:
    """Whether both departments have no measure left, nor any lift to confirm."""
    told = [standing.told.get(who) for who in (DESK, CENTRE)]
    return all(one is not None and not one.measures and not one.lifted for one in told)
