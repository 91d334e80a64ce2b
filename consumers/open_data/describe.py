"""Descriptions of a release: a Frictionless Data Package with a Table Schema of each table, and DCAT 3 in JSON-LD."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from consumers.disclosure.dcat import MEDIA, MEDIA_TYPE
from consumers.open_data.files import checksum

_TYPES = (
    (pa.types.is_boolean, "boolean"), (pa.types.is_integer, "integer"), (pa.types.is_decimal, "number"),
    (pa.types.is_date, "date"), (pa.types.is_timestamp, "datetime"), (pa.types.is_list, "array"), (pa.types.is_struct, "object"),
)  # fmt: skip
PACKAGE, DCAT = "datapackage.json", "dcat.jsonld"


class Told(NamedTuple):
    """A table of a release: its files' name, its titles, its number of rows, and its columns; a figure has none."""

    name: str
    zh: str
    en: str
    rows: int
    columns: pa.Schema | None


def table_schema(columns: pa.Schema) -> dict[str, Any]:
    """Columns as a Table Schema (Frictionless): name, type and what each means."""
    return {"fields": [_field(one) for one in columns], "missingValues": [""]}


def _field(one: pa.Field) -> dict[str, Any]:
    kind = next((name for is_it, name in _TYPES if is_it(one.type)), "string")
    zh, _, text = (one.metadata or {}).get(b"doc", b"").decode().partition(": ")
    return {"name": one.name, "type": kind, "title": zh.strip(), "description": text.strip()}


def data_package(folder: Path, tables: list[Told], day: date) -> dict[str, Any]:
    """The package: each file with its size, checksum and schema.

    Args:
        folder: of the release, its files written.
        tables: in it.
        day: of the release.
    """
    resources = []
    for table in tables:
        for path in sorted(folder.glob(f"{table.name}.*")):
            form = path.suffix[1:]
            resource: dict[str, Any] = {
                "name": f"{table.name}-{form}", "path": path.name, "title": table.zh,
                "titles": {"zh-CN": table.zh, "en": table.en}, "format": form,
                "mediatype": MEDIA[form], "encoding": "utf-8", "bytes": path.stat().st_size, "hash": f"sha256:{checksum(path)}",
                "rows": table.rows,
            }  # fmt: skip
            if table.columns is not None:
                resource |= {"profile": "tabular-data-resource", "schema": table_schema(table.columns)}
            resources.append(resource)
    return {
        "profile": "data-package", "name": f"credit-open-data-{day}", "title": f"信用信息开放数据 Credit open data {day}",
        "created": day.isoformat(), "resources": resources,
    }  # fmt: skip


def as_dcat(package: Mapping[str, Any], tables: list[Told], day: date, context: Mapping[str, str]) -> dict[str, Any]:
    """The release as a DCAT dataset a table; addresses are relative to where this file is.

    Args:
        package: of the release.
        tables: in it.
        day: of the release.
        context: of the portal's catalogue.
    """
    return {
        "@context": {**context, "spdx": "http://spdx.org/rdf/terms#", "xsd": "http://www.w3.org/2001/XMLSchema#"},
        "@id": "", "@type": "dcat:Catalog",
        "dct:title": [{"@language": "zh-CN", "@value": f"信用信息开放数据 {day}"}, {"@language": "en", "@value": f"Credit open data of {day}"}],
        "dct:issued": {"@type": "xsd:date", "@value": day.isoformat()},
        "dcat:dataset": [_dataset(table, package, day) for table in tables],
    }  # fmt: skip


def _dataset(table: Told, package: Mapping[str, Any], day: date) -> dict[str, Any]:
    return {
        "@id": f"#{table.name}", "@type": "dcat:Dataset", "dct:identifier": f"{table.name}/{day}",
        "dct:title": [{"@language": "zh-CN", "@value": table.zh}, {"@language": "en", "@value": table.en}],
        "dct:issued": {"@type": "xsd:date", "@value": day.isoformat()},
        "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/DAILY"},
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution", "dcat:downloadURL": {"@id": one["path"]},
                "dcat:mediaType": {"@id": MEDIA_TYPE + one["mediatype"]}, "dcat:byteSize": one["bytes"],
                "spdx:checksum": {
                    "@type": "spdx:Checksum", "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                    "spdx:checksumValue": one["hash"].removeprefix("sha256:"),
                },
            }
            for one in package["resources"] if one["name"].rpartition("-")[0] == table.name
        ],
    }  # fmt: skip
