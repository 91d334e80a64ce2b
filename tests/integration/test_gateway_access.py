"""Bearer tokens at the HTTP doors: the department is the token's; forged, expired and foreign ones stay out."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from exchange.settings import Settings
from tests.identity_provider import IdentityProvider, identity_provider
from tests.producing import Departments
from tests.pulling import serving as serving_inbox
from tests.submitting import FIN, TAX, GatewayServer, Submitter, documents, listing, serving

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as running:
        yield running


@pytest.fixture(scope="module")
def settings(new_bus: Any, provider: IdentityProvider) -> Settings:
    made: Settings = new_bus().model_copy(update={"partitions": 2, "oidc_issuer": provider.url})
    return made


@pytest.fixture(scope="module")
def bus(settings: Settings) -> Departments:
    return Departments(settings, (TAX, FIN))


@pytest.fixture(scope="module")
def server(settings: Settings, bus: Departments) -> Iterator[GatewayServer]:
    with serving(settings) as running:
        yield running


def test_a_token_publishes_for_its_department_alone(
    server: GatewayServer, provider: IdentityProvider, bus: Departments
) -> None:
    client = Submitter(server.url, provider.token(TAX))
    answer = client.submit(listing(1))
    assert answer.status == 200, answer.body
    assert documents(bus, TAX)[0][0] == listing(1)["document"]
    other = Submitter(server.url, provider.token(FIN)).submit(listing(2, department=TAX))
    codes = {reason["code"] for reason in other.body["results"][0]["reasons"]}
    assert (other.status, codes) == (422, {"wrong_department"})
    assert documents(bus, FIN) == []
    assert server.client(TAX).submit(listing(3)).status == 200, "API keys are good beside them"


def test_tokens_that_are_not_good(server: GatewayServer, provider: IdentityProvider) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "k1"})
    for token, status, code in (
        (provider.token(TAX, exp=int(time.time()) - 60), 401, "expired_token"),
        (provider.token(TAX, stranger), 401, "wrong_token"),
        (provider.token(TAX, aud="portal"), 401, "wrong_token"),
        (provider.token(TAX, iss="https://other.example"), 401, "wrong_token"),
        (provider.token(TAX, nbf=int(time.time()) + 600), 401, "wrong_token"),
        (provider.token(TAX)[:-8] + "AAAAAAAA", 401, "wrong_token"),
        ("nothing", 401, "wrong_token"), ("cbk_nothing", 401, "wrong_key"),
        (provider.token(None), 403, "no_department"), (provider.token("gd.nobody"), 403, "department_ended"),
    ):  # fmt: skip
        answer = Submitter(server.url, token).submit(listing(4))
        assert (answer.status, answer.body["code"]) == (status, code)
        assert token not in str(answer.body)
        assert status != 401 or answer.headers["www-authenticate"].startswith("Bearer")


def test_the_keys_are_asked_for_once(server: GatewayServer, provider: IdentityProvider) -> None:
    Submitter(server.url, provider.token(TAX)).submit({})
    asked = provider.asked
    for _ in range(5):
        Submitter(server.url, provider.token(TAX)).submit({})
    assert provider.asked == asked <= 4


def test_the_inbox_takes_the_same_tokens(settings: Settings, provider: IdentityProvider, bus: Departments) -> None:
    with serving_inbox(settings) as inbox:
        assert Submitter(inbox.url, provider.token(TAX)).get("/v1/notices").status == 200
        assert Submitter(inbox.url, provider.token(TAX, aud="portal")).get("/v1/notices").status == 401
