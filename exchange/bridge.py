"""The bridge to a neighbouring region: what MirrorMaker 2 is told, as the text of its properties. Pure.

A department whose broker is another region's is *away*. Each of its topics has one home and one copy: notices and rejections are
written in the bus's own cluster and copied to the away one, its records the other way. Names stay, and nothing is copied both
ways, so nothing can go in a circle (decision 104). Settings: Kafka's documentation, "Geo-replication", KIP-382, KIP-618, KIP-710.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from exchange.errors import RequestError
from exchange.java_properties import escaped
from exchange.topics import REJECTION_BYTES, Topics

POLICY = "org.apache.kafka.connect.mirror.IdentityReplicationPolicy"
HOME, AWAY = "home", "away"
"""What MirrorMaker calls the bus's own cluster, and the neighbour's."""
NAME = re.compile(r"[a-z][a-z0-9-]*")
DISCOVERY = "service_load"
"""All that is needed declares itself: the class path need not be searched, which takes half of the start."""
REFRESH_SECONDS = 60
"""How often MirrorMaker looks for topics: they are all made before it starts."""
SESSION_MS, HEARTBEAT_MS = 6000, 2000
"""After so long a worker that was killed is given up; the brokers' own limit allows no less."""
REQUEST_BYTES = 2 * REJECTION_BYTES
"""A rejection is larger than a Kafka producer sends by default."""
HEAD = """\
# MirrorMaker 2, dedicated: connect-mirror-maker.sh THIS-FILE. Made by `creditbus bridge write`; written anew rather than edited.
# Passwords and keys are not in it: they are read, where MirrorMaker runs, from the files and variables it names.
"""


def to_away(topics: Topics, departments: Iterable[str]) -> list[str]:
    """Topics of away departments that are written in the bus's own cluster and copied to the away one."""
    return [of(slug) for slug in sorted(departments) for of in (topics.out_of, topics.rejected_of)]


def to_home(topics: Topics, departments: Iterable[str]) -> list[str]:
    """Topics of away departments that are written in the away cluster and copied to the bus's own."""
    return [topics.into(slug) for slug in sorted(departments)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two clusters.

    Attributes:
        client: what Kafka's Java clients are told (`exchange.java_client`); names where secrets are, has none.
        replication: copies of MirrorMaker's own topics there.
    """

    client: Mapping[str, str]
    replication: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A bridge of one bus to one neighbour.

    Attributes:
        prefix: of the bus's topics.
        name: of the neighbour, such as `gx`; a bus with two neighbours has two bridges.
        away: departments that are there.
    """

    prefix: str
    name: str
    away: tuple[str, ...]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise RequestError(
                f"{self.name!r} is no name for a bridge",
                code="bad_name",
                remedy="small letters, digits and -, such as gx",
            )
        if not self.away:
            raise RequestError(
                "no department is away",
                code="nobody_away",
                remedy="set CREDITBUS_AWAY_DEPARTMENTS=gd.customs,gd.pbc or give --away",
            )

    @property
    def own(self) -> str:
        """What begins the names of MirrorMaker's own topics, groups and transactions, in both clusters.

        MirrorMaker's own default has the source cluster's name only: two buses between the same clusters would be one another's.
        """
        return f"{self.prefix}.bridge.{self.name}"

    @property
    def offsets(self) -> str:
        """The topic, in each cluster, in which MirrorMaker keeps how far it has copied from the other."""
        return f"{self.own}.offsets"

    def to_away(self) -> list[str]:
        """Topics copied from the bus's own cluster to the away one."""
        return to_away(Topics(self.prefix), self.away)

    def to_home(self) -> list[str]:
        """Topics copied from the away cluster to the bus's own."""
        return to_home(Topics(self.prefix), self.away)

    def properties(self, home: Side, away: Side, *, listener: str) -> str:
        """The text of the properties.

        Args:
            home: the bus's own cluster.
            away: the neighbour's.
            listener: where the workers of one bridge reach each other, as exactly-once needs.
        """
        sides = {HOME: home, AWAY: away}
        told = {
            "clusters": f"{HOME},{AWAY}",
            "dedicated.mode.enable.internal.rest": "true",
            "listeners": listener,
            "plugin.discovery": DISCOVERY,
            "replication.policy.class": POLICY,
            "refresh.topics.interval.seconds": str(REFRESH_SECONDS),
            # Topics are made by `creditbus bridge topics`, with the settings of `creditbus topics apply`: MirrorMaker alters nothing.
            "sync.topic.configs.enabled": "false",
            "sync.topic.acls.enabled": "false",
            "refresh.groups.enabled": "false",
            "emit.heartbeats.enabled": "false",
            # Else two bridges copy each other's: heartbeats, away.heartbeats, away.away.heartbeats, without end.
            "heartbeats.replication.enabled": "false",
            "emit.checkpoints.enabled": "false",
            "emit.offset-syncs.enabled": "false",
        }
        if providers := sorted(_providers(sides.values())):
            told["config.providers"] = ",".join(providers)
            told |= {f"config.providers.{one}.class": PROVIDERS[one] for one in providers}
        for alias, side in sides.items():
            told |= {f"{alias}.{key}": value for key, value in (*side.client.items(), *self._worker(side.replication))}
        told |= dict(self._flow(HOME, AWAY, self.to_away(), away.replication))
        told |= dict(self._flow(AWAY, HOME, self.to_home(), home.replication))
        return HEAD + "".join(f"{key} = {escaped(value)}\n" for key, value in told.items())

    def _worker(self, replication: int) -> Iterator[tuple[str, str]]:
        """Of the worker that writes to a cluster: it keeps there how far it is, in the transaction of what it copies."""
        yield "exactly.once.source.support", "enabled"
        yield "group.id", self.own
        yield "plugin.discovery", DISCOVERY
        for kind, topic in (("offset", "offsets"), ("config", "configs"), ("status", "status")):
            yield f"{kind}.storage.topic", f"{self.own}.{topic}"
            yield f"{kind}.storage.replication.factor", str(replication)
        yield "offset.storage.partitions", "1"
        yield "status.storage.partitions", "1"
        yield "session.timeout.ms", str(SESSION_MS)
        yield "heartbeat.interval.ms", str(HEARTBEAT_MS)
        yield "scheduled.rebalance.max.delay.ms", "0"  # else the work of a killed worker rests for five minutes
        yield "producer.max.request.size", str(REQUEST_BYTES)

    def _flow(self, source: str, target: str, topics: list[str], replication: int) -> Iterator[tuple[str, str]]:
        flow = f"{source}->{target}"
        yield f"{flow}.enabled", "true"
        yield f"{flow}.topics", ",".join(re.escape(topic) for topic in topics)
        yield f"{flow}.consumer.isolation.level", "read_committed"
        yield f"{flow}.consumer.auto.offset.reset", "earliest"
        yield f"{flow}.replication.factor", str(replication)
        # Empty: the connector makes it where it may, and beats for nobody.
        yield f"{flow}.heartbeats.topic.replication.factor", str(replication)


PROVIDERS = {
    "dir": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
    "env": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
}
"""How MirrorMaker finds secrets: a file's whole text, or a variable of its environment."""


def _providers(sides: Iterable[Side]) -> set[str]:
    texts = [value for side in sides for value in side.client.values()]
    return {one for one in PROVIDERS for text in texts if f"${{{one}:" in text}
