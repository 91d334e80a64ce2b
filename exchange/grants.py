"""Who may do what on the bus's servers: each department, and each process, by what its code reads and writes. Pure.

Kafka's access control lists (`exchange.kafka_acl`) and Redis' (`exchange.redis_acl`) are both made of this table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.bridge import to_away, to_home
from exchange.settings import Settings
from exchange.topics import Topics

INBOX_GROUP = "inbox-http"
"""Readers that belong to no group bear this name."""


@dataclass(frozen=True, slots=True, order=True)
class Names:
    """One name, or all that begin with it."""

    name: str
    prefixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one principal may do; nothing else.

    Attributes:
        reads: topics that it consumes.
        writes: topics that it produces to.
        makes: topics that it may create and set, beside reading and writing them.
        joins: groups that it is a member of, or commits for.
        asks: groups whose offsets it asks for, or whose name it only bears.
        transactions: transactional ids that it writes under.
        governs: whether it makes topics and access control lists.
        keys: Redis' keys that it reads and writes, as patterns.
        looks_at: Redis' keys that it only reads.
        holds: settings with keys of the bus that it needs.
    """

    reads: tuple[Names, ...] = ()
    writes: tuple[Names, ...] = ()
    makes: tuple[Names, ...] = ()
    joins: tuple[Names, ...] = ()
    asks: tuple[Names, ...] = ()
    transactions: tuple[Names, ...] = ()
    governs: bool = False
    keys: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()


STANDINGS = "{[0-9]*}:*"
"""Everything of the standing processors: standings, records, timers, outbox, cursor."""
DELIVERIES = "w{*}:*"
ENDPOINTS = ("webhooks", "webhooks:failing")
API_KEYS = "api-keys"
REGISTRY_TOPICS = ("kafkasql-journal", "kafkasql-snapshots", "registry-events")
"""Where an Apicurio registry keeps its schemas; it makes them itself, and reads them in a new group `apicurio-…` at each start."""


def principal_of(prefix: str, name: str) -> str:
    """The name that a department or a process is known by to the servers.

    >>> principal_of("credit", "gd.tax"), principal_of("credit", "standing")
    ('credit.gd.tax', 'credit.standing')
    """
    return f"{prefix}.{name}"


def grants(
    prefix: str, departments: Iterable[str], *, operator: str, group: str, away: Iterable[str] = ()
) -> Mapping[str, Grant]:
    """Every principal of a bus with what it may do.

    Args:
        prefix: of the bus's topics.
        departments: slugs of the catalogue.
        operator: department that runs the bus, in whose name receipts and warnings are published.
        group: of the standing processors, after the prefix.
        away: departments that a bridge reaches; there is a principal for it where there are any.
    """
    topics, away = Topics(prefix), sorted(away)
    named = {slug: department_grant(topics, slug) for slug in departments} | process_grants(
        topics, prefix, operator=operator, group=group
    )
    if away:
        named["bridge"] = bridge_grant(prefix, reads=to_away(topics, away), writes=to_home(topics, away))
    return {principal_of(prefix, name): grant for name, grant in sorted(named.items())}


def grants_of(settings: Settings, departments: Iterable[str]) -> Mapping[str, Grant]:
    """Every principal of the bus that a process's settings describe; see `grants`."""
    return grants(
        settings.topic_prefix,
        departments,
        operator=settings.operator_department,
        group=settings.group,
        away=away_departments(settings),
    )


def away_departments(settings: Settings) -> tuple[str, ...]:
    """Slugs of the departments whose Kafka is another region's."""
    return tuple(sorted({one.strip() for one in settings.away_departments.split(",")} - {""}))


def away_grants(prefix: str, away: Iterable[str]) -> Mapping[str, Grant]:
    """Every principal of a bus in the cluster of a neighbour: the departments that are there, and the bridge."""
    topics, away = Topics(prefix), sorted(away)
    named = {slug: department_grant(topics, slug) for slug in away}
    named["bridge"] = bridge_grant(prefix, reads=to_home(topics, away), writes=to_away(topics, away))
    return {principal_of(prefix, name): grant for name, grant in sorted(named.items())}


def bridge_grant(prefix: str, *, reads: Iterable[str], writes: Iterable[str]) -> Grant:
    """MirrorMaker in one cluster: it copies these topics, and keeps its own beside them (`exchange.bridge`)."""
    own = f"{prefix}.bridge."
    return Grant(
        reads=tuple(map(Names, reads)), writes=tuple(map(Names, writes)), makes=(Names(own, prefixed=True),),
        joins=(Names(own, prefixed=True),),
        transactions=(Names(own, prefixed=True), Names(f"connect-cluster-{own}", prefixed=True)),
    )  # fmt: skip


