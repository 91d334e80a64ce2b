"""Everything that runs in a campaign: servers behind their network, processes, departments; put up, taken down, and its whole state told."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.endpoint_store import EndpointStore
from exchange.endpoints import Endpoint
from exchange.paths import SCHEMAS
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from exchange.topics import Topics, apply_topics
from tests.conftest import environment_of
from tests.faults.campaign.brokers import Brokers
from tests.faults.campaign.load import Load
from tests.faults.campaign.network import Network
from tests.faults.campaign.probes import Probes
from tests.faults.campaign.processes import Process
from tests.faults.campaign.receivers import DESKS, READERS, KeepingDesk, Reader
from tests.faults.campaign.replicas import Replicas
from tests.faults.campaign.standing_main import WRONG_BY
from tests.receiving import Desks
from tests.waiting import wait_until

PROCESSORS = ("one", "two")
DISPATCHER = "dispatcher"
DEPARTMENTS = "departments"
FAULTS = Path(__file__).parents[1]


class World:
    """A bus on three brokers and three Redis servers, under load; a context manager.

    Args:
        home: folder for all data and logs.
        seed: of the load.
        rate: records a second.
        partitions: of the bus.
    """

    def __init__(self, home: Path, *, seed: int, rate: float, partitions: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.network = Network()
        self.brokers = Brokers(home, self.network)
        self.redis = Replicas(home, self.network)
        self.settings = Settings(
            home=home, kafka=self.brokers.bootstrap(DEPARTMENTS), redis=self.redis.address(DEPARTMENTS),
            topic_prefix="campaign", partitions=partitions, replication=3, webhook_networks="127.0.0.0/8",
            webhook_plain_http=True, webhook_timeout_seconds=3.0,
        )  # fmt: skip
        self.codec = open_codec(self.settings, SCHEMAS)
        self.topics = Topics(self.settings.topic_prefix)
        self.departments = sorted(load_catalogue(SCHEMAS).departments)
        self.processors = [self._processor(name, name) for name in PROCESSORS]
        self.dispatcher = self._dispatcher()
        self.load = Load(self.settings, self.codec, seed=seed, rate=rate)
        self.probes = Probes(partitions, self.load.send)
        self.desks = Desks()
        self.readers = [
            Reader(self.settings, self.codec, name, home / f"{name}.sqlite", self.probes.see) for name in READERS
        ]
        self._guests = 0
        self.ended: list[str] = []
        """What has ended although nobody told it to, with the last line it said."""

    @property
    def processes(self) -> list[Process]:
        """Everything that the campaign may treat badly."""
        return [*self.brokers.processes, *self.redis.processes, *self.processors, self.dispatcher]

    def start(self) -> None:
        """Put everything up, in the order in which an operator would."""
        self.brokers.prepare()
        self.network.open()
        for process in self.brokers.processes:
            process.start()
        self.redis.start()
        for process in self.brokers.processes:
            process.wait_ready()
        apply_topics(self.brokers.admin(), self.departments, self.settings)
        self.brokers.wait_whole()
        self._add_endpoints()
        for process in (*self.processors, self.dispatcher):
            process.start()
        for reader in self.readers:
            reader.start()
        self.load.start()
        self.probes.start()
        self.wait_through(time.monotonic(), 300)

    def guest(self) -> Process:
        """One more processor, without a name of its own, on the second one's links."""
        self._guests += 1
        process = self._processor("two", f"guest-{self._guests}")
        process.environment["CREDITBUS_INSTANCE_ID"] = ""
        process.start()
        return process

    def set_clock(self, number: int, seconds: float) -> None:
        """Put a processor's clock wrong by so many seconds; 0 puts it right."""
        with self._clock_of(PROCESSORS[number]).open("r+b") as file:  # in place: the processor has it mapped
            file.write(WRONG_BY.pack(int(seconds * 1000)))

    def look_after(self) -> None:
        """Start again what has ended although nobody told it to, as a supervisor does, and write it down.

        Raises:
            AssertionError: a department's inbox has failed.
        """
        for process in self.processes:
            if process.ended_by_itself:
                self.ended.append(f"{process.name}: {process.last_line()}")
                process.start()
        for reader in self.readers:
            assert reader.failure is None, f"the inbox of {reader.department} failed: {reader.failure!r}"

    def is_whole(self) -> bool:
        """Whether everything runs, and all copies are in step."""
        return self.redis.are_whole() and self.brokers.are_whole()

    def wait_through(self, since: float, within_seconds: float) -> None:
        """Until probes that were sent after a time come through everywhere."""

        def are_through() -> bool:
            self.look_after()
            return self.probes.are_through(since)

        try:
            wait_until(are_through, "probes come through", within_seconds=within_seconds)
        except AssertionError as error:
            self.say_where()
            raise AssertionError(f"{error}: {self.probes.late()}") from error

    def say_where(self) -> None:
        """Have everything write down where it is."""
        for process in (*self.processors, self.dispatcher):
            process.say_where()

    def _processor(self, links: str, name: str) -> Process:
        self._clock_of(name).write_bytes(WRONG_BY.pack(0))
        argv = [sys.executable, "-m", "tests.faults.campaign.standing_main", str(self._clock_of(name))]
        return Process(name, argv, self.home / f"{name}.log", environment=self._environment(links))

    def _dispatcher(self) -> Process:
        argv = [sys.executable, str(FAULTS / "dispatcher_main.py")]
        return Process(
            DISPATCHER, argv, self.home / f"{DISPATCHER}.log", environment=self._environment(DISPATCHER)
        )  # fmt: skip

    def _environment(self, client: str) -> dict[str, str]:
        settings = self.settings.model_copy(
            update={
                "kafka": self.brokers.bootstrap(client), "redis": self.redis.address(client), "instance_id": client,
            }
        )  # fmt: skip
        return {name: text for name, text in environment_of(settings).items() if name.startswith("CREDITBUS_")}

    def _clock_of(self, name: str) -> Path:
        return self.home / f"{name}.clock"

    def _add_endpoints(self) -> None:
        keys = load_signing_keys(self.settings, embedded=True)
        self.desks.__enter__()
        store = EndpointStore(connect(self.settings.redis))
        for name in DESKS:
            key = keys.endpoint_key(name, 1)
            self.desks.desks[name] = KeepingDesk(keys=[key.public_text], department=name, see=self.probes.see)
            assert store.add(Endpoint(department=name, url=self.desks.url(name), key_id=keys.newest))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.probes.stop()
        self.load.rest(resting=True)
        for process in (*self.processors, self.dispatcher):
            process.kill()
        for reader in self.readers:
            reader.stop()
        if self.desks.port:
            self.desks.__exit__()
        for process in self.processes:
            process.kill()
        self.network.__exit__()
