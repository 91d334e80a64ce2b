"""Faults of Redis and its replicas."""

import time

from tests.faults.campaign.kinds.fault import Fault
from tests.faults.campaign.world import World

NOTICED_AFTER_SECONDS = 0.5
"""So long until somebody promotes a replica; Sentinel takes longer, which is not the bus's doing."""


class RedisFailsOver(Fault):
    """The primary is killed and a replica promoted; what it had not heard yet is lost."""

    __slots__ = ()
    kind = "Redis fails over"
    weight = 10

    def inject(self, world: World) -> None:
        self._lose_primary(world)

    def _lose_primary(self, world: World) -> None:
        redis = world.redis
        redis.processes[redis.primary].kill()
        time.sleep(NOTICED_AFTER_SECONDS)
        redis.promote(redis.others()[self.which % 2])

    def heal(self, world: World) -> None:
        for number, process in enumerate(world.redis.processes):
            if not process.pid:
                world.redis.come_back(number)


class RedisLosesWrites(RedisFailsOver):
    """The replicas are cut off, the bus goes on, then the primary is killed and a replica promoted that knows nothing of it."""

    __slots__ = ()
    kind = "Redis loses writes"
    weight = 10
    lasting = (0.5, 3.0)

    @property
    def detail(self) -> str:
        return f"of {self.seconds} s"

    def inject(self, world: World) -> None:
        world.redis.detach()
        time.sleep(self.seconds)
        self._lose_primary(world)


class RedisKilled(Fault):
    """The primary is killed and comes back with what its append-only file has; nobody is promoted."""

    __slots__ = ()
    kind = "Redis killed"
    weight = 8

    def inject(self, world: World) -> None:
        world.redis.processes[world.redis.primary].kill()

    def heal(self, world: World) -> None:
        primary = world.redis.processes[world.redis.primary]
        primary.start()
        primary.wait_ready()


class RedisDiskFull(Fault):
    """The primary's files may not grow any more: it refuses writes until there is room."""

    __slots__ = ()
    kind = "Redis' disk full"
    weight = 4
    lasting = (2.0, 5.0)

    def inject(self, world: World) -> None:
        world.redis.processes[world.redis.primary].limit_files(1)

    def heal(self, world: World) -> None:
        world.redis.processes[world.redis.primary].limit_files()


class RedisStopped(Fault):
    """The primary stands still for a while."""

    __slots__ = ()
    kind = "Redis stopped"
    weight = 5
    lasting = (0.5, 4.0)

    def inject(self, world: World) -> None:
        world.redis.processes[world.redis.primary].pause()

    def heal(self, world: World) -> None:
        world.redis.processes[world.redis.primary].resume()
