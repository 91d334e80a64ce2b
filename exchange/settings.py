"""Every setting of every process, in one place, read from `CREDITBUS_*` in the environment."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from exchange.errors import RequestError


class Settings(BaseSettings):
    """Settings of the bus; each field's description says why one would change it."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_", frozen=True, extra="ignore")

    home: Path = Field(Path(".creditbus"), description="Folder of the embedded stack: data, logs, ports, cluster id.")
    kafka: str = Field("", description="host:port of an external Kafka; empty means the embedded one.")
    redis: str = Field("", description="URL of an external Redis or Valkey; empty means the embedded one.")
    kafka_port: int = Field(
        0, ge=0, le=65535, description="Port of the embedded Kafka; 0 means a free one, kept over restarts."
    )
    redis_port: int = Field(
        0, ge=0, le=65535, description="Port of the embedded Valkey; 0 means a free one, kept over restarts."
    )
    kafka_java_options: str = Field(
        "-Xmx512m -XX:TieredStopAtLevel=1",
        description="Java options of the embedded Kafka; the default starts fast and stays small.",
    )
    start_timeout_seconds: float = Field(60.0, gt=0, description="The embedded servers must answer within so long.")
    cache: Path = Field(
        Path("~/.cache/creditbus"), description="Folder of Kafka's jars, fetched once and shared by every home."
    )
    maven_url: str = Field("", description="A mirror of Maven Central to fetch Kafka's jars from; empty means Central.")
    registry_url: str = Field(
        "", description="A Confluent-compatible schema registry; empty means schemas/registry.json."
    )
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
    publish_wait_seconds: float = Field(
        10.0, gt=0, description="How long a publisher waits for room before it gives the record back to its caller."
    )
    inbox_host: str = Field(
        "127.0.0.1",
        description="Address that the HTTP inbox listens on; others than this machine come through a proxy that speaks TLS.",
    )
    inbox_port: int = Field(
        8090, ge=0, le=65535, description="Port of the HTTP inbox; 0 means a free one, which it tells."
    )
    inbox_readers: int = Field(
        8, ge=1, le=256, description="Kafka readers of the HTTP inbox; requests beyond wait for one to be free."
    )
    inbox_polls: int = Field(
        16, ge=1, description="Long polls and streams that one department may have open at the HTTP inbox."
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
    ledger_batch_records: int = Field(
        5000, ge=1, description="Messages that the ledger enters in one transaction, about."
    )
    ledger_checkpoint_entries: int = Field(
        10_000, ge=1, description="Entries of a partition after which the ledger signs a checkpoint."
    )
    ledger_checkpoint_seconds: float = Field(
        60.0, gt=0, description="After so long an entry is covered by a signed checkpoint, however few there are."
    )


def read_settings() -> Settings:
    """The settings of this process, from its environment.

    Raises:
        RequestError: `bad_setting`, naming each variable that is wrong, its value and why.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"CREDITBUS_{str(one['loc'][0]).upper()}={one['input']!r}: {one['msg']}" for one in error.errors()]
        raise RequestError("; ".join(wrong), code="bad_setting", remedy="set it right, see docs/settings.md") from error
