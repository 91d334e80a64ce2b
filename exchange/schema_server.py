"""The border to a schema registry server: any that speaks Confluent's interface (Confluent, Apicurio, Karapace, Redpanda).

Subjects are record names. Nothing is registered by producing: the bus looks up the ids of reviewed schemas and refuses to start
without them; `creditbus schemas push` registers them, and asks the server to keep FULL_TRANSITIVE compatibility.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from exchange.errors import CreditbusError, FatalError, RequestError, RetryLaterError
from exchange.registry import NAMESPACE, Contract, Contracts, fingerprint, full_name, slug

COMPATIBILITY = "FULL_TRANSITIVE"
REQUEST_SECONDS = 10.0
FORGET_SECONDS = 30.0
"""So long an id that the server does not know is not asked for again: wrong ids come in floods."""
UNKNOWN_IDS = 10_000  # remembered at most

_NOT_FOUND, _CONFLICT, _BAD_REQUEST, _UNPROCESSABLE = 404, 409, 400, 422
_REFUSED = {401, 403}
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What `push` did about one version of one record type."""

    contract: Contract
    id: int
    registered: bool


class SchemaServer:
    """A schema registry server. It is asked at start and about new ids, so each errand makes a connection of its own.

    Args:
        url: its address, for Apicurio with the path `/apis/ccompat/v7`; user and password may be in it.
        clock: seconds, monotonic.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = {"url": url, "timeout": REQUEST_SECONDS, "max.retries": 2}
        self._shown = httpx2.URL(url).copy_with(username=None, password=None)
        self._clock = clock
        self._unknown: dict[int, float] = {}

    def ids_of(self, contracts: Contracts) -> dict[str, int]:
        """The server's id of the newest version of each record type.

        Raises:
            FatalError: `schema_not_registered`, naming what the server lacks.
            RetryLaterError: `registry_unavailable`.
        """
        with SchemaRegistryClient(self._settings) as client:
            found = {one.record_type: self._id_of(client, one) for one in contracts.latest.values()}
        missing = [record_type for record_type, schema_id in found.items() if schema_id is None]
        if missing:
            raise FatalError(
                f"the registry {self._shown} lacks the schemas of {', '.join(missing)}",
                code="schema_not_registered",
                remedy="run creditbus schemas push, with leave to write, then start again",
            )
        return {record_type: schema_id for record_type, schema_id in found.items() if schema_id is not None}

    def find(self, schema_id: int) -> Contract | None:
        """The schema of an id; None when the server has none of ours under it.

        Raises:
            RetryLaterError: `registry_unavailable`.
        """
        if self._clock() < self._unknown.get(schema_id, 0.0):
            return None
        with SchemaRegistryClient(self._settings) as client:
            found = self._ask(lambda: client.get_schema(schema_id))
        contract = _contract(found.schema_str, schema_id) if found else None
        if contract is None:
            if len(self._unknown) >= UNKNOWN_IDS:
                self._unknown.clear()
            self._unknown[schema_id] = self._clock() + FORGET_SECONDS
        return contract

    def push(self, contracts: Contracts) -> Iterator[Pushed]:
        """Register every version that the server lacks, oldest first; may be run again at any time.

        Raises:
            RequestError: `schema_incompatible` or `not_allowed`.
            RetryLaterError: `registry_unavailable`.
        """
        with SchemaRegistryClient(self._settings) as client:
            for subject in dict.fromkeys(contract.subject for contract in contracts.all):
                with _translating(self._shown):
                    client.set_compatibility(subject, COMPATIBILITY)
            for contract in contracts.all:
                known = self._id_of(client, contract)
                if known is None:
                    schema = Schema(json.dumps(contract.schema, ensure_ascii=False), "AVRO")
                    with _translating(self._shown):
                        registered = client.register_schema(contract.subject, schema)
                    yield Pushed(contract=contract, id=registered, registered=True)
                else:
                    yield Pushed(contract=contract, id=known, registered=False)

    def _id_of(self, client: SchemaRegistryClient, contract: Contract) -> int | None:
        """The id under which the server has a schema of the same meaning, whatever its documentation says."""
        for version in reversed(self._ask(lambda: client.get_versions(contract.subject)) or []):
            found = self._ask(partial(client.get_version, contract.subject, version))
            if found and found.schema and _meaning(found.schema.schema_str) == contract.fingerprint:
                return found.schema_id
        return None

    def _ask(self, request: Callable[[], _Answer]) -> _Answer | None:
        """What the server answers; None when it has no such thing."""
        try:
            with _translating(self._shown):
                return request()
        except _MissingError:
            return None


class _MissingError(CreditbusError):
    """The server has no such subject, version or id."""


@contextmanager
def _translating(url: httpx2.URL) -> Iterator[None]:
    """Turns the client's errors into those of the bus."""
    try:
        yield
    except SchemaRegistryError as error:
        text = f"the registry {url} answers {error.http_status_code}: {str(error.error_message)[:300]}"
        if error.http_status_code == _NOT_FOUND:
            raise _MissingError(text) from error
        if error.http_status_code in _REFUSED:
            raise RequestError(
                text, code="not_allowed", remedy="put a user with the right to it into the URL"
            ) from error
        if error.http_status_code in (_CONFLICT, _BAD_REQUEST, _UNPROCESSABLE):
            remedy = "compare with what is registered: only additions with defaults are compatible"
            raise RequestError(text, code="schema_incompatible", remedy=remedy) from error
        raise RetryLaterError(text, code="registry_unavailable", remedy="read the registry's log") from error
    except httpx2.HTTPError as error:
        raise RetryLaterError(
            f"the registry {url} does not answer: {error}",
            code="registry_unavailable",
            remedy="check CREDITBUS_REGISTRY_URL and that the registry runs",
        ) from error


def _meaning(text: str | None) -> str:
    return fingerprint(json.loads(text or "{}"))


def _contract(text: str | None, schema_id: int) -> Contract | None:
    schema = json.loads(text or "null")
    if not isinstance(schema, dict) or schema.get("type") != "record" or schema.get("namespace") != NAMESPACE:
        return None
    return Contract(
        record_type=slug(schema["name"]),
        subject=full_name(schema),
        version=0,
        id=schema_id,
        schema=schema,
        fingerprint=fingerprint(schema),
    )
