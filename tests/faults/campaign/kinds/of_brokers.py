"""Faults of Kafka's brokers."""

import time

from tests.faults.campaign.kinds.fault import Fault
from tests.faults.campaign.network import BROKERS
from tests.faults.campaign.processes import Process
from tests.faults.campaign.world import World


class OfBroker(Fault):
    """A fault of one of the brokers."""

    __slots__ = ()

    def number(self, _world: World) -> int:
        """Of the broker that is hit."""
        return self.which % len(BROKERS)

    def broker(self, world: World) -> Process:
        """The broker that is hit."""
        return world.brokers.processes[self.number(world)]

    @property
    def detail(self) -> str:
        return BROKERS[self.which % len(BROKERS)]

    def heal(self, world: World) -> None:
        for broker in world.brokers.processes:
            broker.start()
        for broker in world.brokers.processes:
            broker.wait_ready()


class BrokerKilled(OfBroker):
    """kill -9; back after some seconds."""

    __slots__ = ()
    kind = "broker killed"
    weight = 20
    lasting = (1.0, 6.0)

    def inject(self, world: World) -> None:
        self.broker(world).kill()


class ControllerKilled(OfBroker):
    """kill -9 of the broker whose controller leads, so that the quorum elects another. Which one that is shows only then."""

    __slots__ = ()
    kind = "controller killed"
    weight = 8
    lasting = (1.0, 6.0)

    @property
    def detail(self) -> str:
        return "the leading controller"

    def inject(self, world: World) -> None:
        world.brokers.processes[world.brokers.controller()].kill()


class BrokerStopped(OfBroker):
    """SIGSTOP for longer than the controller waits: its partitions are led by others, and it wakes with clients that believe in it."""

    __slots__ = ()
    kind = "broker stopped"
    weight = 6
    lasting = (6.0, 9.0)

    def inject(self, world: World) -> None:
        self.broker(world).pause()

    def heal(self, world: World) -> None:
        self.broker(world).resume()


class BrokerHiccup(BrokerStopped):
    """SIGSTOP for a moment, as a long collection of garbage."""

    __slots__ = ()
    kind = "broker hiccup"
    weight = 8
    lasting = (0.5, 2.5)


class LeadersMove(OfBroker):
    """A broker is restarted in good order; then each partition is given back to its preferred leader."""

    __slots__ = ()
    kind = "leaders move"
    weight = 6

    def inject(self, world: World) -> None:
        self.broker(world).stop()

    def heal(self, world: World) -> None:
        super().heal(world)
        world.brokers.wait_whole()
        world.brokers.elect_preferred()


class BrokerDiskFull(OfBroker):
    """No file of a broker may grow any more: its writes fail as on a full disk, and it ends. Room is made, and it is started again."""

    __slots__ = ()
    kind = "broker's disk full"
    weight = 4
    lasting = (4.0, 8.0)

    def inject(self, world: World) -> None:
        self.broker(world).limit_files(1)

    def heal(self, world: World) -> None:
        broker = self.broker(world)
        broker.limit_files()
        broker.kill()  # one that still hangs on is ended as an operator would
        super().heal(world)


class RollingRestart(OfBroker):
    """Everything is restarted in good order, one after the other, under load: brokers, Redis with its replicas, processors, dispatcher."""

    __slots__ = ()
    kind = "rolling restart"
    weight = 2
    lasting = (0.2, 0.5)

    @property
    def detail(self) -> str:
        return "everything"

    def inject(self, world: World) -> None:
        for broker in world.brokers.processes:
            broker.stop()
            time.sleep(self.seconds)
            broker.start()
            broker.wait_ready()
            world.brokers.wait_whole()
        for replica in world.redis.others():
            world.redis.processes[replica].stop()
            world.redis.come_back(replica)
            world.redis.wait_whole()
        before = world.redis.hand_over(world.redis.others()[0])
        world.redis.processes[before].stop()
        world.redis.come_back(before)
        for process in (*world.processors, world.dispatcher):
            process.stop()
            process.start()
            time.sleep(1)
