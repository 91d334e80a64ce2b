"""The registry as the manifests for Kubernetes start it: by SCRAM over TLS, as a principal that has its own topics only."""

from pathlib import Path

import pytest

from deploy.kubernetes.principals import FOLDER
from deploy.kubernetes.servers import BROKERS, registry
from exchange.grants import REGISTRY_TOPICS
from exchange.kafka import open_admin
from exchange.paths import SCHEMAS
from exchange.registry import load_contracts
from exchange.schema_server import SchemaServer
from exchange.settings import Settings
from tests.registry_server import running_registry
from tests.secured import SecuredBus, secured_bus

pytestmark = [pytest.mark.servers, pytest.mark.long, pytest.mark.timeout(600)]


def environment(bus: SecuredBus) -> dict[str, str]:
    """What its manifest says, at the addresses and files of this machine, and what Strimzi's Secret has."""
    brokers = bus.brokers("registry")
    (server,) = registry()[0]["spec"]["template"]["spec"]["containers"]
    here = {BROKERS: brokers.address, f"{FOLDER}/ca.crt": str(bus.secured.ca)}
    told = {one["name"]: here.get(one["value"], one["value"]) for one in server["env"] if "value" in one}
    (secret,) = [one["name"] for one in server["env"] if "value" not in one]
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    login = f'{module} required username="{brokers.user}" password="{brokers.password.get_secret_value()}";'
    return {name: text for name, text in told.items() if name.startswith("APICURIO")} | {secret: login}


def test_it_keeps_its_schemas_and_is_denied_nothing(tmp_path: Path) -> None:
    contracts, found = load_contracts(SCHEMAS), Settings()
    with secured_bus(tmp_path / "home") as bus:
        with running_registry(found.cache, tmp_path / "log", found.maven_url, environment(bus)) as url:
            pushed = list(SchemaServer(url).push(contracts))
            assert SchemaServer(url).ids_of(contracts).keys() == contracts.latest.keys()
        assert pushed
        assert set(REGISTRY_TOPICS) <= set(open_admin(bus.administrator).list_topics(timeout=30).topics)
        assert not [line for line in bus.denied() if "credit.registry" in line]
