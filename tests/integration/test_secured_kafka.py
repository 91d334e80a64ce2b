"""The real broker, secured: who may do what, how principals come in, and what those are told who do not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AclBinding
from pydantic import SecretStr

from consumers.inbox import open_inbox
from deploy.local.authority import Authority
from deploy.local.principals import set_passwords
from exchange.brokers import Brokers
from exchange.codec import Codec
from exchange.errors import CreditbusError, RequestError
from exchange.kafka import open_admin
from exchange.kafka_acl import apply_acls, every_entry
from exchange.kafka_entry import check_entry
from exchange.paths import SCHEMAS
from exchange.topics import Topics
from producers.publisher import Publisher, UnconfirmedError
from tests.producing import listing
from tests.secured import PROBE_SECONDS as SECONDS
from tests.secured import SecuredBus, read, secured_bus, written
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
TOPICS = Topics("credit")
REFUSED = KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBus]:
    with secured_bus(tmp_path_factory.mktemp("secured")) as found:
        yield found


def test_every_department_writes_its_own_topic_and_reads_its_own_notices(bus: SecuredBus) -> None:
    def tried(number: int) -> list[str]:
        own, other = bus.departments[number], bus.departments[number - 1]
        brokers = bus.brokers(own)
        into, out, rejected = TOPICS.into(own), TOPICS.out_of(own), TOPICS.rejected_of(own)
        foreign, sees = [TOPICS.into(other), TOPICS.out_of(other)], set[str]()
        wanted = {
            "writes": ({into: 0, out: REFUSED} | dict.fromkeys(foreign, REFUSED), written(brokers, [into, out, *foreign], sees)),
            "sees": ({into, out, rejected}, sees),  # a topic that may not be described may not be read
            "reads": ({out: 0, rejected: 0, into: REFUSED}, read(brokers, own, [out, rejected, into])),
        }  # fmt: skip
        return [f"{own} {what}: {found}, not {meant}" for what, (meant, found) in wanted.items() if found != meant]

    with ThreadPoolExecutor(6) as pool:
        wrong = [one for found in pool.map(tried, range(len(bus.departments))) for one in found]
    assert not wrong


@pytest.mark.parametrize("group", ["gd.fin", "gd.taxx", "credit.standing", "credit.out.gd.fin.x"])
def test_a_department_joins_no_group_but_its_own(bus: SecuredBus, group: str) -> None:
    consumer = Consumer({**bus.brokers("gd.tax").config(), "group.id": group, "log_level": 0})
    consumer.subscribe([TOPICS.out_of("gd.tax")])
    try:
        message = consumer.poll(SECONDS)
    finally:
        consumer.close()
    assert message is not None
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED


@pytest.mark.parametrize("group", ["credit.out.gd.fin.watch.x", "gd.tax.x"])
def test_an_inbox_that_may_not_read_says_so_and_does_not_wait(bus: SecuredBus, tmp_path: Path, group: str) -> None:
    inbox = open_inbox(
        bus.brokers("gd.tax"), TOPICS.out_of("gd.fin"), Codec.from_files(SCHEMAS), group=group, book=tmp_path / "book"
    )
    with inbox, pytest.raises(RequestError) as caught:
        inbox.receive(timeout=SECONDS)
    assert caught.value.code == "not_allowed"
    assert "credit.out.gd.fin" in caught.value.line()


def test_a_certificate_is_as_good_as_a_password(bus: SecuredBus) -> None:
    assert written(bus.by_certificate("gd.tax"), [TOPICS.into("gd.tax"), TOPICS.into("gd.fin")]) == {
        TOPICS.into("gd.tax"): 0,
        TOPICS.into("gd.fin"): REFUSED,
    }


def refused(brokers: Brokers) -> str:
    """The code of the one line that whoever is refused is told."""
    with pytest.raises(RequestError) as caught:
        check_entry(brokers)
    assert "\n" not in caught.value.line()
    assert caught.value.remedy
    return caught.value.code


def with_certificate(bus: SecuredBus, folder: Path, authority: Authority, *, ended: bool = False) -> Brokers:
    now = datetime.now(UTC)
    issued = authority.issue("credit.gd.tax", days=1, now=now - timedelta(days=2) if ended else now)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(issued.certificate)
    key.write_bytes(issued.key)
    mine = bus.by_certificate("gd.tax")
    return Brokers(mine.address, protocol="SSL", ca=mine.ca, certificate=certificate, key=key)


def test_whoever_is_refused_is_told_why_in_one_line(bus: SecuredBus, tmp_path: Path) -> None:
    good = bus.brokers("gd.tax")
    stranger = Authority.make("somebody else")
    other_ca = tmp_path / "other.pem"
    other_ca.write_bytes(stranger.certificate)
    check_entry(good)
    assert refused(replace(good, password=SecretStr("wrong"))) == "kafka_login_refused"
    assert refused(replace(good, user="nobody")) == "kafka_login_refused"
    assert refused(replace(good, ca=other_ca)) == "kafka_broker_unknown"
    assert refused(Brokers(good.address)) == "kafka_wants_tls"
    assert refused(with_certificate(bus, tmp_path, stranger)) == "kafka_certificate_refused"
    assert refused(with_certificate(bus, tmp_path, bus.secured.authority(), ended=True)) == "kafka_certificate_refused"


def test_a_publisher_that_is_refused_says_so_and_not_that_kafka_is_away(bus: SecuredBus) -> None:
    wrong = bus.settings("gd.tax", kafka_password=SecretStr("wrong"), delivery_timeout_seconds=3.0)
    publisher = Publisher(wrong, "gd.tax", Codec.from_files(SCHEMAS), bus.catalogue)
    with suppress(UnconfirmedError), publisher:
        receipt = publisher.publish(listing(1), "listing")
        with pytest.raises(CreditbusError) as caught:
            receipt.result(SECONDS)
    assert caught.value.code == "kafka_login_refused"


def test_a_password_is_changed_without_stopping(bus: SecuredBus) -> None:
    topic, before = TOPICS.into("gd.eco"), bus.brokers("gd.eco")
    went: list[KafkaError | None] = []
    producer = Producer({**before.config(), "acks": "all", "log_level": 0})

    def publish() -> None:
        producer.produce(topic, b"x", on_delivery=lambda error, _: went.append(error))
        assert producer.flush(SECONDS) == 0

    publish()
    set_passwords(open_admin(bus.administrator), {"credit.gd.eco": "the next one"})
    publish()
    assert went == [None, None], "a connection that is open goes on"
    assert refused(before) == "kafka_login_refused", "who comes anew needs the new one"
    check_entry(replace(before, password=SecretStr("the next one")))
    set_passwords(open_admin(bus.administrator), {"credit.gd.eco": before.password.get_secret_value()})


def test_a_certificate_is_renewed_while_the_old_one_is_still_good(bus: SecuredBus, tmp_path: Path) -> None:
    renewed = with_certificate(bus, tmp_path, bus.secured.authority())
    for brokers in (bus.by_certificate("gd.tax"), renewed):
        assert written(brokers, [TOPICS.into("gd.tax")]) == {TOPICS.into("gd.tax"): 0}


def test_lists_are_kept_as_the_catalogue_means_them(bus: SecuredBus) -> None:
    admin = open_admin(bus.administrator)
    gone, foreign = ("User:credit.gd.gone", "*"), ("User:somebody", "*")
    deny = AclBinding("TOPIC", TOPICS.into("gd.tax"), "LITERAL", "User:credit.gd.tax", "10.0.0.1", "WRITE", "DENY")
    extra = [
        AclBinding("TOPIC", "credit.in.", "PREFIXED", user, host, "READ", "ALLOW") for user, host in (gone, foreign)
    ]
    for made in admin.create_acls([*extra, deny]).values():
        made.result()

    wait_until(
        lambda: apply_acls(admin, "credit", bus.grants, dry_run=True).removed != ()
    )  # the broker hears of it later
    would = apply_acls(admin, "credit", bus.grants, dry_run=True)
    assert ([str(one) for one in would.removed], would.added) == (
        ["User:credit.gd.gone may READ TOPIC credit.in.*"],
        (),
    )
    assert apply_acls(admin, "credit", bus.grants, dry_run=False).removed == would.removed, "a dry run changed nothing"
    again = apply_acls(admin, "credit", bus.grants, dry_run=False)
    assert (again.added, again.removed) == ((), ())
    less = {name: grant for name, grant in bus.grants.items() if name != "credit.gd.tax"}
    assert {one.principal for one in apply_acls(admin, "credit", less, dry_run=False).removed} == {"User:credit.gd.tax"}
    assert {one.principal for one in apply_acls(admin, "credit", bus.grants, dry_run=False).added} == {
        "User:credit.gd.tax"
    }
    for user in ("User:somebody", "User:credit.gd.tax"):
        kept = admin.describe_acls(every_entry(user)).result()
        assert any(one in [*extra, deny] for one in kept), "entries of others, and denials, are an operator's"
