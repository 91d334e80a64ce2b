"""The contracts: every version of every record's schema, with the id that messages carry; read from `schemas/registry.json`.

Ids in the file are pinned and never change hands. They begin at 1,000,001, where no counting registry gets to, so that messages
written before a registry was set (see `exchange.schema_server`) decode ever after.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.errors import FatalError

Schema = dict[str, Any]
"""An Avro record schema, as parsed from JSON."""

REGISTRY_FILE = "registry.json"
NAMESPACE = "creditbus"
"""Of every record."""
FIRST_ID = 1_000_001
"""Of the pinned ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One version of one record type.

    Attributes:
        record_type: slug, such as `measure_feedback`; used in entry keys, the catalogue and metrics.
        subject: full name, such as `creditbus.MeasureFeedback`; the registry's subject.
        version: from 1, within the subject; 0 where a registry server did not say.
        id: what a message's first bytes say.
        schema: the Avro schema.
        fingerprint: of what the schema means, see `fingerprint`.
    """

    record_type: str
    subject: str
    version: int
    id: int
    schema: Schema
    fingerprint: str


class Contracts:
    """All versions of all record types.

    Args:
        contracts: in any order; each subject's versions count from 1.
    """

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self.all = tuple(sorted(contracts, key=lambda one: (one.record_type, one.version)))
        self.latest: Mapping[str, Contract] = {one.record_type: one for one in self.all}
        self.by_id: Mapping[int, Contract] = {one.id: one for one in self.all}

    def versions(self, record_type: str) -> tuple[Contract, ...]:
        """Every version of a record type, oldest first."""
        return tuple(one for one in self.all if one.record_type == record_type)


def slug(name: str) -> str:
    """The slug of a record's name.

    >>> slug("MeasureFeedback"), slug("creditbus.Penalty")
    ('measure_feedback', 'penalty')
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.rpartition(".")[2]).lower()


def full_name(schema: Schema) -> str:
    """The name of a record with its namespace; the registry's subject (record-name strategy)."""
    return f"{schema['namespace']}.{schema['name']}"


def fingerprint(schema: Schema) -> str:
    """SHA-256 of everything in a schema but its documentation, which may be polished without a new version.

    Other than Avro's parsing canonical form it covers defaults, aliases and logical types: they too are part of the promise.
    """
    text = json.dumps(without_docs(schema), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def without_docs(part: Any) -> Any:
    """A schema, or a part of one, without its documentation."""
    if isinstance(part, dict):
        return {key: without_docs(value) for key, value in part.items() if key != "doc"}
    if isinstance(part, list):
        return [without_docs(one) for one in part]
    return part


def load_contracts(folder: Path) -> Contracts:
    """Read `registry.json` and the schemas it names.

    Args:
        folder: of the schemas.

    Raises:
        FatalError: `registry_unreadable` with the file, or `registry_disagrees` when a schema is not the one that was pinned.
    """
    registry = read_json(folder / REGISTRY_FILE)
    contracts = []
    for subject, versions in registry["subjects"].items():
        for pinned in versions:
            schema = read_json(folder / pinned["path"])
            found = fingerprint(schema)
            if found != pinned["fingerprint"] or full_name(schema) != subject:
                raise FatalError(
                    f"{pinned['path']} is not version {pinned['version']} of {subject} as pinned under id {pinned['id']}",
                    code="registry_disagrees",
                    remedy="a changed schema is a new version: keep the old file under records/history; see creditbus schemas check",
                )
            contracts.append(
                Contract(
                    record_type=slug(subject),
                    subject=subject,
                    version=pinned["version"],
                    id=pinned["id"],
                    schema=schema,
                    fingerprint=found,
                )
            )
    return Contracts(contracts)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of the contracts.

    Raises:
        FatalError: `registry_unreadable`.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FatalError(
            f"{path} cannot be read: {error}", code="registry_unreadable", remedy="restore it from the repository"
        ) from error
    if not isinstance(found, dict):
        raise FatalError(f"{path} is not a JSON object", code="registry_unreadable", remedy="restore the file")
    return found
