"""Faults of the bus's own processes."""

import time

from tests.faults.campaign.kinds.fault import Fault
from tests.faults.campaign.probes import DESK
from tests.faults.campaign.processes import Process
from tests.faults.campaign.receivers import DESKS
from tests.faults.campaign.world import World


class OfProcessor(Fault):
    """A fault of one of the standing processors."""

    __slots__ = ()

    def processor(self, world: World) -> Process:
        """The one that is hit."""
        return world.processors[self.which % len(world.processors)]

    @property
    def detail(self) -> str:
        return ("one", "two")[self.which % 2]


class ProcessorKilled(OfProcessor):
    """kill -9; its supervisor starts it again within a second or so."""

    __slots__ = ()
    kind = "processor killed"
    weight = 30
    lasting = (0.2, 1.2)

    def inject(self, world: World) -> None:
        self.processor(world).kill()

    def heal(self, world: World) -> None:
        self.processor(world).start()


class ProcessorLost(ProcessorKilled):
    """kill -9, and it stays away for longer than its session: the other takes its partitions over."""

    __slots__ = ()
    kind = "processor lost"
    weight = 5
    lasting = (14.0, 17.0)


class ProcessorStopped(OfProcessor):
    """SIGSTOP for longer than its session: it wakes as a zombie."""

    __slots__ = ()
    kind = "processor stopped"
    weight = 6
    lasting = (11.0, 14.0)

    def inject(self, world: World) -> None:
        self.processor(world).pause()

    def heal(self, world: World) -> None:
        self.processor(world).resume()


class BothProcessorsKilled(Fault):
    """All standing processors at once."""

    __slots__ = ()
    kind = "all processors killed"
    weight = 4

    def inject(self, world: World) -> None:
        for process in world.processors:
            process.kill()

    def heal(self, world: World) -> None:
        for process in world.processors:
            process.start()


class RebalanceStorm(Fault):
    """Processors without a name join and leave, in good order and not: a rebalance each time."""

    __slots__ = ()
    kind = "rebalance storm"
    weight = 4
    lasting = (2.0, 4.0)

    def inject(self, world: World) -> None:
        for number in range(3):
            guest = world.guest()
            time.sleep(self.seconds)
            if (self.which + number) % 2:
                guest.kill()
            else:
                guest.stop()

    def heal(self, world: World) -> None:
        """They are gone already."""


class ClockJump(OfProcessor):
    """A processor's own clock jumps, back or on, for a while."""

    __slots__ = ()
    kind = "clock jump"
    weight = 6
    lasting = (0.5, 3.0)
    JUMPS = (-3600.0 * 5, -90.0, 45.0, 3600.0, 3600.0 * 13, 3600.0 * 30)

    @property
    def detail(self) -> str:
        return f"{('one', 'two')[self.which % 2]} {self.JUMPS[self.which]:+,.0f} s"

    def inject(self, world: World) -> None:
        world.set_clock(self.which % len(world.processors), self.JUMPS[self.which])

    def heal(self, world: World) -> None:
        world.set_clock(self.which % len(world.processors), 0)


class DispatcherKilled(Fault):
    """kill -9 of the dispatcher."""

    __slots__ = ()
    kind = "dispatcher killed"
    weight = 12
    seen_at = DESK

    def inject(self, world: World) -> None:
        world.dispatcher.kill()

    def heal(self, world: World) -> None:
        world.dispatcher.start()


class DispatcherStopped(DispatcherKilled):
    """SIGSTOP of the dispatcher for longer than its session."""

    __slots__ = ()
    kind = "dispatcher stopped"
    weight = 4
    lasting = (11.0, 13.0)

    def inject(self, world: World) -> None:
        world.dispatcher.pause()

    def heal(self, world: World) -> None:
        world.dispatcher.resume()


class SlowReceivers(Fault):
    """An endpoint answers slowly and another not at all, and a department that reads Kafka takes nothing."""

    __slots__ = ()
    kind = "slow receivers"
    weight = 6
    lasting = (1.0, 5.0)

    def inject(self, world: World) -> None:
        slow, dead = world.desks.desks[DESKS[2]], world.desks.desks[DESKS[1]]
        slow.slow_seconds = 2.0
        dead.answer = lambda: None
        world.readers[1].pause()

    def heal(self, world: World) -> None:
        slow, dead = world.desks.desks[DESKS[2]], world.desks.desks[DESKS[1]]
        slow.slow_seconds = 0.0
        dead.answer = lambda: (204, {})
        world.readers[1].resume()
