"""Who may talk to whom: nothing is let in or out that the table of processes does not name."""

from typing import Any

from deploy.kubernetes.workloads import PART_OF, SIDECARS, Manifest, metadata, names
from deploy.processes import METRICS_PORT, PROCESSES, Peer, Process

_DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}
_METRICS: list[Manifest] = [
    {"protocol": "TCP", "port": METRICS_PORT, "endPort": METRICS_PORT + len(SIDECARS["records"])}
]
_PRIVATE = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
"""Where webhooks do not go, as the dispatcher's own guard says; an operator's CREDITBUS_WEBHOOK_NETWORKS needs a policy beside."""
TO: dict[Peer, Manifest] = {
    "kafka": {
        "to": [{"podSelector": {"matchLabels": {"strimzi.io/cluster": "creditbus"}}}],
        "ports": [{"protocol": "TCP", "port": 9093}],
    },
    "redis": {"to": [{"podSelector": {"matchLabels": names("redis")}}], "ports": [{"protocol": "TCP", "port": 6379}]},
    "registry": {
        "to": [{"podSelector": {"matchLabels": names("registry")}}],
        "ports": [{"protocol": "TCP", "port": 8080}],
    },
    "endpoints": {
        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _PRIVATE}}],
        "ports": [{"protocol": "TCP", "port": 443}],
    },
    "metrics": {"to": [{"podSelector": {"matchLabels": PART_OF}}], "ports": _METRICS},
}
"""The rule by which each peer is reached."""


def components() -> dict[str, tuple[Process, ...]]:
    """Each pod of the bus's own, and the processes in it."""
    alone = {one.name: (one,) for one in PROCESSES if one.name not in SIDECARS["records"]}
    together = {
        name: tuple(one for one in PROCESSES if one.name == name or one.name in beside)
        for name, beside in SIDECARS.items()
    }
    return alone | together


def policies() -> list[Manifest]:
    """The default, then one for each pod."""
    found = [_policy("default-deny", {"matchLabels": PART_OF}, ingress=[], egress=[_DNS])]
    for name, processes in components().items():
        peers = sorted(frozenset[Peer]().union(*(one.peers for one in processes)))
        doors = [one.port for one in processes if one.port]
        ingress: list[Manifest] = [{"from": [_namespace("monitoring"), _pods("portal")], "ports": _METRICS}]
        if doors:
            ports = [{"protocol": "TCP", "port": port} for port in doors]
            ingress.append({"from": [_namespace("ingress-nginx")], "ports": ports})
        found.append(_policy(name, {"matchLabels": names(name)}, ingress=ingress, egress=[TO[peer] for peer in peers]))
    found += [
        _policy(
            "redis", {"matchLabels": names("redis")},
            ingress=[{"from": [_users("redis"), _pods("redis"), _pods("open-data"), _pods("operator")], "ports": TO["redis"]["ports"]}],
            egress=[TO["redis"]],
        ),
        _policy(
            "registry", {"matchLabels": names("registry")},
            ingress=[{"from": [_users("registry"), _pods("prepare"), _pods("open-data"), _pods("operator")], "ports": TO["registry"]["ports"]}],
            egress=[TO["kafka"]],
        ),
        _policy("prepare", {"matchLabels": names("prepare")}, ingress=[], egress=[TO["kafka"], TO["registry"]]),
        *(
            _policy(name, {"matchLabels": names(name)}, ingress=[], egress=[TO["kafka"], TO["redis"], TO["registry"]])
            for name in ("open-data", "operator")
        ),
    ]  # fmt: skip
    return found


def _policy(name: str, selector: Manifest, *, ingress: list[Manifest], egress: list[Manifest]) -> Manifest:
    spec = {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], "ingress": ingress, "egress": egress}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata(name), "spec": spec}


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _pods(component: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": names(component)}}


def _users(peer: Peer) -> dict[str, Any]:
    """All pods with a process that talks to a peer."""
    using = sorted(name for name, processes in components().items() if any(peer in one.peers for one in processes))
    wanted = {"key": "app.kubernetes.io/component", "operator": "In", "values": using}
    return {"podSelector": {"matchLabels": PART_OF, "matchExpressions": [wanted]}}
