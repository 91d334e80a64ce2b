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
from deploy.processes import PROCESSES
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
    Settings(**{name.removeprefix("CREDITBUS_").lower(): value for name, value in told.items()})


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
        6379: "redis", 9092: "kafka", 8080: "registry", 443: "endpoints", 9100: "metrics",
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
