"""The settings that say where Kafka and Redis are and what opens them; secrets come from the environment or from files."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from exchange.brokers import Brokers, Mechanism, Protocol, brokers_of
from exchange.redis_url import with_credentials
from exchange.secret_files import SecretFiles

PREFIX = "CREDITBUS_"


class ServerSettings(BaseSettings):
    """How the servers are reached. What opens them stands before their addresses: `kafka` and `redis` are made of all of it.

    Every secret may be given as a file instead: `CREDITBUS_..._FILE`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    home: Path = Field(Path(".creditbus"), description="Folder of the embedded stack: data, logs, ports, cluster id.")
    kafka_protocol: Protocol = Field(
        "PLAINTEXT",
        description="SASL_SSL: by TLS with user and password; SSL: by TLS with a certificate; PLAINTEXT: never in production.",
    )
    kafka_user: str = Field("", description="User at SASL_SSL, such as credit.standing; see docs/security.md.")
    kafka_password: SecretStr = Field(SecretStr(""), description="That user's password.")
    kafka_mechanism: Mechanism = Field("SCRAM-SHA-512", description="Of SASL_SSL, as the brokers offer it.")
    kafka_ca: FilePath | None = Field(
        None,
        description="Certificates (PEM) that a broker's is to be signed by; empty means those that the system trusts.",
    )
    kafka_certificate: FilePath | None = Field(None, description="This process's certificate (PEM), at SSL.")
    kafka_key: FilePath | None = Field(None, description="Its key (PEM).")
    kafka_key_password: SecretStr = Field(SecretStr(""), description="Opens that key, where it is closed.")
    kafka: Annotated[Brokers, NoDecode] = Field(
        Brokers(""),
        description="host:port of an external Kafka, several with commas; empty means the embedded one.",
        validate_default=True,
    )
    redis_user: str = Field("", description="User of Redis' access control list, such as credit.standing.")
    redis_password: SecretStr = Field(SecretStr(""), description="That user's password; without a user Redis' own.")
    redis_ca: FilePath | None = Field(
        None, description="Certificates (PEM) that Redis' is to be signed by, at rediss://."
    )
    redis_certificate: FilePath | None = Field(None, description="This process's certificate (PEM) for Redis.")
    redis_key: FilePath | None = Field(None, description="Its key (PEM).")
    redis: str = Field(
        "",
        description="URL of an external Redis or Valkey, rediss:// for TLS, redis+cluster://host:port,host:port of a cluster; empty means the embedded one.",
        validate_default=True,
        repr=False,
    )
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
        "",
        description="A Confluent-compatible schema registry, user and password in it where it asks for them; empty means schemas/registry.json.",
        repr=False,
    )

    @field_validator(
        "kafka_ca", "kafka_certificate", "kafka_key", "redis_ca", "redis_certificate", "redis_key", mode="before"
    )
    @classmethod
    def _empty_is_none(cls, path: object) -> object:
        return path or None

    @field_validator("kafka", mode="before")
    @classmethod
    def _with_what_opens_it(cls, kafka: object, info: ValidationInfo) -> Brokers:
        given = kafka if isinstance(kafka, Brokers) else Brokers(str(kafka))
        return given if given.protocol != "PLAINTEXT" else brokers_of(given.address, info.data)

    @field_validator("redis", mode="after")
    @classmethod
    def _with_credentials(cls, redis: str, info: ValidationInfo) -> str:
        return with_credentials(redis, info.data)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 # the signature is the base class's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 # likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What a program gives, then the environment, then files that the environment names."""
        return init_settings, env_settings, SecretFiles(settings_cls, settings_cls.model_config["env_prefix"])
