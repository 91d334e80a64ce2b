"""Kafka's jars: locked with SHA-256 in `kafka-4.2.2.lock`, fetched once into the cache folder, checked at every use."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.folder import check_space, held, translating_os_errors
from exchange.errors import FatalError, RetryLaterError

KAFKA_VERSION = "4.2.2"
"""Not 4.3 or 4.4: a broker alone loses markers of transactions when it restarts (KAFKA-20734, decision 47)."""
LOCK = Path(__file__).parent / f"kafka-{KAFKA_VERSION}.lock"
BROKER = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl"
"""Lets the broker's messages reach its log file; of the version of the log4j that the broker brings."""
FETCHED_AT_ONCE = 8
ATTEMPTS = 3
FETCH_BYTES = 64 * 2**20
"""A little more than all jars together."""

Advance = Callable[[str, int, int], None]
"""Told after each jar: what is being done, how many are done, how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One locked jar: Maven coordinate (`group:artifact:version`) and SHA-256 in hex."""

    coordinate: str
    sha256: str

    @property
    def name(self) -> str:
        """Its file name in the cache folder."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def parse_lock(text: str) -> tuple[Jar, ...]:
    """The jars of a lock file, one a line, in the order of the class path.

    Raises:
        FatalError: `lock_unreadable`, with the line.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match line.split():
            case [coordinate, sha256] if coordinate.count(":") == 2 and _is_sha256(sha256):  # g:a:v
                jars.append(Jar(coordinate=coordinate, sha256=sha256))
            case _:
                raise FatalError(
                    f"line {number} of the jar lock is not 'group:artifact:version sha256': {line[:200]!r}",
                    code="lock_unreadable",
                    remedy="restore the file from the repository, or make it anew with `make lock`",
                )
    return tuple(jars)


def _is_sha256(text: str) -> bool:
    return len(text) == hashlib.sha256().digest_size * 2 and set(text) <= set("0123456789abcdef")


def locked_jars() -> tuple[Jar, ...]:
    """The jars of this version's lock file."""
    return parse_lock(LOCK.read_text())


def fetch(
    jars: Iterable[Jar], cache: Path, *, maven_url: str, advance: Advance, name: str = f"kafka-{KAFKA_VERSION}"
) -> list[Path]:
    """The paths of all jars, in order; those that are missing or damaged in the cache are fetched and checked.

    Raises:
        RetryLaterError: `download_failed`, after several attempts.
        FatalError: `checksum_mismatch`, when what was fetched is not what was locked; it is not kept.
        RequestError: `disk_full`, `home_unusable` or `busy`.
    """
    wanted = list(jars)
    folder = cache.expanduser() / name
    if all(_is_good(folder / jar.name, jar) for jar in wanted):
        return [folder / jar.name for jar in wanted]
    with (
        translating_os_errors(folder),
        held(folder.parent / "lock", within_seconds=600, doing="fetching Kafka's jars"),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        check_space(folder, FETCH_BYTES)
        _remove_leftovers(folder)
        missing = [jar for jar in wanted if not _is_good(folder / jar.name, jar)]
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as staging:
            context = _context(Path(staging), maven_url)
            advance("fetching Kafka's jars", 0, len(missing))
            with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
                fetched = pool.map(lambda jar: _fetch_one(jar, context), missing)
                for done, (jar, path) in enumerate(zip(missing, fetched, strict=True), start=1):
                    path.replace(folder / jar.name)
                    advance("fetching Kafka's jars", done, len(missing))
    return [folder / jar.name for jar in wanted]


def resolve(cache: Path, *, maven_url: str, advance: Advance) -> tuple[Jar, ...]:
    """Resolve Kafka and all it needs at run time, fetch it, and give the lock that follows.

    Raises:
        RetryLaterError: `download_failed`.
    """
    folder = cache.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="resolve-", dir=folder) as staging:
        context = _context(Path(staging), maven_url)
        with _translating_download("the dependency graph"):
            given, found = context.resolver.resolve([context.create_dependency(BROKER)])
        artifacts = [one.artifact for one in given]
        artifacts += [one.artifact for one in found if one.scope in ("compile", "runtime")]
        log4j = next(one.version for one in artifacts if one.artifactId == "log4j-core")
        artifacts.append(context.create_dependency(f"{LOGGING}:{log4j}").artifact)
        jars = []
        for done, artifact in enumerate(artifacts, start=1):
            coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
            with _translating_download(coordinate):
                jars.append(Jar(coordinate=coordinate, sha256=sha256_of(artifact.resolve())))
            advance("fetching", done, len(artifacts))
    return tuple(jars)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_lock(jars: Iterable[Jar]) -> None:
    """Write this version's lock file."""
    lines = [f"{jar.coordinate} {jar.sha256}" for jar in jars]
    head = f"# Jars of Apache Kafka {KAFKA_VERSION} with their SHA-256, in class path order. Made by `make lock`."
    LOCK.write_text("\n".join([head, *lines]) + "\n")


def _is_good(path: Path, jar: Jar) -> bool:
    return path.is_file() and sha256_of(path) == jar.sha256


def _remove_leftovers(folder: Path) -> None:
    for left in folder.glob("fetch-*"):
        shutil.rmtree(left, ignore_errors=True)


def _context(staging: Path, maven_url: str) -> Any:
    from jgo.maven import MavenContext

    repositories = {"mirror": maven_url.rstrip("/")} if maven_url else None
    return MavenContext(repo_cache=staging, remote_repos=repositories)


def _fetch_one(jar: Jar, context: Any) -> Path:
    path = _download(jar, context)
    found = sha256_of(path)
    if found != jar.sha256:
        raise FatalError(
            f"{jar.coordinate} was fetched with SHA-256 {found}, locked is {jar.sha256}",
            code="checksum_mismatch",
            remedy="do not use this source: check CREDITBUS_MAVEN_URL and the network between",
        )
    return path


def _download(jar: Jar, context: Any, attempt: int = 1) -> Path:
    artifact = context.create_dependency(jar.coordinate).artifact
    try:
        with _translating_download(jar.coordinate):
            path: Path = artifact.resolve()
            return path
    except RetryLaterError:
        if attempt == ATTEMPTS:
            raise
    artifact.cached_path.unlink(missing_ok=True)  # a part of the file may be there
    time.sleep(attempt)
    return _download(jar, context, attempt + 1)


@contextmanager
def _translating_download(what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError) as error:  # jgo raises the first when a repository does not have it
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's error, not the network's
        raise RetryLaterError(
            f"{what} could not be fetched ({_first_line(error)})",
            code="download_failed",
            remedy="check the network and its proxy settings, or set CREDITBUS_MAVEN_URL to a mirror of Maven Central",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
