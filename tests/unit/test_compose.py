"""deploy/compose.yaml: by the Compose Specification, and as the code says; nothing of it is a guess that nobody would notice."""

import re
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from pydantic import SecretStr
from typer.main import get_command

from deploy.cli.run import app
from deploy.local.container_secrets import write_container_secrets
from deploy.local.door_certificates import DOORS
from deploy.local.jars import KAFKA_VERSION
from deploy.local.valkey import installed_version
from deploy.processes import METRICS_PORT, NOT_DEPLOYED, PROCESSES, Process
from exchange.catalogue import load_catalogue
from exchange.grants import grants_of
from exchange.paths import SCHEMAS
from exchange.redis_acl import users
from exchange.settings import Settings
from tests.registry_server import VERSION as REGISTRY_VERSION

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("${CREDITBUS_IMAGE")}
WRITES_INTO_ITS_IMAGE = {"kafka-1", "kafka-2", "kafka-3"}
"""Kafka's image writes its configuration from the environment into folders of its own at each start."""
GRANTS = grants_of(Settings(), load_catalogue(SCHEMAS).departments)
PRINCIPALS = {
    "topics": "administrator",
    "contracts": None,  # speaks to the registry only
    "operator": "credit.operator",
    "open-data": "credit.open-data",
    "registry": "credit.registry",
    "example-centre": "credit.gd.prtc",
    "example-desk": "credit.gd.amr",
}
"""Whom Kafka and Redis know a service as that runs no process of the bus; a process is `credit.<process>`."""
SECRET_SETTINGS = {name for name, one in Settings.model_fields.items() if one.annotation is SecretStr}


def services_of(process: Process) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in OURS.items() if one["command"][:2] == ["run", process.name]}


def is_setting(variable: str) -> bool:
    name = variable.removeprefix("CREDITBUS_").lower()
    return name in Settings.model_fields or name.removesuffix("_file") in SECRET_SETTINGS


def speaks_tls(service: dict[str, Any], process: Process) -> bool:
    """Whether a door has its certificate from a folder that `creditbus certificates` fills, and is well when it speaks TLS."""
    given = {key: service["environment"][f"CREDITBUS_{process.name.upper()}_{key}"] for key in ("CERTIFICATE", "KEY")}
    assert mounts(service)["/run/certificates"] == f"./secrets/{process.name}", (
        "a folder, so that a renewed file is seen"
    )
    assert process.name in DOORS
    assert service["healthcheck"]["test"][-2:] == ["deploy.health", str(process.port)]
    return given == {name: f"/run/certificates/{name.lower()}.pem" for name in ("CERTIFICATE", "KEY")}


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """The folders of secrets that a container sees, all of them read-only and there already."""
    found = {one["target"]: one for one in service.get("volumes", ()) if isinstance(one, dict)}
    for target, one in found.items():
        assert one == {
            "type": "bind", "source": one["source"], "target": target, "read_only": True, "bind": {"create_host_path": False},
        }  # fmt: skip
    return {target: one["source"] for target, one in found.items()}


def principal_of_service(name: str) -> str | None:
    return PRINCIPALS[name] if name in PRINCIPALS else f"credit.{SERVICES[name]['command'][1]}"


def test_it_is_what_the_compose_specification_allows() -> None:
    plain = yaml.safe_dump({key: value for key, value in COMPOSE.items() if not key.startswith("x-")})
    plain = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", plain)  # as Compose does before it reads
    assert set(compose_spec.PyCompose.from_yaml(plain).service_names()) == set(SERVICES)


def test_every_process_is_known_and_every_process_of_a_bus_runs() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined] # Typer makes a group of an app of commands
    assert {one.name for one in PROCESSES} | set(NOT_DEPLOYED) == commands
    assert [one.name for one in PROCESSES if not services_of(one)] == []


def test_every_setting_is_one_of_the_bus() -> None:
    named = {name for one in OURS.values() for name in one["environment"] if name.startswith("CREDITBUS_")}
    assert {name for name in named if not is_setting(name)} == set()
    told = COMPOSE["x-process"]["environment"].items()
    files = {"CREDITBUS_KAFKA_CA", "CREDITBUS_KAFKA_CERTIFICATE", "CREDITBUS_KAFKA_KEY", "CREDITBUS_REDIS_CA"}
    here: dict[str, Any] = {
        name: __file__ if name in files else value for name, value in told
    }  # any file that is there
    Settings(**{name.removeprefix("CREDITBUS_").lower(): value for name, value in here.items()})


@pytest.mark.parametrize("process", PROCESSES, ids=lambda one: one.name)
def test_a_process_has_its_port_secrets_and_folder(process: Process) -> None:
    for name, service in services_of(process).items():
        environment = service["environment"]
        assert int(environment["CREDITBUS_METRICS_PORT"]) == METRICS_PORT
        secrets = {one.lower() for one in process.secrets}
        assert set(service.get("secrets", ())) == secrets
        assert {f"CREDITBUS_{one}_FILE" for one in process.secrets} == {
            one for one in environment if one.endswith("_FILE") and not one.startswith("CREDITBUS_REDIS")
        }
        if process.port:
            setting = process.name.upper()
            assert environment[f"CREDITBUS_{setting}_HOST"] == "0.0.0.0"  # noqa: S104 # within its container
            assert int(environment[f"CREDITBUS_{setting}_PORT"]) == process.port
            assert service["ports"] == [f"${{CREDITBUS_DOORS:-127.0.0.1}}:{process.port}:{process.port}"]
            assert speaks_tls(service, process)
        else:
            assert "ports" not in service
        folders = {one.split(":")[1] for one in service.get("volumes", ()) if isinstance(one, str)}
        assert not process.folder or f"/var/lib/creditbus/data/{process.folder}" in folders, name
        assert ("doors" in service["networks"]) == bool(process.port or "endpoints" in process.peers)


