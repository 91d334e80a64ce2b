"""The manifests of the bus's own processes: workload, service, disruption budget, scaling. Plain values; `generate.py` writes them."""

from typing import Any

from deploy.kubernetes import principals
from deploy.processes import METRICS_PORT, PROCESSES, Process

Manifest = dict[str, Any]

IMAGE = "creditbus:0.1.0"
USER = 10001
HOME = "/var/lib/creditbus"
SECRETS = "/run/secrets/creditbus"
CERTIFICATES = "/run/certificates"
END_SECONDS = 60
PART_OF = {"app.kubernetes.io/part-of": "creditbus"}
SIDECARS = {"portal": ("directory",), "records": ("archive", "directory", "deadlines")}
"""Which processes share a pod, because one reads the other's folder: each portal has a directory of its own beside it."""


def names(component: str) -> dict[str, str]:
    """The labels by which a process is found."""
    return {"app.kubernetes.io/name": "creditbus", "app.kubernetes.io/component": component, **PART_OF}


def metadata(name: str, component: str = "") -> Manifest:
    """Name and labels of an object."""
    return {"name": name, "labels": names(component or name)}


def container(process: Process, volumes: dict[str, str]) -> Manifest:
    """The container of a process.

    Args:
        process: which.
        volumes: name of each volume that it sees, and the folder under `data/` that it is.
    """
    port = METRICS_PORT + (
        0 if process.name not in SIDECARS["records"] else 1 + SIDECARS["records"].index(process.name)
    )
    environment: list[Manifest] = [{"name": "CREDITBUS_METRICS_PORT", "value": str(port)}]
    if process.kind == "member":
        environment.append({"name": "CREDITBUS_INSTANCE_ID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    if process.port:
        setting = f"CREDITBUS_{process.name.upper()}"
        environment += [
            {"name": f"{setting}_HOST", "value": "0.0.0.0"},  # noqa: S104 # within its pod
            {"name": f"{setting}_PORT", "value": str(process.port)},
            {"name": f"{setting}_CERTIFICATE", "value": f"{CERTIFICATES}/tls.crt"},
            {"name": f"{setting}_KEY", "value": f"{CERTIFICATES}/tls.key"},
        ]
    environment += principals.environment(process.name)
    environment += [
        {"name": f"CREDITBUS_{secret}_FILE", "value": f"{SECRETS}/{secret.lower()}"} for secret in process.secrets
    ]
    mounts: list[Manifest] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 # the pod's own
    mounts.append(principals.mount(process.name))
    mounts += [{"name": name, "mountPath": f"{HOME}/data/{folder}"} for name, folder in volumes.items()]
    if process.secrets:
        mounts.append({"name": "secrets", "mountPath": SECRETS, "readOnly": True})
    if process.port:  # the whole Secret, not its files one by one: only so is a renewed one seen
        mounts.append({"name": "certificate", "mountPath": CERTIFICATES, "readOnly": True})
    ports = [{"name": f"metrics-{process.name}"[:15], "containerPort": port}]
    ports += [{"name": "https", "containerPort": process.port}] if process.port else []
    gets_on = {"httpGet": {"path": "/health", "port": port}}
    ready = {"httpGet": {"path": process.ready, "port": process.port, "scheme": "HTTPS"}} if process.port else gets_on
    return {
        "name": process.name,
        "image": IMAGE,
        "args": ["run", process.name],
        "envFrom": [{"configMapRef": {"name": "creditbus"}}],
        "env": environment,
        "ports": ports,
        "startupProbe": gets_on | {"periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 60},
        # Stuck for five minutes more: it is started again. Servers that are away are no reason to hurry.
        "livenessProbe": gets_on | {"periodSeconds": 15, "timeoutSeconds": 10, "failureThreshold": 20},
        "readinessProbe": ready | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "resources": {
            "requests": {"cpu": f"{int(process.cores * 250)}m", "memory": f"{process.memory_mib // 2}Mi"},
            "limits": {"cpu": f"{int(process.cores * 1000)}m", "memory": f"{process.memory_mib}Mi"},
        },
        "securityContext": locked_down(),
        "volumeMounts": mounts,
    }


def locked_down() -> Manifest:
    """What every container of ours gives up."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def pod(component: str, containers: list[Manifest], volumes: list[Manifest], *, user: int = USER) -> Manifest:
    """A pod's template. Without service links: the variables of a service `creditbus-…` would be taken for settings."""
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": END_SECONDS,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": names(component)},
            }
        ],
        "containers": containers,
        "volumes": volumes,
    }  # fmt: skip
    return {"metadata": {"labels": names(component)}, "spec": spec}


def claim(name: str, gibibytes: int) -> Manifest:
    """A disk of each pod."""
    return {
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{gibibytes}Gi"}}},
    }


def by_name(name: str) -> Process:
    """The process of a name."""
    return next(one for one in PROCESSES if one.name == name)


