"""The schedule: which faults come, in which order, drawn from a seed before anything runs."""

import random
from collections.abc import Sequence

from tests.faults.campaign.kinds import of_brokers, of_network, of_processes, of_redis
from tests.faults.campaign.kinds.combined import Combined
from tests.faults.campaign.kinds.fault import Fault

KINDS: tuple[type[Fault], ...] = (
    of_processes.ProcessorKilled, of_processes.ProcessorLost, of_processes.ProcessorStopped, of_processes.BothProcessorsKilled,
    of_processes.RebalanceStorm, of_processes.ClockJump, of_processes.DispatcherKilled, of_processes.DispatcherStopped,
    of_processes.SlowReceivers,
    of_brokers.BrokerKilled, of_brokers.ControllerKilled, of_brokers.BrokerStopped, of_brokers.BrokerHiccup, of_brokers.LeadersMove,
    of_brokers.BrokerDiskFull, of_brokers.RollingRestart,
    of_network.ClientCut, of_network.ClientHeld, of_network.ClientSlow, of_network.DispatcherCut, of_network.BrokersCut,
    of_network.BrokersHeld, of_network.BrokersSlow, of_network.BrokerAlone, of_network.RedisCut, of_network.RedisHeld,
    of_network.RedisSlow,
    of_redis.RedisFailsOver, of_redis.RedisLosesWrites, of_redis.RedisKilled, of_redis.RedisDiskFull, of_redis.RedisStopped,
    Combined,
)  # fmt: skip
"""Every kind there is."""


def named(names: Sequence[str]) -> tuple[type[Fault], ...]:
    """The kinds of these names; all where none is named.

    Raises:
        SystemExit: there is no such kind.
    """
    known = {kind.kind: kind for kind in KINDS}
    for name in names:
        if name not in known:
            raise SystemExit(f"no kind {name!r}; there are: {', '.join(known)}")
    return tuple(known[name] for name in names) or KINDS


def draw_schedule(seed: int, count: int, kinds: Sequence[type[Fault]] = KINDS) -> list[Fault]:
    """So many faults: first each kind once, in some order, then by their weights.

    The same arguments give the same faults, and fewer are the beginning of more.
    """
    chance = random.Random(seed)
    first = chance.sample(list(kinds), len(kinds))
    weights = [kind.weight for kind in kinds]
    faults = []
    for number in range(count):
        kind = first[number] if number < len(first) else chance.choices(kinds, weights)[0]
        faults.append(kind.draw(chance))
    return faults
