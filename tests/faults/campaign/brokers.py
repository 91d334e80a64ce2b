"""Three Kafka brokers that are controllers too, from the embedded stack's jars: every topic in three copies, two of which must be in step.

Each broker has a listener for each source, so that each link between two places has its own proxy: `BROKER1` is where broker 1 comes from,
`CONTROLLER1` where its controller does, `ONE` is for the processor of that name. What is advertised are the proxies.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from confluent_kafka import ElectionType, KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local import kafka
from deploy.local.folder import Folder
from deploy.local.jars import fetch, locked_jars
from deploy.local.ports import HOST
from deploy.local.progress import silent
from exchange.brokers import Brokers as Address
from exchange.kafka import open_admin
from exchange.settings import Settings
from tests.faults.campaign.network import BROKERS, CLIENTS, Network
from tests.faults.campaign.processes import Process
from tests.waiting import wait_until

JAVA_OPTIONS = "-Xmx320m -Xms128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
LOADED = "departments"
"""The client whose listener the campaign itself comes by."""
COPIES = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    # Two cores carry all of it: a broker that has to wait for them is not dead yet.
    "broker.session.timeout.ms": "4000",
    # A copy that does not follow leaves those that are waited for after so long, not after half a minute (docs/faults.md).
    "replica.lag.time.max.ms": "5000",
    "replica.socket.timeout.ms": "5000",
    # Leaders move only when the campaign moves them.
    "auto.leader.rebalance.enable": "false",
    "num.network.threads": "1",
    "controlled.shutdown.max.retries": "1",
    "transaction.max.timeout.ms": "60000",
}


class Brokers:
    """The three, numbered from 0 as `BROKERS` names them.

    Args:
        home: folder for data and logs.
        network: their links.
    """

    def __init__(self, home: Path, network: Network) -> None:
        self._network = network
        self._jars = fetch(locked_jars(), Settings().cache, maven_url=Settings().maven_url, advance=silent)
        self._folders = [Folder(root=home / name) for name in BROKERS]
        self._ports = [{name: network.free_port() for name in _listeners()} for _ in BROKERS]
        self.processes: list[Process] = []

    def prepare(self) -> None:
        """Write their settings and give them their storage; the links are still to be opened."""
        cluster_id = kafka.new_cluster_id()
        prepared = [(folder, self._write(number)) for number, folder in enumerate(self._folders)]
        with ThreadPoolExecutor() as pool:
            list(
                pool.map(lambda one: kafka.format_storage(one[0], self._jars, one[1], cluster_id=cluster_id), prepared)
            )
        self.processes = [self._process(number, settings) for number, (_, settings) in enumerate(prepared)]

    def _write(self, number: int) -> Path:
        self._folders[number].create()
        changes = self._settings(number)
        return kafka.write_settings(self._folders[number], port=0, controller_port=0, changes=changes)

    def _process(self, number: int, settings: Path) -> Process:
        folder = self._folders[number]
        argv = kafka.command(folder, self._jars, settings, java_options=JAVA_OPTIONS)
        return Process(
            BROKERS[number], argv, folder.output_of("kafka"), environment=kafka.LOCALE, is_ready=lambda: self.serves(number)
        )  # fmt: skip

    def bootstrap(self, client: str) -> str:
        """Where a client finds the brokers."""
        return ",".join(
            self._network.link(client, name, self._ports[number][client.upper()], client)
            for number, name in enumerate(BROKERS)
        )

    def admin(self) -> AdminClient:
        """For the campaign itself; goes by the departments' links."""
        return open_admin(Address(self.bootstrap(LOADED)))

    def serves(self, number: int) -> bool:
        """Whether a broker is there for its cluster, not merely running; asked past the network."""
        try:
            found = open_admin(Address(f"{HOST}:{self._ports[number][LOADED.upper()]}")).list_topics(timeout=3)
        except KafkaException:
            return False
        return number + 1 in found.brokers

    def are_whole(self) -> bool:
        """Whether every copy of every partition is in step, and each partition has a leader."""
        for number, process in enumerate(self.processes):
            if not process.pid:
                return False
            try:
                found = open_admin(Address(f"{HOST}:{self._ports[number][LOADED.upper()]}")).list_topics(timeout=5)
            except KafkaException:
                return False
            partitions = [one for topic in found.topics.values() for one in topic.partitions.values()]
            if len(found.brokers) < len(BROKERS) or any(
                one.leader < 0 or len(one.isrs) < len(one.replicas) for one in partitions
            ):
                return False
        return True

    def wait_whole(self, within_seconds: float = 240) -> None:
        """Until the cluster is as it should be."""
        wait_until(self.are_whole, "all copies are in step", within_seconds=within_seconds)

    def controller(self) -> int:
        """Number of the broker whose controller leads, by the quorum's own file."""
        for folder in self._folders:
            path = folder.kafka_data / "__cluster_metadata-0" / "quorum-state"
            leader = json.loads(path.read_text()).get("leaderId", -1) if path.is_file() else -1
            if leader > 0:
                return int(leader) - 1
        return 0

    def elect_preferred(self) -> int:
        """Give each partition back to its first copy; how many moved."""
        # Without time limits: confluent-kafka 2.16 cannot take them here ("more argument specifiers than keyword list entries").
        admin = self.admin()  # kept until the answer is there
        elected = admin.elect_leaders(ElectionType.PREFERRED, None).result()
        return sum(error is None for error in elected.values())

    def _settings(self, number: int) -> dict[str, str]:
        """What one broker has otherwise than a broker alone."""
        own, ports = number + 1, self._ports[number]
        others = [n for n in range(len(BROKERS)) if n != number]
        advertised = {name: self._link_to(number, name) for name in _listeners()}
        voters = {n: self._network.link(BROKERS[number], BROKERS[n], self._ports[n][f"CONTROLLER{own}"], "controller") for n in others}  # fmt: skip
        voters[number] = f"{HOST}:{ports[f'CONTROLLER{own}']}"
        # The first is the one that this broker goes by.
        controllers = [f"CONTROLLER{own}", *(f"CONTROLLER{n + 1}" for n in others)]
        return COPIES | {
            "node.id": str(own),
            "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items()),
            "advertised.listeners": ",".join(f"{name}://{where}" for name, where in advertised.items()),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in ports),
            "inter.broker.listener.name": f"BROKER{own}",
            "controller.listener.names": ",".join(controllers),
            "controller.quorum.voters": ",".join(f"{n + 1}@{voters[n]}" for n in sorted(voters)),
        }

    def _link_to(self, number: int, listener: str) -> str:
        """What a broker advertises for a listener: the proxy by which its source comes; a broker comes to itself directly."""
        target = self._ports[number][listener]
        for n, name in enumerate(BROKERS):
            for kind in ("broker", "controller"):
                if listener == f"{kind.upper()}{n + 1}":
                    return f"{HOST}:{target}" if n == number else self._network.link(name, BROKERS[number], target, kind)  # fmt: skip
        return self._network.link(listener.lower(), BROKERS[number], target, listener.lower())


def _listeners() -> Iterator[str]:
    """Names of every broker's listeners."""
    for number in range(1, len(BROKERS) + 1):
        yield f"BROKER{number}"
        yield f"CONTROLLER{number}"
    for client in CLIENTS:
        yield client.upper()
