"""The whole bus under least privilege: every process with its own principal only, on servers that allow nothing else."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from confluent_kafka import Consumer, Producer

from consumers.inbox import open_inbox
from exchange.api_keys import RedisKeys, issue
from exchange.codec import Codec
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.errors import FatalError
from exchange.grants import principal_of
from exchange.kafka_places import watermarks
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.redis_errors import translate_redis
from exchange.redis_users import apply_users
from exchange.signatures import load_signing_keys
from exchange.topics import Topics
from tests.checking import firm
from tests.pulling import Client, free_port
from tests.receiving import Desks
from tests.secured import SecuredBus, secured_bus
from tests.submitting import Submitter, listing
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
FIN, TAX = "gd.fin", "gd.tax"
TOPICS = Topics("credit")
PUSHING = {"webhook_networks": "127.0.0.0/8", "webhook_plain_http": "true"}


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBus]:
    with secured_bus(tmp_path_factory.mktemp("secured")) as found:
        yield found


def entries_of_ledger(bus: SecuredBus) -> int:
    """How many messages the ledger's topic has, as the operator sees it."""
    operator = bus.settings("operator")
    with closing(Consumer({**operator.kafka.config(), "group.id": "credit.counting"})) as reader:
        return sum(end for _, end in watermarks(reader, [(TOPICS.ledger, 0)]).values())


def test_a_record_goes_all_the_way_with_every_process_allowed_its_own_part_only(
    bus: SecuredBus, tmp_path: Path
) -> None:
    operator = bus.settings("operator")
    administrator(bus).acl_log_reset()  # of what other tests of this bus were denied
    with ExitStack() as stack, connect(operator.redis) as client:
        desks = stack.enter_context(Desks())
        keys = load_signing_keys(operator, embedded=False)
        desks.desks[FIN].keys = [keys.endpoint_key(FIN, 1).public_text]
        EndpointStore(client).add(Endpoint(department=FIN, url=desks.url(FIN), key_id=keys.newest))
        tax, fin = (issue(RedisKeys(client), slug, "test", datetime.now(UTC))[0] for slug in (TAX, FIN))

        gateway, portal = free_port(), free_port()
        for name, more in {
            "directory": {}, "standing": {}, "ledger": {}, "dispatcher": PUSHING, "gateway": {"gateway_port": str(gateway)},
        }.items():  # fmt: skip
            stack.enter_context(bus.running(name, tmp_path / f"{name}.log", **more))
        wait_until(lambda: any((tmp_path / "data" / "directory").rglob("*.sqlite*")), within_seconds=60)
        serves = {"portal_port": str(portal), "portal_plain_http": "true"}
        stack.enter_context(bus.running("portal", tmp_path / "portal.log", **serves))
        for port in (gateway, portal):
            wait_until(lambda port=port: listens(port), within_seconds=90)  # type: ignore[misc] # bound at once

        answer = Submitter(f"http://127.0.0.1:{gateway}", tax).submit(listing(0), Idempotency_Key="one")
        assert answer.status == 200, answer.body
        wait_until(lambda: bool(desks.desks[FIN].taken), within_seconds=60)  # standing, then dispatcher
        wait_until(lambda: entries_of_ledger(bus) > 0, within_seconds=60)
        checked = Client(f"http://127.0.0.1:{portal}", fin).post(
            "/v1/checks", {"subject": firm(1), "matter": "government_procurement"}
        )
        assert (checked.status, checked.body["answer"]) == (200, "refuse"), checked.body
        lies = answer.body["results"][0]
        client_of_tax = Client(f"http://127.0.0.1:{gateway}", tax)
        fate = client_of_tax.get(f"/v1/records/{lies['topic']}/{lies['partition']}/{lies['offset']}")
        assert (fate.status, fate.body["status"]) == (200, "accepted"), fate.body

        inbox = open_inbox(
            bus.brokers(FIN), TOPICS.out_of(FIN), Codec.from_files(SCHEMAS), group=f"{FIN}.desk", book=tmp_path / "book"
        )
        with inbox:
            notice = inbox.receive(timeout=30)
            assert notice is not None
            assert notice["subject"] == firm(1)
            inbox.confirm()
        time.sleep(1.0)  # a process that is denied something asks again at once
    assert not bus.denied()
    assert not [one for one in administrator(bus).acl_log() if one["username"] != "default"]
    forger = Producer({**bus.brokers("ledger").config(), "log_level": 0})  # that it would have been seen
    forger.produce(TOPICS.out_of(FIN), b"forged")
    forger.flush(30)
    wait_until(lambda: any("Principal = User:credit.ledger is Denied" in line for line in bus.denied()))


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def administrator(bus: SecuredBus) -> "redis.Redis":
    return connect(bus.stack.servers().redis)


def test_redis_allows_a_process_its_own_keys_only(bus: SecuredBus) -> None:
    with connect(bus.settings("gateway").redis) as gateway, connect(bus.settings("portal").redis) as portal:
        gateway.set("rate:x", 1)
        assert portal.get("{0}:s:org:x") is None, "it looks at standings"
        for act in (
            lambda: gateway.get("{0}:s:org:x"),
            lambda: gateway.hset("api-keys", "x", "y"),
            gateway.flushall,
            lambda: gateway.keys("*"),
            lambda: portal.set("{0}:s:org:x", "forged"),
            lambda: portal.eval("return redis.call('SET', KEYS[1], 'forged')", 1, "{0}:s:org:x"),
            portal.acl_list,
        ):
            with pytest.raises(redis.exceptions.NoPermissionError) as caught:
                act()
            assert translate_redis(caught.value).code == "redis_not_allowed"


def test_redis_lets_in_nobody_without_the_right_password(bus: SecuredBus) -> None:
    port = bus.ports["valkey"]
    for url in (f"redis://127.0.0.1:{port}/0", f"redis://credit.portal:wrong@127.0.0.1:{port}/0"):
        with connect(url) as client, pytest.raises(redis.exceptions.RedisError) as caught:
            client.get("x")
        told = translate_redis(caught.value)
        assert isinstance(told, FatalError)
        assert told.code == "redis_login_refused"


def test_users_of_redis_are_kept_and_a_password_is_changed_without_stopping(bus: SecuredBus) -> None:
    admin, name = administrator(bus), principal_of("credit", "risk-classes")
    assert apply_users(admin, "credit", bus.grants, {}).changed == ()
    old = bus.settings("risk-classes").redis
    current = bus.secured.principal(name).redis_password.read_text()
    new = old.replace(current, "the-next-one")
    with connect(old) as running:
        assert running.get("risk{0}:round") is None
        assert apply_users(admin, "credit", bus.grants, {name: (current, "the-next-one")}).changed == (name,)
        for url in (old, new):
            with connect(url) as one:
                assert one.get("risk{0}:round") is None, "both are good while processes are moved"
        assert apply_users(admin, "credit", bus.grants, {name: ("the-next-one",)}).changed == (name,)
        assert running.get("risk{0}:round") is None, "a connection that is open goes on"
    with connect(old) as late, pytest.raises(redis.exceptions.AuthenticationError):
        late.get("risk{0}:round")
    admin.acl_setuser("credit.gone-process", enabled=True)
    admin.acl_setuser("somebody", enabled=True)
    applied = apply_users(admin, "credit", bus.grants, {})
    assert (applied.removed, applied.saved) == (("credit.gone-process",), True)
    assert b"somebody" in admin.acl_users()
