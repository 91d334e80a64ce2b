"""What the departments do in the demonstration: publish the sample files, then whatever happens in a synthetic province."""

import threading
from collections.abc import Iterator

from confluent_kafka import Producer

from deploy.demo.seen import Seen
from exchange.catalogue import Catalogue
from exchange.clock import today
from exchange.codec import Codec
from exchange.errors import CreditbusError
from exchange.pseudonym import load_person_keys
from exchange.settings import Settings
from exchange.topics import Topics
from producers.importer.convert import Converted
from producers.importer.job import open_job
from producers.samples import SAMPLES, Sample
from producers.simulator.events import Event
from producers.simulator.run import Province
from producers.simulator.simulate import simulate

ROWS_PER_S = 60.0
SUBJECTS = 300
"""Organisations in the province: few, so that departments meet over the same ones."""
BROKEN = "gd.trans"
"""The department whose own program sends what is no record, to show the quarantine."""


class Play:
    """Publishes in a thread until stopped.

    Args:
        settings: of the bus, with its servers.
        embedded: whether the bus is the embedded stack.
        codec: of the schemas.
        catalogue: of the departments.
        seen: told of bad rows and of what is being done.
        rate: records a second of the province.
        seed: of the province.
    """

    def __init__(
        self, settings: Settings, *, embedded: bool, codec: Codec, catalogue: Catalogue, seen: Seen, rate: float, seed: int
    ) -> None:  # fmt: skip
        self._settings = settings
        self._embedded = embedded
        self._codec = codec
        self._catalogue = catalogue
        self._seen = seen
        self._rate = rate
        self._seed = seed
        self.stop = threading.Event()
        self.samples_done = threading.Event()
        self.failure: CreditbusError | None = None
        self._thread = threading.Thread(target=self._run, name="demo-play", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Stop, and wait until the bus has confirmed what was sent.

        Raises:
            CreditbusError: what went wrong, if anything did.
        """
        self.stop.set()
        self._thread.join()
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        try:
            for sample in SAMPLES:
                if self.stop.is_set():
                    return
                self._publish_file(sample)
            self._send_nonsense()
            self.samples_done.set()
            self._publish_province()
        except CreditbusError as error:
            self.failure = error

    def _publish_file(self, sample: Sample) -> None:
        """Publish a file again even when it was published before: what is known already changes nothing."""
        self._seen.doing = f"{sample.department} publishes {sample.name} 报送文件"
        job = open_job(
            self._settings, sample.path, sample.department, embedded=self._embedded, layout=sample.layout
        )  # fmt: skip
        record_type = job.header.layout.record_type

        def observe(converted: Converted) -> None:
            if converted.bad:
                codes = [finding.code for finding in converted.findings if finding.verdict == "bad"]
                self._seen.bad_row(sample.department, record_type, codes)
            self.stop.wait(1 / ROWS_PER_S)

        job.send(self.stop, observe, again=True)

    def _send_nonsense(self) -> None:
        """What is no record, and what is another department's, past the publisher that would have refused them."""
        self._seen.doing = f"{BROKEN}'s own program sends nonsense 错误报文"
        topic = Topics(self._settings.topic_prefix).into(BROKEN)
        types = self._catalogue.grants(BROKEN)
        department, record_type, record = next(e for e in self._events() if e[0] != BROKEN and e[1] in types)
        theirs = self._codec.encode(record_type, {**record, "department": department})
        producer = Producer({**self._settings.kafka.config(), "partitioner": "murmur2_random"})
        for raw in (b"<record/>", theirs[:20], theirs):
            producer.produce(topic, raw, record["subject"].encode())
        producer.flush(30)

    def _events(self) -> Iterator[Event]:
        keys = load_person_keys(self._settings, embedded=self._embedded)
        return simulate(self._seed, SUBJECTS, today=today(), keys=keys)

    def _publish_province(self) -> None:
        self._seen.doing = f"a synthetic province publishes {self._rate:g} records a second 模拟报送"
        with Province(self._settings, self._codec, self._catalogue) as province:
            province.publish(
                self._events(), rate=self._rate, seconds=None, stop=self.stop, on_event=lambda _event, _sent: None
            )
