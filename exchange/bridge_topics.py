"""The topics of a bridge, in both clusters, made before MirrorMaker starts; and what would make two buses one is refused."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from exchange.bridge import Bridge
from exchange.brokers import Brokers
from exchange.errors import RequestError, RetryLaterError
from exchange.kafka import REQUEST_SECONDS, SHOWN_AFTER_SECONDS, open_admin, reading, translate
from exchange.kafka_places import ends
from exchange.settings import Settings
from exchange.topics import Applied, Topics, make_topics


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeApplied:
    """What was found and done in each cluster."""

    home: Applied
    away: Applied


def apply_bridge(bridge: Bridge, home: Brokers, away: Brokers, settings: Settings) -> BridgeApplied:
    """Make a bridge's topics in both clusters, with the bus's own settings of them; may be run again at any time.

    Nothing is made before everything was looked at.

    Args:
        bridge: which departments are away.
        home: the bus's own cluster.
        away: the neighbour's.
        settings: of the bus: partitions, and copies in each cluster.

    Raises:
        RequestError: `same_cluster`, `same_prefix`, `would_mix`, `not_allowed`.
        FatalError: `partition_mismatch`.
        RetryLaterError: `kafka_unavailable`.
    """
    here, there = open_admin(home), open_admin(away)
    _check(bridge, (home, here), (away, there))
    copies = {"home": settings.replication, "away": settings.away_replication}
    names = (*bridge.to_home(), *bridge.to_away())
    done = {
        side: make_topics(admin, _wanted(bridge, names, number), settings.model_copy(update={"replication": number}))
        for (side, number), admin in zip(copies.items(), (here, there), strict=True)
    }
    return BridgeApplied(**done)


def _wanted(bridge: Bridge, names: Iterable[str], replication: int) -> dict[str, dict[str, str]]:
    configs = Topics(bridge.prefix).configs(bridge.away, replication=replication)
    return {name: configs[name] for name in names}


def _check(bridge: Bridge, home: tuple[Brokers, AdminClient], away: tuple[Brokers, AdminClient]) -> None:
    give_up_at = time.monotonic() + REQUEST_SECONDS
    while True:
        try:
            _check_apart(bridge, home[1], away[1])
            _check_mixing(bridge, *home, bridge.to_home(), "its own")
            _check_mixing(bridge, *away, bridge.to_away(), "the away")
        except KafkaException as error:
            told = translate(error, "looking at the bridge's topics")
        except RetryLaterError as error:
            told = error
        else:
            return
        if not isinstance(told, RetryLaterError) or time.monotonic() > give_up_at:
            raise told
        time.sleep(SHOWN_AFTER_SECONDS)  # topics just made have no leader for a moment


def _check_apart(bridge: Bridge, here: AdminClient, there: AdminClient) -> None:
    ids: list[object] = [admin.list_topics(timeout=REQUEST_SECONDS).cluster_id for admin in (here, there)]
    if ids[0] == ids[1]:
        raise RequestError(
            f"both sides are one cluster ({ids[0]})",
            code="same_cluster",
            remedy="let CREDITBUS_AWAY_KAFKA be the neighbour's",
        )
    if Topics(bridge.prefix).standing in there.list_topics(timeout=REQUEST_SECONDS).topics:
        raise RequestError(
            f"the away cluster has a bus of the prefix {bridge.prefix} itself",
            code="same_prefix",
            remedy="buses that are bridged have different prefixes: CREDITBUS_TOPIC_PREFIX, see docs/regions.md",
        )


def _check_mixing(bridge: Bridge, kafka: Brokers, admin: AdminClient, names: list[str], whose: str) -> None:
    """Refuse a topic that is to be a copy and has messages which the bridge did not bring."""
    full = sorted(_with_messages(admin, names) - _copied(bridge, kafka, admin))
    if full:
        raise RequestError(
            f"{full[0]} in {whose} cluster is to be a copy, and has messages of its own"
            + (f"; so have {len(full) - 1} more" if len(full) > 1 else ""),
            code="would_mix",
            remedy="where a department wrote or was told before it was away, see docs/regions.md",
        )


def _with_messages(admin: AdminClient, names: list[str]) -> set[str]:
    found = admin.list_topics(timeout=REQUEST_SECONDS).topics
    places = [(name, number) for name in names if name in found for number in found[name].partitions]
    return {topic for (topic, _), end in ends(admin, places, within_seconds=REQUEST_SECONDS).items() if end > 0}


def _copied(bridge: Bridge, kafka: Brokers, admin: AdminClient) -> set[str]:
    """Topics of which MirrorMaker has copied something into a cluster, by what it keeps there."""
    if bridge.offsets not in admin.list_topics(timeout=REQUEST_SECONDS).topics:
        return set()
    consumer = Consumer(reading(kafka, bridge.own) | {"enable.partition.eof": True})
    consumer.assign([TopicPartition(bridge.offsets, 0, 0)])
    found = set()
    try:
        while message := consumer.poll(REQUEST_SECONDS):
            if message.error():
                break  # the end
            found.add(_topic_of(message.key() or b""))
    finally:
        consumer.close()
    return found


def _topic_of(key: bytes) -> str:
    """The topic that one of Connect's offsets is of: `["MirrorSourceConnector",{"cluster":…,"partition":0,"topic":…}]`."""
    try:
        _, place = json.loads(key)
    except ValueError:
        return ""
    return str(place.get("topic", "")) if isinstance(place, Mapping) else ""
