"""The manifests of what runs once: topics, lists and contracts, the daily release of open data, and the operator's commands."""

from deploy.kubernetes import principals
from deploy.kubernetes.workloads import IMAGE, SECRETS, Manifest, bus_keys, locked_down, metadata, names, pod
from deploy.local.secured import ADMINISTRATOR

TMP: Manifest = {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}
SETTINGS = "creditbus"
"""The ConfigMap."""


def jobs() -> list[Manifest]:
    """Topics, lists and contracts are applied anew with each version of the bus; the operator's CronJob is a pattern, and never due."""
    never = _cron("operator", _operator(), schedule="0 0 1 1 *")
    never["spec"]["suspend"] = True
    shared = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata("open-data"),
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "20Gi"}}},
    }  # fmt: skip
    prepare = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("prepare"),
        "spec": {"backoffLimit": 20, "ttlSecondsAfterFinished": 24 * 3600, "template": _prepare()},
    }  # fmt: skip
    return [prepare, shared, _cron("open-data", _release(), schedule="17 */4 * * *"), never]


def _prepare() -> Manifest:
    """The administrator does the first; the second needs the registry alone, and is nobody to Kafka and Redis."""
    contracts = _once("contracts", ["schemas", "push"], {})
    url = "CREDITBUS_REGISTRY_URL"
    contracts["env"] = [{"name": url, "valueFrom": {"configMapKeyRef": {"name": SETTINGS, "key": url}}}]
    made = _template("prepare", [contracts], [TMP, principals.volume(ADMINISTRATOR)])
    made["spec"]["initContainers"] = [_once("topics", ["topics", "apply", "--acls"], {}, principal=ADMINISTRATOR)]
    return made


def _release() -> Manifest:
    folders = ("archive", "directory", "deadlines")
    claims = [{"name": one, "persistentVolumeClaim": {"claimName": f"{one}-records-0"}} for one in folders] + [
        {"name": "open-data", "persistentVolumeClaim": {"claimName": "open-data"}}
    ]
    mounts = {one: f"/var/lib/creditbus/data/{one}" for one in (*folders, "open-data")}
    release = _once("release", ["open-data", "release"], mounts, principal=principals.OPEN_DATA)
    made = _template("open-data", [release], [TMP, principals.volume(principals.OPEN_DATA), *claims])
    beside = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": names("records")}}
    made["spec"]["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [beside]}}
    return made


def _operator() -> Manifest:
    keys = ["PERSON_KEYS", "PORTAL_KEYS", "SIGNING_KEYS"]
    command = _once("operator", ["verify"], {}, principal=principals.OPERATOR)
    command["env"] += [{"name": f"CREDITBUS_{one}_FILE", "value": f"{SECRETS}/{one.lower()}"} for one in keys]
    command["volumeMounts"].append({"name": "secrets", "mountPath": SECRETS, "readOnly": True})
    return _template("operator", [command], [TMP, principals.volume(principals.OPERATOR), bus_keys(keys)])


def _once(name: str, arguments: list[str], mounts: dict[str, str], *, principal: str = "") -> Manifest:
    """A container that ends by itself; with the settings of all where it is a principal."""
    made: Manifest = {
        "name": name,
        "image": IMAGE,
        "args": arguments,
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1000m", "memory": "512Mi"},
        },
        "securityContext": locked_down(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 # the pod's own
        + [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }  # fmt: skip
    if principal:
        made |= {"envFrom": [{"configMapRef": {"name": SETTINGS}}], "env": principals.environment(principal)}
        made["volumeMounts"].append(principals.mount(principal))
    return made


def _template(component: str, containers: list[Manifest], volumes: list[Manifest]) -> Manifest:
    made = pod(component, containers, volumes)
    made["spec"]["restartPolicy"] = "OnFailure"
    return made


def _cron(name: str, template: Manifest, *, schedule: str) -> Manifest:
    return {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata(name),
        "spec": {
            "schedule": schedule, "timeZone": "Asia/Shanghai", "concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 3600,
            "jobTemplate": {"spec": {"backoffLimit": 3, "template": template}},
        },
    }  # fmt: skip
