"""The manifests of the servers: Kafka by Strimzi, Redis with a warm replica, the schema registry."""

from deploy.kubernetes import principals
from deploy.kubernetes.workloads import (
    Manifest,
    budget,
    claim,
    locked_down,
    metadata,
    names,
    pod,
    service,
)
from deploy.local.secured import ADMINISTRATOR

KAFKA = "4.2.1"
BROKERS = "creditbus-kafka-bootstrap:9093"
VALKEY = "valkey/valkey:9.1"
REGISTRY = "apicurio/apicurio-registry:3.3.3"
_REGISTRY_PORT = 8080
_REGISTRY_HEALTH = 9000
_VALKEY_USER = 999
_REGISTRY_USER = 1001
_REDIS_MIB = 4096
KAFKA_CONFIG = {
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
    "auto.create.topics.enable": False,
    "message.max.bytes": 2 * 2**20,
    "replica.fetch.max.bytes": 2 * 2**20,
    "offsets.retention.minutes": 10 * 366 * 24 * 60,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
}
"""As docs/operations.md asks of a Kafka of one's own, and why."""


def kafka() -> list[Manifest]:
    """Three brokers in three zones, three controllers; topics are made by `creditbus topics apply`, so there is no topic operator."""

    def pool(role: str, gibibytes: int, memory: str, cpu: str) -> Manifest:
        spread = {
            "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"strimzi.io/pool-name": role}},
        }  # fmt: skip
        volume = {
            "id": 0, "type": "persistent-claim", "size": f"{gibibytes}Gi", "kraftMetadata": "shared", "deleteClaim": False,
        }  # fmt: skip
        return {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaNodePool",
            "metadata": {"name": role, "labels": principals.CLUSTER},
            "spec": {
                "replicas": 3,
                "roles": [role],
                "storage": {"type": "jbod", "volumes": [volume]},
                "resources": {
                    "requests": {"cpu": "500m", "memory": memory}, "limits": {"cpu": cpu, "memory": memory},
                },
                "template": {
                    "pod": {
                        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                        "topologySpreadConstraints": [spread],
                    }
                },
            },
        }  # fmt: skip

    peers = [{"podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "creditbus"}}}]
    listener = {
        "name": "tls", "port": 9093, "type": "internal", "tls": True, "authentication": {"type": "scram-sha-512"},
        "networkPolicyPeers": peers,
    }  # fmt: skip
    # Kafka's own authorizer as a "custom" one: of a "simple" one the user operator takes every entry away that no KafkaUser names.
    authorization = {
        "type": "custom", "authorizerClass": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "supportsAdminApi": False, "superUsers": [ADMINISTRATOR],
    }  # fmt: skip
    return [
        pool("controller", 20, "2Gi", "1"),
        pool("broker", 200, "4Gi", "4"),
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "Kafka",
            "metadata": {"name": "creditbus"},
            "spec": {
                "kafka": {
                    "version": KAFKA,
                    "listeners": [listener],
                    "authorization": authorization,
                    "config": KAFKA_CONFIG,
                },
                "entityOperator": {"userOperator": {}},
            },
        },
    ]


def redis() -> list[Manifest]:
    """The primary is redis-0; redis-1 follows it, for back-ups and for a fail-over by hand (docs/deploy.md)."""
    own = "/run/server"
    options = "--appendonly yes --appendfsync everysec --save '' --maxmemory-policy noeviction --maxmemory $MAXMEMORY"
    options += f" --port 0 --tls-port 6379 --tls-auth-clients no --tls-replication yes --tls-ca-cert-file {own}/ca.crt"
    options += f" --tls-cert-file {own}/tls.crt --tls-key-file {own}/tls.key --aclfile {own}/users.acl"
    follow = 'if [ "$HOSTNAME" != "$PRIMARY" ]; then set -- --replicaof "$PRIMARY.redis-pods" 6379; fi'
    # That it asks by TLS who is there is answer enough.
    answers = {"exec": {"command": ["valkey-cli", "--tls", "--cacert", f"{own}/ca.crt", "ping"]}}
    secrets = [{"secret": {"name": name}} for name in (principals.REDIS_TLS, "redis-users")]
    volume = {"name": "server", "projected": {"defaultMode": 0o440, "sources": secrets}}
    server = {
        "name": "valkey",
        "image": VALKEY,
        "command": ["sh", "-ec", f'{follow}; exec valkey-server {own}/replication.conf {options} "$@"', "valkey"],
        "env": [{"name": "PRIMARY", "value": "redis-0"}, {"name": "MAXMEMORY", "value": f"{_REDIS_MIB * 3 // 5}mb"}],
        "ports": [{"name": "redis", "containerPort": 6379}],
        "startupProbe": answers | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 120},
        "livenessProbe": answers | {"periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 12},
        "readinessProbe": answers | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "resources": {
            "requests": {"cpu": "500m", "memory": f"{_REDIS_MIB // 2}Mi"},
            "limits": {"cpu": "2000m", "memory": f"{_REDIS_MIB}Mi"},
        },
        "securityContext": locked_down(),
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "server", "mountPath": own, "readOnly": True},
        ],
    }
    primary = service("redis", 6379)
    primary["spec"] |= {
        "selector": names("redis") | {"statefulset.kubernetes.io/pod-name": "redis-0"},
        "ports": [{"name": "redis", "port": 6379, "targetPort": 6379}],
    }
    pods = service("redis", 6379, headless=True)
    pods["metadata"] = metadata("redis-pods", "redis")
    pods["spec"] |= {"publishNotReadyAddresses": True, "ports": [{"name": "redis", "port": 6379, "targetPort": 6379}]}
    spec = {
        "replicas": 2,
        "serviceName": "redis-pods",
        "selector": {"matchLabels": names("redis")},
        "template": pod("redis", [server], [volume], user=_VALKEY_USER),
        "volumeClaimTemplates": [claim("data", 20)],
    }
    workload = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata("redis"), "spec": spec}
    return [workload, primary, pods, budget("redis")]


