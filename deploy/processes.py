"""The processes of a bus as whoever deploys them must know them: what each is, talks to, keeps and needs. Data for manifests and tests."""

from dataclasses import dataclass
from typing import Literal

Peer = Literal["kafka", "redis", "registry", "endpoints", "metrics"]
"""Whom a process opens connections to; `endpoints` are the departments' webhooks, `metrics` the other processes' /metrics."""
Kind = Literal["member", "door", "keeper"]
"""member: of a group whose work is shared, under a lasting name; door: serves HTTP, keeps nothing; keeper: one feeds a folder."""

METRICS_PORT = 9100
"""Of every process, in a container of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """By what it is seen that a member needs others beside it.

    Attributes:
        metric: gauge of waiting records; the sum over all members is what waits.
        records: so many for each member are normal under load, about ten seconds of its work.
    """

    metric: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process.

    Attributes:
        name: of `creditbus run NAME`.
        kind: how several of it stand to each other.
        peers: whom it talks to.
        port: where a door serves; 0 for none.
        ready: path that answers 200 when a door can do its work; asked on `port`.
        secrets: settings that it cannot do without, as environment variables without `CREDITBUS_`.
        folder: under `$CREDITBUS_HOME/data`, what it keeps on disk.
        lag: see `Lag`.
        memory_mib: it is ended when it takes more.
        cores: likewise held back.
    """

    name: str
    kind: Kind
    peers: frozenset[Peer]
    port: int = 0
    ready: str = ""
    secrets: tuple[str, ...] = ()
    folder: str = ""
    lag: Lag | None = None
    memory_mib: int = 512
    cores: float = 1.0


_BUS: frozenset[Peer] = frozenset({"kafka", "registry"})
_BOTH: frozenset[Peer] = _BUS | {"redis"}
_SIGNING = ("SIGNING_KEYS",)

PROCESSES = (
    Process(
        name="standing", kind="member", peers=_BOTH, lag=Lag(metric="creditbus_lag_records", records=50_000),
        memory_mib=1024, cores=2,
    ),
    Process(name="dispatcher", kind="member", peers=_BOTH | {"endpoints"}, secrets=_SIGNING),
    Process(
        name="ledger", kind="member", peers=_BUS, secrets=_SIGNING,
        lag=Lag(metric="creditbus_ledger_lag_records", records=50_000),
    ),
    Process(
        name="risk-classes", kind="member", peers=_BOTH, lag=Lag(metric="creditbus_risk_lag_records", records=50_000)
    ),
    Process(name="early-warning", kind="member", peers=_BUS, folder="early-warning", memory_mib=1024),
    Process(name="directory", kind="keeper", peers=_BUS, folder="directory"),
    Process(name="deadlines", kind="keeper", peers=_BUS, folder="deadlines"),
    Process(name="archive", kind="keeper", peers=_BUS, folder="archive", memory_mib=2048, cores=2),
    Process(name="gateway", kind="door", peers=_BOTH, port=8091, ready="/health"),
    Process(name="inbox", kind="door", peers=_BOTH, port=8090, ready="/openapi.json"),
    Process(
        name="portal", kind="door", peers=_BOTH | {"metrics"}, port=8080, ready="/",
        secrets=("SIGNING_KEYS", "PERSON_KEYS", "PORTAL_KEYS"), memory_mib=1536, cores=2,
    ),
)  # fmt: skip
NOT_DEPLOYED = {
    "example-desk": "a department's own program, to copy from",
    "example-centre": "a department's own program, to copy from",
    "identity": "lets everybody be anybody: for the demonstration, on this machine only",
}
"""What else `creditbus run` can run, and why it is no part of a bus."""
