"""A Redis with two replicas, and the virtual address that follows its primary, as a proxy or a Kubernetes service does in production.

Promotion is scripted (`REPLICAOF NO ONE`), not Sentinel's: the same seed is to lose the same server at the same point. What matters to the
bus is the same: the address leads to a server that may know less than the one before.
"""

import time
from pathlib import Path

import redis

from deploy.local import valkey
from deploy.local.folder import Folder
from deploy.local.ports import HOST
from deploy.local.probe import ONCE, redis_answers
from tests.faults.campaign.network import REDIS, Network
from tests.faults.campaign.processes import Process
from tests.waiting import wait_until

NAMES = ("redis-1", "redis-2", "redis-3")
OPTIONS = ["--repl-diskless-sync-delay", "0", "--repl-timeout", "10", "--repl-ping-replica-period", "1"]


class Replicas:
    """The three servers; one of them is the primary.

    Args:
        home: folder for data and logs.
        network: their links.
    """

    def __init__(self, home: Path, network: Network) -> None:
        self._network = network
        self.ports = [network.free_port() for _ in NAMES]
        self.primary = 0
        self.processes = [self._process(home, number) for number in range(len(NAMES))]
        for source in range(len(NAMES)):
            for target in range(len(NAMES)):
                if source != target:
                    network.link(NAMES[source], NAMES[target], self.ports[target])

    def _process(self, home: Path, number: int) -> Process:
        folder = Folder(root=home / NAMES[number])
        folder.create()
        argv = [*valkey.command(folder, port=self.ports[number]), *OPTIONS]
        return Process(NAMES[number], argv, folder.output_of("valkey"), is_ready=lambda: self._answers(number))

    def _answers(self, number: int) -> bool:
        return redis_answers(f"redis://{HOST}:{self.ports[number]}", within_seconds=2)

    def start(self) -> None:
        """All three, the first as primary."""
        for process in self.processes:
            process.start()
        for process in self.processes:
            process.wait_ready()
        for number in self.others():
            self.follow(number)
        self.wait_whole()

    def address(self, client: str) -> str:
        """The URL by which a client finds whoever is the primary."""
        return f"redis://{self._network.link(client, REDIS, self.ports[self.primary], client)}/0"

    def direct(self) -> str:
        """The primary's own URL, past the network: for the oracle."""
        return f"redis://{HOST}:{self.ports[self.primary]}/0"

    def others(self) -> list[int]:
        """Numbers of the replicas."""
        return [number for number in range(len(NAMES)) if number != self.primary]

    def follow(self, number: int) -> None:
        """Make a server a replica of the primary, by their link."""
        host, port = self._network.link(NAMES[number], NAMES[self.primary], self.ports[self.primary]).split(":")
        with self._client(number) as client:
            client.execute_command("REPLICAOF", host, port)

    def detach(self) -> None:
        """The replicas hear nothing more of the primary: what is written from now on only the primary has."""
        for number in self.others():
            self._network.cut(NAMES[number], NAMES[self.primary])

    def promote(self, number: int) -> int:
        """A replica becomes the primary, the address leads to it, the other replica follows it; number of the old primary."""
        before, self.primary = self.primary, number
        with self._client(number) as client:
            client.execute_command("REPLICAOF", "NO", "ONE")
        for other in self.others():
            self._network.mend(NAMES[other], NAMES[before])
            if other != before:
                self.follow(other)
        self._network.mend(NAMES[number], NAMES[before])
        self._network.aim(REDIS, self.ports[number])
        return before

    def hand_over(self, number: int) -> int:
        """As `promote`, in good order: writes wait until the replica has everything; number of the old primary."""
        with self._client(self.primary) as client:
            client.execute_command("CLIENT", "PAUSE", "10000", "WRITE")
            client.wait(len(NAMES) - 1, 5000)
        return self.promote(number)

    def come_back(self, number: int) -> None:
        """A server that was lost comes back as a replica; what it knew beyond the primary is gone."""
        self.processes[number].start()
        self.processes[number].wait_ready()
        self.follow(number)

    def are_whole(self) -> bool:
        """Whether both replicas are in step with the primary."""
        try:
            with self._client(self.primary) as client:
                found = client.info("replication")
        except (redis.RedisError, OSError):
            return False
        states = [found.get(f"slave{n}", {}).get("state") for n in range(len(NAMES) - 1)]
        return found["role"] == "master" and states == ["online"] * (len(NAMES) - 1)

    def wait_whole(self, within_seconds: float = 240) -> None:
        """Until both replicas are in step."""
        wait_until(self.are_whole, "Redis' replicas are in step", within_seconds=within_seconds)

    def _client(self, number: int) -> redis.Redis:
        until = time.monotonic() + 60
        while not self._answers(number) and time.monotonic() < until:
            time.sleep(0.05)
        return redis.Redis(HOST, self.ports[number], socket_timeout=5, socket_connect_timeout=5, retry=ONCE)
