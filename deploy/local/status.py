"""What `creditbus status` tells: which servers there are, whether they answer, and what they cost."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local import kafka, reach
from deploy.local.folder import Folder
from deploy.local.launch import installed_versions
from deploy.local.ports import HOST
from deploy.local.probe import kafka_answers, redis_answers, redis_version
from deploy.local.servers import without_password
from deploy.local.state import ServerState, read_state
from exchange.brokers import Brokers
from exchange.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """One server. Embedded ones have a process, a port, sizes and a log; of external ones only the address is known."""

    name: str
    external: bool
    address: str
    answers: bool
    version: str = ""
    port: int = 0
    pid: int = 0
    exit_code: int | None = None
    memory_bytes: int = 0
    data_bytes: int = 0
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """All servers of the bus; `running` when every one of them answers."""

    running: bool
    home: str
    supervisor_pid: int
    attached: bool
    cluster_id: str
    kafka: ServerStatus
    redis: ServerStatus


def read_status(settings: Settings) -> StackStatus:
    """Ask every server and look at its process; changes nothing and takes no lock."""
    folder = Folder(root=settings.home.expanduser().absolute())
    state = read_state(folder.state)
    servers = state.servers if state else {}
    broker = _external_kafka(settings.kafka) or _embedded(folder, "kafka", servers.get("kafka"))
    store = _external_redis(settings.redis) or _embedded(folder, "valkey", servers.get("valkey"))
    supervised = bool(state and state.supervisor.is_running())
    return StackStatus(
        running=broker.answers and store.answers,
        home=str(folder.root),
        supervisor_pid=state.supervisor.pid if state and supervised else 0,
        attached=bool(state and supervised and state.attached),
        cluster_id=kafka.cluster_id_of(folder),
        kafka=broker,
        redis=store,
    )


def _external_kafka(kafka: Brokers) -> ServerStatus | None:
    if not kafka:
        return None
    return ServerStatus(name="kafka", external=True, address=str(kafka), answers=kafka_answers(kafka))


def _external_redis(address: str) -> ServerStatus | None:
    if not address:
        return None
    version = redis_version(address)
    shown = without_password(address)
    return ServerStatus(name="redis", external=True, address=shown, answers=bool(version), version=version)


def _embedded(folder: Folder, name: str, state: ServerState | None) -> ServerStatus:
    data = folder.kafka_data if name == "kafka" else folder.valkey_data
    process = state.process.process() if state and state.process else None
    address = f"{HOST}:{state.port}" if state and process else ""
    answers = bool(state and process) and _asked(folder, name, state.port if state else 0)
    return ServerStatus(
        name=name,
        external=False,
        address=address,
        answers=answers,
        version=installed_versions()[name],
        port=state.port if state and process else 0,
        pid=process.pid if process else 0,
        exit_code=state.exit_code if state else None,
        memory_bytes=_memory(process),
        data_bytes=_size(data),
        log=str(folder.log_of(name)),
    )


def _asked(folder: Folder, name: str, port: int) -> bool:
    if name == "kafka":
        return kafka_answers(reach.brokers(folder, port))
    return redis_answers(reach.redis_url(folder, port))


def _memory(process: psutil.Process | None) -> int:
    """Resident memory, in bytes."""
    if process is None:
        return 0
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _size(folder: Path) -> int:
    """What the files of a folder take on the disk, in bytes (Kafka's index files are sparse)."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:  # segments come and go
            continue
    return total