def test_kafka_and_redis_speak_nothing_in_clear_and_ask_who_is_there() -> None:
    assert "PLAINTEXT" not in TEXT
    assert not re.search(r"\bredis://", TEXT)
    for name in ("kafka-1", "kafka-2", "kafka-3"):
        told = SERVICES[name]["environment"]
        protocols = dict(one.split(":") for one in told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
        assert set(protocols.values()) == {"SSL"}
        assert {one.partition("://")[0] for one in told["KAFKA_LISTENERS"].split(",")} == set(protocols)
        assert told["KAFKA_SSL_CLIENT_AUTH"] == "required"
        assert told["KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND"] == "false"
        assert told["KAFKA_SUPER_USERS"] == "User:broker;User:administrator"
    words = SERVICES["redis"]["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert (options["--port"], options["--tls-port"]) == ("0", "6379")
    assert options["--aclfile"] == "/run/server/users.acl"


def test_each_container_is_a_principal_of_its_own_and_sees_no_other_secrets() -> None:
    for name, service in SERVICES.items():
        expected: dict[str, str] = {}
        if name in OURS or name == "registry":
            principal = principal_of_service(name)
            assert principal in {None, "administrator", *GRANTS}, name
            expected |= {"/run/principal": f"./secrets/principals/{principal}"} if principal else {}
            knows_redis = principal in users(GRANTS)
            told = service["environment"]
            assert told.get("CREDITBUS_REDIS_USER") == (principal if knows_redis else None), name
            assert ("CREDITBUS_REDIS_PASSWORD_FILE" in told) == knows_redis, name
            assert ("CREDITBUS_KAFKA_CERTIFICATE" in told) == (name in OURS and principal is not None), name
        elif name in WRITES_INTO_ITS_IMAGE | {"redis"}:
            expected |= {"/run/server": f"./secrets/{name}"}
        if name in DOORS:
            expected |= {"/run/certificates": f"./secrets/{name}"}
        assert mounts(service) == expected, name
        named = [one for one in service.get("volumes", ()) if isinstance(one, str)]
        assert not [one for one in named if "secrets" in one], name
    assert SERVICES["topics"]["command"] == ["topics", "apply", "--acls"], "the administrator's only work"


def test_every_secret_that_is_mounted_is_made_by_one_command(tmp_path: Path) -> None:
    write_container_secrets(tmp_path / "secrets", GRANTS, [], days=1)
    folders = {source for service in SERVICES.values() for source in mounts(service).values()}
    files = {one["file"] for one in COMPOSE["secrets"].values()}
    assert len(folders) > len(PROCESSES)
    for source in folders:
        assert (tmp_path / source).is_dir(), source
    for source in files:
        assert (tmp_path / source).is_file(), source
    for name, service in SERVICES.items():
        for target, source in mounts(service).items():
            for path in re.findall(rf"{target}/[\w.-]+", yaml.safe_dump(service, width=1000)):
                assert (tmp_path / source / path.removeprefix(f"{target}/")).is_file(), (name, path)


def test_nobody_may_do_more_than_it_must() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only", False) == (name not in WRITES_INTO_ITS_IMAGE), name
        assert "privileged" not in service
        assert name in WRITES_INTO_ITS_IMAGE | {"registry"} or not service["user"].startswith(("0", "root")), name


def test_everything_is_limited_watched_and_of_a_version() -> None:
    for name, service in SERVICES.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        once = name in OURS and service["command"][0] != "run"
        assert ("disable" in service["healthcheck"]) == once, name
        version = service["image"].rpartition(":")[2]
        assert re.search(r"\d+\.\d+", version), name


def test_the_servers_are_those_that_the_tests_run_on() -> None:
    line = ".".join(installed_version().split(".")[:2])
    assert SERVICES["kafka-1"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert SERVICES["redis"]["image"] == f"valkey/valkey:{line}"
    assert SERVICES["registry"]["image"] == f"apicurio/apicurio-registry:{REGISTRY_VERSION}"


def test_prometheus_scrapes_every_process() -> None:
    targets = yaml.safe_load((DEPLOY / "compose" / "targets.yml").read_text("utf-8"))
    scraped = {target for one in targets for target in one["targets"]}
    assert scraped == {f"{name}:{METRICS_PORT}" for one in PROCESSES for name in services_of(one)}
    looked_at = set(SERVICES["portal"]["environment"]["CREDITBUS_OPERATIONS_TARGETS"].split(","))
    assert looked_at == scraped - {f"portal:{METRICS_PORT}"}
