"""Kafka's jars: the lock, and what is fetched against it (from a Maven repository on this machine)."""

import gc
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.local.jars import KAFKA_VERSION, Jar, fetch, locked_jars, parse_lock
from deploy.local.ports import choose
from deploy.local.progress import silent
from exchange.errors import FatalError, RetryLaterError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # jgo leaves refused responses open

CONTENT = b"not really a jar"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
        pass


class Maven(NamedTuple):
    url: str
    folder: Path

    def publish(self, coordinate: str, content: bytes) -> Jar:
        """Put a jar in the repository; the lock line that is right for it."""
        group, artifact, version = coordinate.split(":")
        path = self.folder / group.replace(".", "/") / artifact / version / f"{artifact}-{version}.jar"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return Jar(coordinate=coordinate, sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def maven(tmp_path: Path) -> Iterator[Maven]:
    folder = tmp_path / "maven"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Maven(f"http://127.0.0.1:{server.server_port}", folder)
        server.shutdown()
        thread.join()
    gc.collect()  # here, where what jgo left open is not taken for an error


def test_lock_of_this_version_is_whole() -> None:
    jars = locked_jars()
    kafka = {jar.coordinate.split(":")[2] for jar in jars if jar.coordinate.startswith("org.apache.kafka:")}
    assert len(jars) == 46
    assert kafka == {KAFKA_VERSION}
    assert len({jar.name for jar in jars}) == len(jars)


@pytest.mark.parametrize(
    "line",
    ["org.example:one", "org.example:one:1 abc", f"org.example:one {'0' * 64}", f"org.example:one:1 {'G' * 64}"],
)
def test_unreadable_lock_line_is_named(line: str) -> None:
    with pytest.raises(FatalError, match="line 2") as caught:
        parse_lock(f"# head\n{line}\n")
    assert caught.value.code == "lock_unreadable"


def test_fetches_once_then_needs_no_network(maven: Maven, tmp_path: Path) -> None:
    jars = [maven.publish(f"org.example:part-{number}:1.0", CONTENT + bytes([number])) for number in range(3)]
    seen: list[tuple[int, int]] = []

    first = fetch(
        jars, tmp_path / "cache", maven_url=maven.url, advance=lambda _, done, total: seen.append((done, total))
    )
    again = fetch(jars, tmp_path / "cache", maven_url="http://127.0.0.1:1", advance=silent)

    assert first == again
    assert [path.read_bytes() for path in first] == [CONTENT + bytes([number]) for number in range(3)]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_refuses_a_jar_that_is_not_the_locked_one(maven: Maven, tmp_path: Path) -> None:
    good = maven.publish("org.example:good:1.0", CONTENT)
    locked = maven.publish("org.example:changed:1.0", CONTENT)
    maven.publish("org.example:changed:1.0", b"something else")

    with pytest.raises(FatalError, match=r"org\.example:changed:1\.0") as caught:
        fetch([good, locked], tmp_path / "cache", maven_url=maven.url, advance=silent)

    assert caught.value.code == "checksum_mismatch"
    assert not list((tmp_path / "cache").rglob("changed*.jar"))


def test_fetches_anew_what_was_damaged_in_the_cache(maven: Maven, tmp_path: Path) -> None:
    jar = maven.publish("org.example:one:1.0", CONTENT)
    [path] = fetch([jar], tmp_path / "cache", maven_url=maven.url, advance=silent)
    path.write_bytes(CONTENT[:5])

    [again] = fetch([jar], tmp_path / "cache", maven_url=maven.url, advance=silent)

    assert again.read_bytes() == CONTENT


def test_removes_what_an_interrupted_fetch_left(maven: Maven, tmp_path: Path) -> None:
    jar = maven.publish("org.example:one:1.0", CONTENT)
    left = tmp_path / "cache" / f"kafka-{KAFKA_VERSION}" / "fetch-interrupted"
    left.mkdir(parents=True)

    fetch([jar], tmp_path / "cache", maven_url=maven.url, advance=silent)

    assert not left.exists()


@pytest.mark.parametrize("is_there", [True, False], ids=["jar missing", "nobody listens"])
def test_a_failed_download_says_what_to_do(maven: Maven, tmp_path: Path, is_there: bool) -> None:
    url = maven.url if is_there else f"http://127.0.0.1:{choose('nobody', '', given=0, remembered=None)}"
    jar = Jar(coordinate="org.example:absent:1.0", sha256="0" * 64)

    with pytest.raises(RetryLaterError, match=r"org\.example:absent:1\.0") as caught:
        fetch([jar], tmp_path / "cache", maven_url=url, advance=silent)

    assert caught.value.code == "download_failed"
    assert "CREDITBUS_MAVEN_URL" in caught.value.remedy
    assert "\n" not in caught.value.line()