def _volumes(*processes: Process) -> list[Manifest]:
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}}]
    volumes += [principals.volume(one.name) for one in processes]
    secrets = sorted({secret for one in processes for secret in one.secrets})
    volumes += [bus_keys(secrets)] if secrets else []
    volumes += [
        {"name": "certificate", "secret": {"secretName": f"{one.name}-tls", "defaultMode": 0o440}}
        for one in processes
        if one.port
    ]
    return volumes


def bus_keys(settings: list[str]) -> Manifest:
    """The volume with keys of the bus, by the settings that name them."""
    items = [{"key": one.lower(), "path": one.lower()} for one in settings]
    return {"name": "secrets", "secret": {"secretName": "creditbus-keys", "defaultMode": 0o440, "items": items}}


def _replicas(process: Process) -> Manifest:
    """None where the autoscaler sets them: else each `apply` would set back what it has found."""
    return {} if scaling(process, "") else {"replicas": 2}


def member(process: Process) -> list[Manifest]:
    """A StatefulSet: each pod has a lasting name, so that one that is started again has its partitions at once."""
    claims = [claim("data", 20)] if process.folder else []
    spec: Manifest = _replicas(process) | {
        "serviceName": process.name,
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": names(process.name)},
        "template": pod(
            process.name, [container(process, {"data": process.folder} if claims else {})], _volumes(process)
        ),
    }
    if claims:
        spec |= {
            "volumeClaimTemplates": claims,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        }
    workload = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(process.name), "spec": spec}
    headless = service(process.name, METRICS_PORT, headless=True)
    return [workload, headless, budget(process.name), *scaling(process, "StatefulSet")]


def door(process: Process) -> list[Manifest]:
    """A Deployment, or with a sidecar that keeps something a StatefulSet; served inside the cluster, by TLS with the certificate of its Secret."""
    beside = [by_name(one) for one in SIDECARS.get(process.name, ())]
    shared = {one.folder: one.folder for one in beside}
    if process.name == "portal":
        shared["open-data"] = "open-data"
    sidecars = [container(one, {one.folder: one.folder}) | {"restartPolicy": "Always"} for one in beside]
    volumes = _volumes(process) + [principals.volume(one.name) for one in beside]
    if process.name == "portal":
        volumes.append({"name": "open-data", "persistentVolumeClaim": {"claimName": "open-data", "readOnly": True}})
    template = pod(process.name, [container(process, shared)], volumes)
    if sidecars:
        template["spec"]["initContainers"] = sidecars  # they run on, and the portal starts once they have
    spec: Manifest = {"selector": {"matchLabels": names(process.name)}, "template": template}
    kind = "StatefulSet" if beside else "Deployment"
    if beside:
        spec |= {
            "serviceName": process.name,
            "podManagementPolicy": "Parallel",
            "volumeClaimTemplates": [claim(one.folder, 20) for one in beside],
        }
    workload = {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata(process.name), "spec": spec}
    return [
        workload,
        service(process.name, process.port, called="https"),
        budget(process.name),
        *scaling(process, kind),
    ]


def records() -> list[Manifest]:
    """What is made of all records, one of each a bus: archive, directory and deadlines in one pod, read together by releases."""
    parts = [by_name(one) for one in SIDECARS["records"]]
    containers = [container(one, {one.folder: one.folder}) for one in parts]
    spec = {
        "replicas": 1,
        "serviceName": "records",
        "selector": {"matchLabels": names("records")},
        "template": pod("records", containers, _volumes(*parts)),
        "volumeClaimTemplates": [claim(one.folder, 200 if one.name == "archive" else 20) for one in parts],
    }
    workload = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata("records"), "spec": spec}
    return [workload, service("records", METRICS_PORT + 1, headless=True), budget("records")]


def service(name: str, port: int, *, called: str = "http", headless: bool = False) -> Manifest:
    """A service; a headless one gives pods their names. Ingresses and meshes see by what its port is `called` what is spoken on it."""
    spec: Manifest = {
        "selector": names(name),
        "ports": [{"name": "metrics" if headless else called, "port": port, "targetPort": port}],
    }
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata(name),
        "spec": spec | ({"clusterIP": "None"} if headless else {}),
    }  # fmt: skip


def budget(name: str) -> Manifest:
    """Of each workload one pod at a time may be moved."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": names(name)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(name), "spec": spec}


def scaling(process: Process, kind: str, *, most: int = 4) -> list[Manifest]:
    """By the records that wait, or of doors by their processor time; no more members than there are partitions to share."""
    if process.lag:
        metric: Manifest = {
            "type": "External",
            "external": {
                "metric": {"name": process.lag.metric},
                "target": {"type": "AverageValue", "averageValue": str(process.lag.records)},
            },
        }
    elif process.kind == "door":
        utilization = {"type": "Utilization", "averageUtilization": 150}
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": utilization}}
    else:
        return []
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": process.name},
        "minReplicas": 2,
        "maxReplicas": most,
        "metrics": [metric],
        # Each change of members moves partitions: soon more, and fewer only after half an hour of quiet.
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]},
            "scaleDown": {"stabilizationWindowSeconds": 1800, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}]},
        },
    }  # fmt: skip
    return [
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": metadata(process.name),
            "spec": spec,
        }
    ]