def registry() -> list[Manifest]:
    """The registry keeps its schemas in Kafka, so that ids outlive it and two of it say the same."""
    # Not its interface: that answers, and knows nothing, while schemas are still read back.
    answers = {"httpGet": {"path": "/health/ready", "port": _REGISTRY_HEALTH}}
    lives = {"httpGet": {"path": "/health/live", "port": _REGISTRY_HEALTH}}
    common = "APICURIO_KAFKA_COMMON"
    ca = {
        "name": "ca",
        "secret": {
            "secretName": principals.CLUSTER_CA,
            "defaultMode": 0o440,
            "items": [{"key": "ca.crt", "path": "ca.crt"}],
        },
    }
    server = {
        "name": "registry",
        "image": REGISTRY,
        "env": [
            {"name": "APICURIO_STORAGE_KIND", "value": "kafkasql"},
            {"name": "APICURIO_KAFKASQL_BOOTSTRAP_SERVERS", "value": BROKERS},
            {"name": "APICURIO_KAFKASQL_SECURITY_PROTOCOL", "value": "SASL_SSL"},
            {"name": f"{common}_SASL_MECHANISM", "value": "SCRAM-SHA-512"},
            {
                "name": f"{common}_SASL_JAAS_CONFIG",
                "valueFrom": {"secretKeyRef": {"name": "credit.registry", "key": "sasl.jaas.config"}},
            },
            {"name": f"{common}_SSL_TRUSTSTORE_TYPE", "value": "PEM"},
            {"name": f"{common}_SSL_TRUSTSTORE_LOCATION", "value": f"{principals.FOLDER}/ca.crt"},
            {"name": f"{common}_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "value": "https"},
            {"name": "JAVA_OPTS_APPEND", "value": "-Xmx384m"},
        ],
        "ports": [
            {"name": "http", "containerPort": _REGISTRY_PORT},
            {"name": "health", "containerPort": _REGISTRY_HEALTH},
        ],
        "startupProbe": answers | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 60},
        "livenessProbe": lives | {"periodSeconds": 15, "timeoutSeconds": 10, "failureThreshold": 8},
        "readinessProbe": answers | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1000m", "memory": "768Mi"},
        },
        "securityContext": locked_down(),
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"}, {"name": "ca", "mountPath": principals.FOLDER, "readOnly": True},  # noqa: S108 # the pod's own
        ],
    }  # fmt: skip
    tmp = {"name": "tmp", "emptyDir": {"sizeLimit": "128Mi"}}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": names("registry")},
        "template": pod("registry", [server], [tmp, ca], user=_REGISTRY_USER),
    }
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("registry"), "spec": spec}
    return [workload, service("registry", _REGISTRY_PORT), budget("registry")]