def department_grant(topics: Topics, slug: str) -> Grant:
    """A department writes its own records, and reads its own notices and rejections (design 3)."""
    own = topics.out_of(slug)
    return Grant(
        reads=(Names(own), Names(topics.rejected_of(slug))),
        writes=(Names(topics.into(slug)),),
        joins=(Names(slug), Names(f"{slug}.", prefixed=True), Names(f"{own}.", prefixed=True)),
        holds=("person_keys",),
    )


def process_grants(topics: Topics, prefix: str, *, operator: str, group: str) -> dict[str, Grant]:
    """Each process of the bus, by the name it has after `creditbus run`; `operator` is who runs the other commands."""
    inputs, notices = Names(topics.into(""), prefixed=True), Names(topics.out_of(""), prefixed=True)
    rejections, internal = Names(topics.rejected_of(""), prefixed=True), Names(topics.internal)
    standing, receipts = Names(topics.standing), Names(topics.into(operator))
    everything = (inputs, notices, rejections, standing)

    def groups(name: str) -> tuple[Names, ...]:
        return Names(f"{prefix}.{name}"), Names(f"{prefix}.{name}.", prefixed=True)

    warning = Names(f"{prefix}.early-warning", prefixed=True)
    windows = Names(topics.windows)
    return {
        "standing": Grant(
            reads=(*everything, internal), writes=(notices, rejections, standing, internal), joins=groups(group),
            transactions=(Names(f"{prefix}.{group}.", prefixed=True),), keys=(STANDINGS,),
        ),
        "ledger": Grant(
            reads=(*everything, Names(topics.ledger)), writes=(Names(topics.ledger),), joins=groups("ledger"),
            transactions=(Names(f"{prefix}.ledger.", prefixed=True),), holds=("signing_keys",),
        ),
        "dispatcher": Grant(
            reads=(notices,), writes=(receipts,), joins=groups("dispatcher"), keys=(DELIVERIES, *ENDPOINTS),
            holds=("signing_keys",),
        ),
        "inbox": Grant(
            reads=(notices,), writes=(inputs,), asks=(Names(INBOX_GROUP),), looks_at=(API_KEYS,),
        ),
        "gateway": Grant(
            reads=(inputs, rejections), writes=(inputs,), asks=groups(group), keys=("idempotency:*", "rate:*"), looks_at=(API_KEYS,),
        ),
        "portal": Grant(
            reads=(inputs, notices, rejections, Names(topics.access)), writes=(inputs, Names(topics.access)),
            asks=(Names(INBOX_GROUP),),
            keys=(
                "{check}:*", "session:*", "sign-in:*", "limit:*", "accounts", "accounts:signed-in", API_KEYS, *ENDPOINTS,
                "corrections:*", "access-log", "access-log:drainer", "{[0-9]*}:timers", "{[0-9]*}:cursor",
            ),
            looks_at=(STANDINGS, DELIVERIES, "risk{*}:*"), holds=("signing_keys", "person_keys", "portal_keys"),
        ),
        "directory": Grant(reads=(inputs,), asks=groups("directory")),
        "deadlines": Grant(reads=(inputs,), asks=groups("deadlines")),
        "archive": Grant(reads=everything, asks=groups("archive")),
        "risk-classes": Grant(
            reads=(inputs, internal), writes=(Names(topics.into(CLASSING)),), joins=groups("risk-classes"),
            keys=("risk{*}:*",), looks_at=(STANDINGS,),
        ),
        "early-warning": Grant(
            reads=(inputs,), writes=(receipts,), makes=(warning, windows), joins=(warning,), asks=groups("recount"),
        ),
        "open-data": Grant(looks_at=(STANDINGS,)),
        "registry": Grant(makes=tuple(map(Names, REGISTRY_TOPICS)), joins=(Names("apicurio-", prefixed=True),)),
        "operator": Grant(
            makes=(Names(f"{prefix}.", prefixed=True),), joins=(Names(f"{prefix}.", prefixed=True), Names(INBOX_GROUP)),
            transactions=(Names(f"{prefix}.", prefixed=True),), governs=True, keys=("*",),
            holds=("signing_keys", "person_keys", "portal_keys"),
        ),
    }  # fmt: skip


CLASSING = "gd.amr"
"""Department in whose name risk classes are published."""
