"""The border to Redis (or Valkey), one server or a cluster: clients, pipelines, and what errors mean for the bus.

Behind a cluster each command goes to the master that has the slot of its first key; every command of the bus has keys of one slot only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import redis
import redis.asyncio
from redis.asyncio.cluster import ClusterNode as AsyncNode
from redis.asyncio.cluster import RedisCluster as AsyncCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import ConnectionPool, parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisClusterException, RedisError
from redis.retry import Retry

from exchange.errors import CreditbusError
from exchange.redis_errors import REDIS_ERRORS, translate_redis

Command = tuple[Any, ...]
"""A command of Redis, such as `("GET", key)`."""

_CLUSTER = "+cluster"
_PATIENCE: dict[str, Any] = {"require_full_coverage": False, "retry": Retry(NoBackoff(), 1), "reinitialize_steps": 1}
"""A slot without a master is a reason to wait for those only who want something of it, and to wait is the processes' own work."""

_WITH_SCRIPT = frozenset({"EVAL", "EVALSHA", "EVALSHA_RO"})


class _Cluster(RedisCluster):
    """A cluster whose own errors are errors of Redis, as everybody expects them."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _as_redis_errors():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call] # redis-py leaves it untyped


class _AsyncCluster(AsyncCluster):
    """The same for event loops."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        with _as_redis_errors():
            return await super().execute_command(*args, **options)


def connect(url: str, *, timeout: float = 10.0) -> "redis.Redis":
    """A client.

    Args:
        url: `redis://host:port/db`, or `redis+cluster://host:port,host:port` with some nodes of a cluster; `rediss` means TLS.
        timeout: for an answer and for a connection, seconds.

    Raises:
        RetryLaterError: no node of the cluster answers.
    """
    options = _options(timeout)
    if not is_cluster(url):
        return redis.Redis.from_url(url, **options)
    nodes, of_url = parse_cluster(url)
    try:
        made = _Cluster(startup_nodes=[ClusterNode(*one) for one in nodes], **_PATIENCE, **options, **of_url)  # type: ignore[no-untyped-call] # likewise
    except REDIS_ERRORS as error:
        raise translate_redis(error) from error
    return cast("redis.Redis", made)  # it has the same commands


def connect_async_cluster(url: str, *, timeout: float) -> "redis.asyncio.Redis":
    """A client of a cluster for one event loop; it looks for the nodes at its first command."""
    nodes, of_url = parse_cluster(url)
    made = _AsyncCluster(startup_nodes=[AsyncNode(*one) for one in nodes], **_PATIENCE, **_options(timeout), **of_url)
    return cast("redis.asyncio.Redis", made)


def is_cluster(url: str) -> bool:
    """Whether a URL names a cluster."""
    return _CLUSTER in url.partition(":")[0]


def parse_cluster(url: str) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """The nodes and the clients' options that a cluster's URL names.

    >>> parse_cluster("rediss+cluster://bus:s3cret@a:7001,b?ssl_ca_certs=/ca.pem")
    ([('a', 7001), ('b', 6379)], {'ssl_ca_certs': '/ca.pem', 'username': 'bus', 'password': 's3cret', 'ssl': True})
    """
    scheme, _, rest = url.partition("://")
    where, _, query = rest.partition("?")
    account, _, hosts = where.rstrip("/").rpartition("@")
    options = _parse(f"redis://{account}@?{query}")
    if scheme == f"rediss{_CLUSTER}":
        options["ssl"] = True
    nodes = [_parse(f"redis://{host}") for host in hosts.split(",")]
    return [(one["host"], one.get("port", 6379)) for one in nodes], options


def _parse(url: str) -> dict[str, Any]:
    return dict(parse_url(url))  # type: ignore[no-untyped-call] # redis-py leaves it untyped


def run_pipeline(client: "redis.Redis", commands: Sequence[Command], scripts: Sequence[str]) -> list[Any]:
    """The answers to commands, in one round trip; run once more, with the scripts loaded, if a server has lost them.

    Raises:
        RetryLaterError: Redis is away.
        FatalError: `redis_refused`.
    """
    try:
        answers = _run(client, commands)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            for script in scripts:
                client.script_load(script)
            answers = _run(client, commands)
    except REDIS_ERRORS as error:
        raise translate_redis(error) from error
    for answer in answers:
        if isinstance(answer, RedisError):
            raise translate_redis(answer) from answer
    return answers


