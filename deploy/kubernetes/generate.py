"""Writes the manifests: `base/`, and a kustomization for each size beside it.

python -m deploy.kubernetes.generate            write them
python -m deploy.kubernetes.generate --check    exit 1 and name those that differ from what is written

A developer's tool: it needs PyYAML, which the bus does not.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from deploy.kubernetes import principals
from deploy.kubernetes.jobs import jobs
from deploy.kubernetes.network import policies
from deploy.kubernetes.servers import BROKERS, kafka, redis, registry
from deploy.kubernetes.workloads import IMAGE, PART_OF, Manifest, door, member, records
from deploy.processes import METRICS_PORT, PROCESSES
from deploy.sizing import CITY, PROVINCE, Size, size

FOLDER = Path(__file__).parent
HEADER = "# Made by `python -m deploy.kubernetes.generate` from deploy/processes.py. Do not edit: put what is yours into an overlay.\n"
NAMESPACE = "creditbus"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}


def files() -> dict[str, str]:
    """Every file's text, by its path under `deploy/kubernetes/`."""
    base = {
        "namespace": [namespace()],
        "settings": [settings()],
        "kafka": kafka(),
        "users": principals.users(),
        "redis": redis(),
        "registry": registry(),
        "jobs": jobs(),
        "records": records(),
        **{one.name: member(one) for one in PROCESSES if one.kind == "member"},
        **{one.name: door(one) for one in PROCESSES if one.kind == "door"},
        "network": policies(),
        "monitoring": [pod_monitor()],
    }
    found = {f"base/{name}.yaml": _text(*manifests) for name, manifests in base.items()}
    found["base/kustomization.yaml"] = _text(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": NAMESPACE,
            "resources": [f"{name}.yaml" for name in base],
        }
    )
    for scale in (CITY, PROVINCE):
        found[f"{scale.name}/kustomization.yaml"] = _text(overlay(size(scale)))
    return found


def namespace() -> Manifest:
    """Kubernetes itself refuses a pod in it that is not locked down."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": PART_OF | RESTRICTED}}


def settings() -> Manifest:
    """What all processes are told."""
    pods = [f"{one.name}-{number}.{one.name}" for one in PROCESSES if one.kind == "member" for number in (0, 1)]
    targets = [f"{pod}:{METRICS_PORT}" for pod in pods]
    targets += [f"records-0.records:{METRICS_PORT + number}" for number in (1, 2, 3)]
    data = {
        "CREDITBUS_KAFKA": BROKERS,
        "CREDITBUS_REDIS": "rediss://redis:6379/0",
        "CREDITBUS_REGISTRY_URL": "http://registry:8080/apis/ccompat/v7",
        "CREDITBUS_PARTITIONS": str(size(CITY).partitions),
        "CREDITBUS_REPLICATION": "3",
        **principals.settings(),
        "CREDITBUS_OPERATIONS_TARGETS": ",".join(targets),
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "creditbus", "labels": PART_OF}, "data": data}


def pod_monitor() -> Manifest:
    """What the Prometheus operator scrapes: each process under its own name in the label `process`."""
    short = {"risk-classes": "risk"}
    relabel: list[dict[str, Any]] = [
        {"sourceLabels": ["__meta_kubernetes_pod_container_name"], "targetLabel": "process"},
        *(
            {"sourceLabels": ["process"], "regex": name, "targetLabel": "process", "replacement": label}
            for name, label in short.items()
        ),
    ]
    endpoints = [{"port": f"metrics-{one.name}"[:15], "interval": "15s", "relabelings": relabel} for one in PROCESSES]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "creditbus", "labels": PART_OF},
        "spec": {"selector": {"matchLabels": PART_OF}, "podMetricsEndpoints": endpoints},
    }


def overlay(wanted: Size) -> Manifest:
    """A kustomization with the numbers of a size."""
    redis_mib = max(4096, _rounded(wanted.redis_gib * 1024 * 5 / 3))
    kafka_gib = max(200, _rounded(wanted.kafka_tib_a_year * 1024 / 3))

    def patch(kind: str, name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
        steps = [{"op": "replace", "path": path, "value": value} for path, value in changes]
        return {"target": {"kind": kind, "name": name}, "patch": yaml.safe_dump(steps, sort_keys=False)}

    server = "/spec/template/spec/containers/0"
    most = wanted.partitions
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../base"],
        "images": [{"name": IMAGE.partition(":")[0], "newTag": IMAGE.partition(":")[2]}],
        "patches": [
            patch("ConfigMap", "creditbus", ("/data/CREDITBUS_PARTITIONS", str(wanted.partitions))),
            patch("HorizontalPodAutoscaler", "standing", ("/spec/minReplicas", max(2, wanted.processors)), ("/spec/maxReplicas", most)),
            patch("HorizontalPodAutoscaler", "ledger", ("/spec/maxReplicas", most)),
            patch("HorizontalPodAutoscaler", "risk-classes", ("/spec/maxReplicas", most)),
            patch("StatefulSet", "dispatcher", ("/spec/replicas", max(2, wanted.dispatchers))),
            patch("StatefulSet", "early-warning", ("/spec/replicas", max(2, wanted.early_warning))),
            patch(
                "StatefulSet", "redis",
                (f"{server}/env/1/value", f"{redis_mib * 3 // 5}mb"),
                (f"{server}/resources/requests/memory", f"{redis_mib}Mi"),
                (f"{server}/resources/limits/memory", f"{redis_mib}Mi"),
                ("/spec/volumeClaimTemplates/0/spec/resources/requests/storage", f"{max(20, 3 * redis_mib // 1024)}Gi"),
            ),
            patch("KafkaNodePool", "broker", ("/spec/storage/volumes/0/size", f"{kafka_gib}Gi")),
        ],
    }  # fmt: skip


def _rounded(number: float) -> int:
    """Up to two digits that count, as people order hardware."""
    step = 10 ** max(0, len(str(int(number))) - 2)
    return int(-(-number // step) * step)


class _Dumper(yaml.SafeDumper):
    """Writes lists as Kubernetes' own examples do, and text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 # the signature is the base class's
        """No anchors: each manifest is read by itself."""
        return True


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _text(*manifests: Manifest) -> str:
    return HEADER + yaml.dump_all(manifests, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)


def main(arguments: list[str]) -> int:
    """Write or check every file; the exit code."""
    drifted = []
    for name, text in files().items():
        path = FOLDER / name
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            drifted.append(name)
    for name in drifted:
        sys.stderr.write(
            f"error[manifest_drift]: deploy/kubernetes/{name} is not up to date - run: python -m deploy.kubernetes.generate\n"
        )
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
