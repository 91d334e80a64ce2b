"""Every setting of every process, in one place, read from `CREDITBUS_*` in the environment."""

from typing import Literal

from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsError

from exchange.errors import RequestError
from exchange.secret_files import is_secret
from exchange.server_settings import PREFIX, ServerSettings


class Settings(ServerSettings):
    """Settings of the bus; each field's description says why one would change it. Those of the servers are inherited."""

    person_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that pseudonyms of persons are made with, newest first: k2:<hex>,k1:<hex>. Publishers only.",
    )
    signing_keys: SecretStr = Field(
        SecretStr(""),
        description="Master keys that pushed notices and ledger checkpoints are signed with, newest first: k2:<hex>,k1:<hex>.",
    )
    topic_prefix: str = Field(
        "credit", description="First part of every topic name; one broker can carry several buses."
    )
    partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of every topic of the bus; fixed once topics exist."
    )
    replication: int = Field(1, ge=1, description="Copies of each partition; 3 in production.")
    away_departments: str = Field(
        "",
        description="Departments whose Kafka is a neighbouring region's, with commas, such as gd.customs,gd.pbc; see docs/regions.md.",
    )
    away_replication: int = Field(
        1, ge=1, description="Copies of each partition in the neighbour's Kafka; 3 in production."
    )
    instance_id: str = Field(
        "",
        description="Name of this process in its group, kept over restarts (a pod's name); empty means a new one each start.",
    )
    group: str = Field("standing", description="Consumer group of the standing processors, after the topic prefix.")
    session_timeout_seconds: float = Field(
        10.0, gt=0, description="After so long without a heartbeat a processor's work is given away."
    )
    batch_records: int = Field(5000, ge=1, description="Records that the standing processor takes at once, at most.")
    backlog_messages: int = Field(
        50_000, ge=1, description="Messages that may wait for publishing before input is held."
    )
    cached_standings: int = Field(200_000, ge=0, description="Standings kept in process for each partition, at most.")
    quarantine_run: int = Field(
        1000, ge=1, description="Rejected records in a row after which a department's topic is held in that partition."
    )
    escalate_after_working_days: int = Field(
        3, ge=0, description="So long after its day an overdue response is told to the supervising department."
    )
    stuck_after_seconds: float = Field(
        30.0, gt=0, description="With records waiting, so long without a commit means stuck."
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of /metrics and /health; 0 means none.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines as text for people, or as JSON lines for programs that collect them."
    )
    tracing_endpoint: str = Field(
        "",
        description="Where spans are sent by OTLP over HTTP, such as http://collector:4318/v1/traces; empty means no traces.",
    )
    tracing_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Of the traces that begin at this process, how many are taken; less where there is much traffic.",
    )
    certificates: str = Field(
        "", description="Certificate files (PEM, with commas) that this process uses: /metrics shows when they end."
    )
    publish_wait_seconds: float = Field(
        10.0, gt=0, description="How long a publisher waits for room before it gives the record back to its caller."
    )
    inbox_host: str = Field(
        "127.0.0.1",
        description="Address that the HTTP inbox listens on; others than this machine come by TLS: its own, or a proxy's.",
    )
    inbox_certificate: FilePath | None = Field(
        None,
        description="Certificate (PEM, with those between it and its authority) by which the HTTP inbox speaks TLS itself; empty means plain HTTP.",
    )
    inbox_key: FilePath | None = Field(None, description="Its key (PEM); renewed files are taken within seconds.")
    inbox_port: int = Field(
        8090, ge=0, le=65535, description="Port of the HTTP inbox; 0 means a free one, which it tells."
    )
    inbox_readers: int = Field(
        8, ge=1, le=256, description="Kafka readers of the HTTP inbox; requests beyond wait for one to be free."
    )
    inbox_polls: int = Field(
        16, ge=1, description="Long polls and streams that one department may have open at the HTTP inbox."
    )
    portal_host: str = Field(
        "127.0.0.1",
        description="Address that the portal listens on; others than this machine come by TLS: its own, or a proxy's.",
    )
    portal_certificate: FilePath | None = Field(
        None,
        description="Certificate (PEM, with those between it and its authority) by which the portal speaks TLS itself; empty means plain HTTP.",
    )
    portal_key: FilePath | None = Field(None, description="Its key (PEM); renewed files are taken within seconds.")
    portal_port: int = Field(
        8080, ge=0, le=65535, description="Port of the portal; 0 means a free one, which it tells."
    )
    gateway_host: str = Field(
        "127.0.0.1",
        description="Address that the gateway listens on; others than this machine come by TLS: its own, or a proxy's.",
    )
    gateway_certificate: FilePath | None = Field(
        None,
        description="Certificate (PEM, with those between it and its authority) by which the gateway speaks TLS itself; empty means plain HTTP.",
    )
    gateway_key: FilePath | None = Field(None, description="Its key (PEM); renewed files are taken within seconds.")
    gateway_port: int = Field(
        8091, ge=0, le=65535, description="Port of the gateway; 0 means a free one, which it tells."
    )
    gateway_requests: int = Field(
        16, ge=1, le=256, description="Requests that the gateway publishes at a time; others are told to come later."
    )
    gateway_department_requests: int = Field(
        4, ge=1, description="Of these, requests of one department, so that one cannot keep the others out."
    )
    gateway_records_per_second: float = Field(
        500.0, gt=0, description="Records a second that one department may publish through the gateway, over time."
    )
    gateway_burst_records: int = Field(
        20_000, ge=1, description="Records that a department may publish at once after a rest."
    )
    gateway_batch_records: int = Field(10_000, ge=1, description="Records of one request to the gateway, at most.")
    gateway_json_bytes: int = Field(
        4 * 2**20, ge=1024, description="Largest body in JSON, unpacked; it is held in memory whole."
    )
    gateway_body_bytes: int = Field(
        64 * 2**20,
        ge=1024,
        description="Largest body of JSON lines or Avro containers, unpacked; it is put aside on disk.",
    )
    gateway_body_seconds: float = Field(60.0, gt=0, description="A request's body must arrive within so long.")
    gateway_idempotency_hours: float = Field(
        24.0, gt=0, description="How long the answer to a request with an Idempotency-Key is kept."
    )
    oidc_issuer: str = Field(
        "", description="URL of the identity provider whose bearer tokens are good at the HTTP doors; empty means none."
    )
    oidc_jwks_url: str = Field(
        "", description="Where that provider publishes its keys; empty means as its discovery document says."
    )
    oidc_audience: str = Field("creditbus", description="What `aud` of a bearer token must name.")
    oidc_department_claim: str = Field(
        "department", description="Claim of a bearer token that names the department, such as gd.tax."
    )
    check_days: int = Field(
        7, ge=1, description="Answers of checks are kept for so long: until then a decision can refer to one."
    )
    delivery_timeout_seconds: float = Field(
        30.0, gt=1, description="How long a published record may stay unconfirmed before its receipt says so."
    )
    operator_department: str = Field(
        "gd.data", description="Department that runs the bus: delivery receipts are published in its name."
    )
    webhook_networks: str = Field(
        "",
        description="Networks (CIDRs, with commas) that are not public and that notices may be pushed to all the same.",
    )
    webhook_plain_http: bool = Field(
        default=False, description="Whether endpoints may be http, not https: for a network that is trusted as a whole."
    )
    webhook_timeout_seconds: float = Field(15.0, gt=0, description="How long an endpoint may take to answer.")
    webhook_pause_days: float = Field(
        5.0, gt=0, description="An endpoint from which nothing but failures came for so long is paused."
    )
    webhook_payload_bytes: int = Field(
        8_000_000, ge=0, description="Notices kept in memory for each endpoint; others are read again from Kafka."
    )
    delivery_log_entries: int = Field(
        100_000, ge=1, description="Attempts kept in the delivery log, for each department and partition."
    )
    delivery_log_days: int = Field(90, ge=1, description="How long attempts stay in the delivery log.")
    portal_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys by which the portal gives each department its own pseudonyms of persons, newest first: k2:<hex>,k1:<hex>.",
    )
    operations_targets: str = Field(
        "",
        description="Where the processes show their metrics, host:port with commas between; the operator page reads them.",
    )
    operations_every_seconds: float = Field(
        2.0, gt=0, description="The operator page reads them so often while somebody looks at it."
    )
    portal_plain_http: bool = Field(
        default=False, description="Whether the portal's cookies go over http: on this machine (localhost) only."
    )
    upload_bytes: int = Field(20_000_000, ge=1, description="Largest file that the portal takes, in bytes.")
    upload_unpacked_bytes: int = Field(
        200_000_000, ge=1, description="What an XLSX that is brought to the portal may unpack to, in bytes."
    )
    portal_proxies: str = Field(
        "", description="Networks (CIDRs, with commas) of proxies whose X-Forwarded-For is believed."
    )
    session_idle_minutes: float = Field(30.0, gt=0, description="A session ends after so long without a request.")
    session_hours: float = Field(8.0, gt=0, description="A session ends after so long, whatever happens in it.")
    lockout_failures: int = Field(
        5,
        ge=1,
        description="Failed sign-ins of an account or an address after which it must wait, each time twice as long.",
    )
    lockout_seconds: float = Field(30.0, gt=0, description="The first such wait; an hour at most.")
    searches_per_minute: int = Field(
        120, ge=1, description="Searches and pictures that one visitor (or address) may ask for in a minute."
    )
    filings_per_hour: int = Field(
        20, ge=1, description="Complaints and objections that one visitor (or address) may file in an hour."
    )
    person_lookups_per_hour: int = Field(
        60, ge=1, description="Different persons that one account may look up in an hour; more is stopped and logged."
    )
    oidc_client_id: str = Field("creditbus-portal", description="The portal's name at the provider.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret; empty for a public client.")
    oidc_redirect_url: str = Field(
        "http://localhost:8080/login/oidc/return",
        description="Where the provider sends people back to, as registered there.",
    )
    oidc_role_claim: str = Field("role", description="Claim of an ID token with a person's role, such as officer.")
    ledger_batch_records: int = Field(
        5000, ge=1, description="Messages that the ledger enters in one transaction, about."
    )
    ledger_checkpoint_entries: int = Field(
        10_000, ge=1, description="Entries of a partition after which the ledger signs a checkpoint."
    )
    ledger_checkpoint_seconds: float = Field(
        60.0, gt=0, description="After so long an entry is covered by a signed checkpoint, however few there are."
    )
    directory_folder: str = Field(
        "", description="Folder of the directory; empty means data/directory/<topic prefix> in CREDITBUS_HOME."
    )
    directory_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database of the directory (postgresql://…), which several hosts then share; empty means its folder. The password may also come from PGPASSWORD or ~/.pgpass.",
    )
    deadlines_folder: str = Field(
        "", description="Folder of the deadlines; empty means data/deadlines/<topic prefix> in CREDITBUS_HOME."
    )
    open_data_folder: str = Field(
        "",
        description="Folder of the releases of open data; empty means data/open-data/<topic prefix> in CREDITBUS_HOME.",
    )
    directory_batch_records: int = Field(
        5000, ge=1, description="Records that the directory, and the deadlines, keep in one transaction, at most."
    )
    risk_batch_subjects: int = Field(
        500, ge=1, description="Subjects whose risk class is worked out at a time, of one partition."
    )
    risk_round_hours: float = Field(
        2.0, ge=0, description="Over so long the monthly round of risk classes is spread; 0 means as fast as it goes."
    )
    archive_folder: str = Field(
        "", description="Folder of the archive's tables; empty means data/archive/<topic prefix> in CREDITBUS_HOME."
    )
    archive_commit_records: int = Field(
        200_000, ge=1, description="Records that the archive commits at once, at most; more make larger files."
    )
    archive_commit_seconds: float = Field(
        60.0, gt=0, description="A record is in the archive within about so long; less makes smaller files."
    )
    archive_small_files: int = Field(
        64,
        ge=2,
        description="Small files of a month that are made into large ones; fewer mean more writing, quicker questions.",
    )
    early_warning_folder: str = Field(
        "",
        description="Folder of an early-warning worker's tables; empty means data/early-warning/<topic prefix>/<instance id> in CREDITBUS_HOME.",
    )
    early_warning_grace_seconds: float = Field(
        300.0, ge=0, description="A window stays open for so long after its end: records arrive a little out of order."
    )
    early_warning_recount: bool = Field(
        default=True,
        description="Whether early warning counts everything anew when a day is over and shows what differs; it reads all topics.",
    )
    early_warning_batch_records: int = Field(
        2000, ge=1, description="Records that early warning counts at a time, at most."
    )

    @field_validator(
        "inbox_certificate", "inbox_key", "portal_certificate", "portal_key", "gateway_certificate", "gateway_key", mode="before"
    )  # fmt: skip
    @classmethod
    def _no_file_is_none(cls, path: object) -> object:
        return path or None


HIDDEN = frozenset(name for name, field in Settings.model_fields.items() if is_secret(field)) | {
    "redis",
    "registry_url",
}
"""Settings whose values are in no error: secrets, and URLs that may hold one."""


def read_settings() -> Settings:
    """The settings of this process, from its environment.

    Raises:
        RequestError: `bad_setting`, naming each variable that is wrong, its value (never a secret's) and why.
    """
    try:
        return Settings()
    except (ValidationError, SettingsError) as error:
        raise RequestError(_told(error), code="bad_setting", remedy="set it right, see docs/settings.md") from None


def _told(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    wrong = []
    for one in error.errors():
        name = str(one["loc"][0])
        value = "" if name in HIDDEN or one["input"] in ("", None) else f"={str(one['input'])!r}"
        wrong.append(f"{PREFIX}{name.upper()}{value}: {one['msg'].removeprefix('Value error, ')}")
    return "; ".join(wrong)