def _run(client: "redis.Redis", commands: Sequence[Command]) -> list[Any]:
    pipeline: Any = client.pipeline(transaction=False)
    cluster = _as_cluster(client)
    for command in commands:
        if cluster is None:
            pipeline.execute_command(*command)
        else:  # told where, or redis-py asks a server for the keys of each script's call
            pipeline.execute_command(*command, target_nodes=_node_of(cluster, command))
    answers: list[Any] = pipeline.execute(raise_on_error=False)
    return answers


def begin_pipeline(client: "redis.Redis", commands: Sequence[Command]) -> Callable[[], list[Any]]:
    """Send commands without waiting; what is returned waits for their answers and gives them, in the commands' order.

    Raises:
        RetryLaterError: Redis is away. Also where the answers are taken; then any of the commands may or may not have gone through,
            or a server has lost the script, which `run_pipeline` loads again.
    """
    unread: list[tuple[ConnectionPool, Any, list[int]]] = []

    def give_up(error: Exception) -> CreditbusError:
        for pool, connection, _ in unread:  # nobody must take the answers that were not read for his own
            connection.disconnect()
            pool.release(connection)
        unread.clear()
        return translate_redis(error)

    def take() -> list[Any]:
        answers: list[Any] = [None] * len(commands)
        try:
            while unread:
                pool, connection, numbers = unread[0]
                for number in numbers:
                    answers[number] = connection.read_response()
                del unread[0]
                pool.release(connection)
        except REDIS_ERRORS as error:
            raise give_up(error) from error
        return answers

    try:
        for pool, numbers in _by_pool(client, commands):
            connection: Any = pool.get_connection()
            unread.append((pool, connection, numbers))
            connection.send_packed_command(connection.pack_commands([commands[number] for number in numbers]))
    except REDIS_ERRORS as error:
        raise give_up(error) from error
    return take


def _by_pool(client: "redis.Redis", commands: Sequence[Command]) -> Iterable[tuple[ConnectionPool, list[int]]]:
    """The connections that commands go to, with their places in the sequence."""
    cluster = _as_cluster(client)
    if cluster is None:
        return [(client.connection_pool, list(range(len(commands))))]
    found: dict[str, tuple[ConnectionPool, list[int]]] = {}
    for number, command in enumerate(commands):
        node = _node_of(cluster, command)
        pool = cluster.get_redis_connection(node).connection_pool
        found.setdefault(node.name, (pool, []))[1].append(number)
    return found.values()


def _as_cluster(client: object) -> RedisCluster | None:
    return client if isinstance(client, RedisCluster) else None


def _node_of(client: RedisCluster, command: Command) -> ClusterNode:
    """The master that has a command's keys."""
    key = command[3 if command[0] in _WITH_SCRIPT else 1]
    return cast("ClusterNode", client.get_node_from_key(key))  # type: ignore[no-untyped-call] # likewise


def scan(client: "redis.Redis", tag: str, pattern: str, count: int) -> Iterator[bytes]:
    """Keys of a hash tag that fit a glob, each at least once; of a cluster only the master that has them is asked."""
    cluster = _as_cluster(client)
    where: dict[str, Any] = {} if cluster is None else {"target_nodes": _node_of(cluster, ("", tag))}
    try:
        yield from client.scan_iter(match=pattern, count=count, **where)
    except REDIS_ERRORS as error:
        raise translate_redis(error) from error


def _options(timeout: float) -> dict[str, Any]:
    return {"protocol": 3, "socket_timeout": timeout, "socket_connect_timeout": timeout}


@contextmanager
def _as_redis_errors() -> Iterator[None]:
    """A cluster without a master for a slot is away, for those who know only errors of Redis."""
    try:
        yield
    except RedisClusterException as error:
        raise RedisConnectionError(str(error)) from error
