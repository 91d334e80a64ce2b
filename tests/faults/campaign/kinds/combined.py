"""Two faults at once."""

import random
import time
from dataclasses import dataclass
from typing import Self

from tests.faults.campaign.kinds import of_brokers, of_network, of_processes, of_redis
from tests.faults.campaign.kinds.fault import Fault
from tests.faults.campaign.world import World

FIRST = (
    of_processes.ProcessorKilled,
    of_processes.ProcessorStopped,
    of_processes.BothProcessorsKilled,
    of_processes.DispatcherKilled,
)
SECOND = (
    of_brokers.BrokerKilled, of_brokers.ControllerKilled, of_brokers.BrokerHiccup, of_redis.RedisFailsOver, of_redis.RedisLosesWrites,
    of_redis.RedisKilled, of_network.ClientHeld, of_network.BrokersCut, of_network.RedisCut,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined(Fault):
    """A fault of a process while a server or the network has one too."""

    kind = "two at once"
    weight = 15

    faults: tuple[Fault, Fault]

    @classmethod
    def draw(cls, chance: random.Random) -> Self:
        faults = (chance.choice(FIRST).draw(chance), chance.choice(SECOND).draw(chance))
        return cls(which=0, seconds=max(one.seconds for one in faults), faults=faults)

    @property
    def detail(self) -> str:
        return " and ".join(f"{one.kind} ({one.detail})" for one in self.faults)

    def inject(self, world: World) -> None:
        for one in self.faults:
            one.inject(world)
            time.sleep(0.2)

    def heal(self, world: World) -> None:
        for one in self.faults:
            one.heal(world)
