"""The operations that an operator may start from a page: each can be repeated, and none loses or sends anything twice.

What can do harm (rebuild, reset, changes of topics) is for the command line alone.
"""

import threading
from collections.abc import Callable

from exchange.endpoint_store import EndpointStore
from exchange.endpoints import State
from exchange.errors import RequestError
from exchange.http.problems import RefusedError
from exchange.settings import Settings
from exchange.store import Store
from exchange.topics import Topics


class SafeOperations:
    """Does them; each blocks.

    Args:
        settings: of the bus.
        store: of the standings.
        endpoints: of webhooks.
        now: milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, settings: Settings, store: Store, endpoints: EndpointStore, now: Callable[[], int]) -> None:
        self._partitions = range(settings.partitions)
        self._topics = Topics(settings.topic_prefix)
        self._store = store
        self._endpoints = endpoints
        self._now = now
        self._resyncing = threading.Lock()

    def resync(self) -> int:
        """Let everybody be judged again, as `creditbus resync` does; how many subjects.

        Raises:
            RefusedError: 409 `busy`: somebody has just asked for the same.
            RetryLaterError: Redis is away; what was made due stays so.
        """
        if not self._resyncing.acquire(blocking=False):
            raise RefusedError(
                409, "正在重新评判 a resync is under way", code="busy", remedy="等待其完成 wait for its end"
            )
        try:
            return sum(self._store.resync(number) for number in self._partitions)
        finally:
            self._resyncing.release()

    def release(self, department: str) -> int:
        """Let a department's topic go on, as `creditbus rejected release` does; in how many partitions it had been held."""
        topic = self._topics.into(department)
        return sum(self._store.release(number, topic) for number in self._partitions)

    def resume(self, department: str) -> int:
        """Push to a paused endpoint again, as `creditbus endpoints resume` does.

        Raises:
            RequestError: `unknown_endpoint`, or `not_paused`: nothing was changed.
        """
        endpoint = self._endpoints.find(department)
        if endpoint is not None and endpoint.state is not State.PAUSED:
            raise RequestError(
                f"{department} 的推送端点未暂停 its endpoint is {endpoint.state}, not paused", code="not_paused",
                remedy="重新打开运行监控页 open the operator page anew",
            )  # fmt: skip
        self._endpoints.change(department, lambda one: one.resumed(self._now()) if one.state is State.PAUSED else one)
        self._endpoints.succeeded(department)  # the days of failure begin anew
        return 1
