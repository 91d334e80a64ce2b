"""How the stack is started: versions, jars, ports, storage, the supervisor's plan, then the supervisor itself."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.local import kafka, valkey
from deploy.local.folder import Folder
from deploy.local.jars import KAFKA_VERSION, Advance, fetch, locked_jars
from deploy.local.ports import choose
from deploy.local.reach import CERTIFICATE_PORT
from deploy.local.state import ServerPlan, read_numbers, read_texts, write
from exchange.errors import RequestError
from exchange.settings import Settings


def embedded(settings: Settings) -> tuple[str, ...]:
    """The servers that are not external: what the stack of these settings is made of."""
    external = {"valkey": settings.redis, "kafka": settings.kafka}
    return tuple(name for name, given in external.items() if not given)


def prepare(folder: Folder, settings: Settings, advance: Advance) -> list[Path]:
    """Make the folder ready and the jars present; the jars' paths, none when Kafka is external.

    Raises:
        RequestError: `other_version`, `disk_full`, `home_unusable`.
        RetryLaterError: `download_failed`.
        FatalError: `checksum_mismatch`.
    """
    folder.create()
    check_versions(folder)
    if "kafka" not in embedded(settings):
        return []
    return fetch(locked_jars(), settings.cache, maven_url=settings.maven_url, advance=advance)


def plan_servers(folder: Folder, settings: Settings, jars: list[Path], advance: Advance) -> dict[str, ServerPlan]:
    """Choose ports, give Kafka its storage, and write what the supervisor is to run.

    Raises:
        RequestError: `port_taken`.
        FatalError: `format_failed`.
    """
    ports = _choose_ports(folder, settings)
    commands = {}
    if not settings.redis:
        commands["valkey"] = valkey.command(folder, port=ports["valkey"])
    if not settings.kafka:
        properties = kafka.write_settings(
            folder, port=ports["kafka"], certificate_port=ports[CERTIFICATE_PORT], controller_port=ports["controller"]
        )
        if not kafka.cluster_id_of(folder):
            advance("giving Kafka its storage", 0, 1)
            kafka.format_storage(folder, jars, properties)
        commands["kafka"] = kafka.command(folder, jars, properties, java_options=settings.kafka_java_options)
    plan = {
        name: ServerPlan(argv=argv, port=ports[name], output=str(folder.output_of(name)))
        for name, argv in commands.items()
    }
    write(folder.versions, read_texts(folder.versions) | {name: installed_versions()[name] for name in plan})
    write(folder.plan, plan)
    write(folder.ports, ports)
    return plan


def installed_versions() -> dict[str, str]:
    """Versions of the servers that this installation runs."""
    return {"kafka": KAFKA_VERSION, "valkey": valkey.installed_version()}


def check_versions(folder: Folder) -> None:
    """Refuse data that another Kafka or Valkey wrote; patch releases of one line (4.2.x) read each other's.

    Raises:
        RequestError: `other_version`.
    """
    written = read_texts(folder.versions)
    for name, ours in installed_versions().items():
        theirs = written.get(name, ours)
        if theirs.split(".")[:2] != ours.split(".")[:2]:
            raise RequestError(
                f"the data in {folder.data} is of {name} {theirs}, this is {name} {ours}",
                code="other_version",
                remedy="use the creditbus that wrote it, set CREDITBUS_HOME to another folder, or run `creditbus reset`",
            )


def _choose_ports(folder: Folder, settings: Settings) -> dict[str, int]:
    remembered = read_numbers(folder.ports)
    given = {"kafka": settings.kafka_port, "valkey": settings.redis_port, "controller": 0, CERTIFICATE_PORT: 0}
    settings_of = {
        "kafka": "CREDITBUS_KAFKA_PORT",
        "valkey": "CREDITBUS_REDIS_PORT",
        "controller": "",
        CERTIFICATE_PORT: "",
    }
    ports: dict[str, int] = {}
    for name, port in given.items():
        avoid = frozenset([*ports.values(), *given.values()]) - {port}
        ports[name] = choose(name, settings_of[name], given=port, remembered=remembered.get(name), avoid=avoid)
    return ports


def spawn_supervisor(folder: Folder, *, attached: bool) -> "subprocess.Popen[bytes] | None":
    """Start the supervisor, which starts what is planned; the process when it is attached to this one, else None."""
    argv = [sys.executable, "-m", "deploy.local.supervisor", str(folder.root)]
    here = str(Path(__file__).parents[2])
    search = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
    with folder.output_of("supervisor").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 # our own module
            [*argv, "--attached" if attached else "--detached"],
            stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": search},
        )
    if attached:
        return process
    process.wait()  # it goes on in the background, as a process of its own
    return None
