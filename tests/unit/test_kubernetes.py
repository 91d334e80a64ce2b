"""deploy/kubernetes: made of the table of processes, by the schemas of the Kubernetes API, and by rules of our own."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.kubernetes.generate import FOLDER, files
from deploy.kubernetes.network import components
from deploy.local.secured import ADMINISTRATOR
from deploy.processes import PROCESSES
from exchange.catalogue import load_catalogue
from exchange.grants import grants_of
from exchange.paths import SCHEMAS
from exchange.redis_acl import users
from exchange.settings import Settings
from tests.unit.test_compose import is_setting

KUBERNETES = "1.33"
OTHERS = ("kafka.strimzi.io/", "monitoring.coreos.com/", "kustomize.config.k8s.io/")
"""Kinds whose schemas their operators bring; see docs/deploy.md for how these manifests were checked."""


def objects() -> Iterator[dict[str, Any]]:
    for name, text in files().items():
        if name.startswith("base/"):
            yield from (one for one in yaml.safe_load_all(text) if one)


MANIFESTS = list(objects())


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] in kinds}


GRANTS = grants_of(Settings(), load_catalogue(SCHEMAS).departments)
WORKLOADS = of_kind("Deployment", "StatefulSet")


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in (WORKLOADS | of_kind("Job")).items():
        yield name, one["spec"]["template"]["spec"]
    for name, one in of_kind("CronJob").items():
        yield name, one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, pod in pods():
        yield from ((f"{name}/{one['name']}", one) for one in pod["containers"] + pod.get("initContainers", []))


def test_the_files_are_those_that_are_made() -> None:
    assert {name: (FOLDER / name).read_text("utf-8") for name in files()} == files()


def test_kubernetes_takes_them() -> None:
    for one in MANIFESTS:
        if not one.get("apiVersion", "").startswith(OTHERS):
            kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_every_process_runs_once_where_its_folder_is() -> None:
    running = [container["args"][1] for _, container in containers() if container.get("args", [""])[0] == "run"]
    assert set(running) == {one.name for one in PROCESSES}
    assert [one for one in running if running.count(one) > 1] == [
        "directory"
    ] * 2  # beside each portal, and of the releases
    for process in PROCESSES:
        for name, container in containers():
            if container["name"] == process.name and process.folder:
                paths = {one["mountPath"] for one in container["volumeMounts"]}
                assert f"/var/lib/creditbus/data/{process.folder}" in paths, name


def test_a_portal_starts_once_its_directory_is_there() -> None:
    pod = WORKLOADS["portal"]["spec"]["template"]["spec"]
    assert [(one["name"], one["restartPolicy"]) for one in pod["initContainers"]] == [("directory", "Always")]


def test_every_pod_is_locked_down() -> None:
    for name, pod in pods():
        context = pod["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, "a service's variables would be taken for settings"
    for name, container in containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }, name  # fmt: skip


def test_every_container_is_limited_probed_and_of_a_version() -> None:
    once = {
        one["name"]
        for _, pod in pods()
        if "restartPolicy" in pod
        for one in pod["containers"] + pod.get("initContainers", [])
    }
    for name, container in containers():
        for kind in ("requests", "limits"):
            assert set(container["resources"][kind]) == {"cpu", "memory"}, name
        assert container["image"].rpartition(":")[2][0].isdigit() or container["image"].rpartition(":")[2][0] == "v", (
            name
        )
        if container["name"] not in once:
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), name
            ports = {one["containerPort"] for one in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe].get("httpGet", {"port": min(ports)})["port"] in ports, name


def test_every_setting_is_one_of_the_bus() -> None:
    told = of_kind("ConfigMap")["creditbus"]["data"]
    named = set(told) | {one["name"] for _, container in containers() for one in container.get("env", ())}
    assert {name for name in named if name.startswith("CREDITBUS_") and not is_setting(name)} == set()
    paths = {"CREDITBUS_KAFKA_CA", "CREDITBUS_REDIS_CA"}
    given = told | dict.fromkeys(paths, __file__) | {"CREDITBUS_KAFKA_USER": "u", "CREDITBUS_KAFKA_PASSWORD": "p"}
    Settings(**{name.removeprefix("CREDITBUS_").lower(): value for name, value in given.items()})


def test_kafka_and_redis_speak_nothing_in_clear_and_ask_who_is_there() -> None:
    made = "".join(files().values())
    assert "PLAINTEXT" not in made
    assert "value: redis://" not in made
    spec = of_kind("Kafka")["creditbus"]["spec"]["kafka"]
    assert [(one["tls"], one["authentication"]) for one in spec["listeners"]] == [(True, {"type": "scram-sha-512"})]
    assert spec["authorization"] == {
        "type": "custom", "authorizerClass": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "supportsAdminApi": False, "superUsers": [ADMINISTRATOR],
    }, "the user operator takes away the entries of users that have none of their own, where it may"  # fmt: skip
    assert "allow.everyone.if.no.acl.found" not in spec["config"], "false by itself"
    (server,) = WORKLOADS["redis"]["spec"]["template"]["spec"]["containers"]
    words = server["command"][2].split()
    for option, value in {"--port": "0", "--tls-port": "6379", "--aclfile": "/run/server/users.acl"}.items():
        assert words[words.index(option) + 1] == value


def principal(container: dict[str, Any]) -> str | None:
    """Whom Kafka knows a container as."""
    told = {one["name"]: one for one in container.get("env", ())}
    if "APICURIO_KAFKA_COMMON_SASL_JAAS_CONFIG" in told:
        return str(told["APICURIO_KAFKA_COMMON_SASL_JAAS_CONFIG"]["valueFrom"]["secretKeyRef"]["name"])
    return told["CREDITBUS_KAFKA_USER"]["value"] if "CREDITBUS_KAFKA_USER" in told else None


def test_each_container_is_a_principal_of_its_own_and_sees_no_other_secrets() -> None:
    seen: dict[str, set[str]] = {}
    for name, pod in pods():
        volumes = {one["name"]: one for one in pod["volumes"]}
        for container in pod["containers"] + pod.get("initContainers", []):
            user = principal(container)
            seen.setdefault(container["name"], set()).add(str(user))
            if container["name"] in {"valkey", "registry", "contracts"}:
                continue
            told = {one["name"]: one.get("value") for one in container["env"]}
            knows_redis = user in users(GRANTS)
            assert told.get("CREDITBUS_REDIS_USER") == (user if knows_redis else None), name
            (own,) = [one["name"] for one in container["volumeMounts"] if one["mountPath"] == "/run/principal"]
            sources = [one["secret"]["name"] for one in volumes[own]["projected"]["sources"]]
            redis = [f"redis-{str(user).removeprefix('credit.')}"] if knows_redis else []
            assert sources == [user, "creditbus-cluster-ca-cert", "redis-tls", *redis], name
            paths = {item["path"] for one in volumes[own]["projected"]["sources"] for item in one["secret"]["items"]}
            files = {value for key, value in told.items() if value and key.endswith("_PASSWORD_FILE")}
            files |= {of_kind("ConfigMap")["creditbus"]["data"][f"CREDITBUS_{one}_CA"] for one in ("KAFKA", "REDIS")}
            assert {f"/run/principal/{path}" for path in paths} == files, name
    expected = {one.name: f"credit.{one.name}" for one in PROCESSES} | {
        "registry": "credit.registry", "release": "credit.open-data", "operator": "credit.operator", "topics": ADMINISTRATOR,
        "contracts": "None", "valkey": "None",
    }  # fmt: skip
    assert seen == {name: {user} for name, user in expected.items()}
    made = {
        name
        for name, one in of_kind("KafkaUser").items()
        if one["spec"] == {"authentication": {"type": "scram-sha-512"}}
    }
    assert made == set(expected.values()) - {"None"}
    assert made <= {ADMINISTRATOR, *GRANTS}


def test_the_lists_are_applied_before_anything_else_is_done() -> None:
    (topics,) = of_kind("Job")["prepare"]["spec"]["template"]["spec"]["initContainers"]
    assert topics["args"] == ["topics", "apply", "--acls"]
    assert of_kind("CronJob")["operator"]["spec"]["suspend"] is True, "a pattern for the operator's commands"


def test_doors_speak_tls_by_the_certificate_of_a_secret() -> None:
    for process in (one for one in PROCESSES if one.port):
        pod = WORKLOADS[process.name]["spec"]["template"]["spec"]
        (container,) = [one for one in pod["containers"] if one["name"] == process.name]
        told = {one["name"]: one.get("value") for one in container["env"]}
        (mount,) = [one for one in container["volumeMounts"] if one["name"] == "certificate"]
        (volume,) = [one for one in pod["volumes"] if one["name"] == "certificate"]
        assert volume["secret"]["secretName"] == f"{process.name}-tls"
        assert volume["secret"]["defaultMode"] == 0o440
        assert set(mount) == {"name", "mountPath", "readOnly"}, "the whole Secret: a part of it is never renewed"
        for key, file in (
            ("CERTIFICATE", "tls.crt"),
            ("KEY", "tls.key"),
        ):  # as Secrets of the type kubernetes.io/tls have them
            assert told[f"CREDITBUS_{process.name.upper()}_{key}"] == f"{mount['mountPath']}/{file}"
        assert container["readinessProbe"]["httpGet"] == {
            "path": process.ready, "port": process.port, "scheme": "HTTPS",
        }  # fmt: skip
        assert "scheme" not in container["livenessProbe"]["httpGet"], (
            "metrics and health are in clear, within the network policies"
        )
        (port,) = of_kind("Service")[process.name]["spec"]["ports"]
        assert (port["name"], port["port"]) == ("https", process.port)


def test_members_have_lasting_names_and_no_more_of_them_than_partitions() -> None:
    most = int(of_kind("ConfigMap")["creditbus"]["data"]["CREDITBUS_PARTITIONS"])
    for process in PROCESSES:
        if process.kind == "member":
            assert WORKLOADS[process.name]["kind"] == "StatefulSet"
            scaler = of_kind("HorizontalPodAutoscaler").get(process.name)
            assert (scaler is not None) == (process.lag is not None)
            assert scaler is None or scaler["spec"]["maxReplicas"] <= most


def test_every_workload_may_be_moved_one_pod_at_a_time() -> None:
    assert set(of_kind("PodDisruptionBudget")) == set(WORKLOADS)
    for one in of_kind("PodDisruptionBudget").values():
        assert one["spec"]["maxUnavailable"] == 1


def reached_by(policy: dict[str, Any]) -> set[str]:
    """Whom a pod's policy lets it open connections to, but the names' servers."""
    known = {
        6379: "redis", 9093: "kafka", 8080: "registry", 443: "endpoints", 9100: "metrics",
    }  # fmt: skip
    return {known[rule["ports"][0]["port"]] for rule in policy["spec"]["egress"] if rule["ports"][0]["port"] != 53}


def test_the_network_lets_through_what_the_table_names_and_nothing_else() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["default-deny"]["spec"]["ingress"] == []
    for name, processes in components().items():
        assert reached_by(policies[name]) == set().union(*(one.peers for one in processes)), name
        taken = {port["port"] for rule in policies[name]["spec"]["ingress"] for port in rule["ports"]}
        assert taken == {9100} | {one.port for one in processes if one.port}, name
    for server in ("redis", "registry"):
        rule = policies[server]["spec"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][0]
        assert set(rule["values"]) == {
            name for name, processes in components().items() if any(server in one.peers for one in processes)
        }


@pytest.mark.parametrize("scale", ["city", "province"])
def test_a_size_is_laid_over_the_base(scale: str) -> None:
    tool = shutil.which("kubectl")
    if tool is None:
        pytest.skip("kubectl, which has kustomize in it, is not there")
    done = subprocess.run(
        [tool, "kustomize", str(FOLDER / scale)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    made = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert len(made) == len([one for one in MANIFESTS if one["kind"] != "Kustomization"])
    assert {one["metadata"].pop("namespace", "creditbus") for one in made} == {"creditbus"}
    changed = [one for one in made if one not in MANIFESTS]
    assert {one["kind"] for one in changed} >= {"HorizontalPodAutoscaler", "StatefulSet"}
    for one in changed:
        if not one["apiVersion"].startswith(OTHERS):
            kubernetes_validate.validate(one, KUBERNETES, strict=True)
