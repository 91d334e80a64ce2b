"""The resource catalogue for machines: DCAT 3 (W3C) in JSON-LD, with the metadata of 政务信息资源目录编制指南."""

from collections.abc import Mapping, Sequence
from typing import Any

from exchange.catalogue import Catalogue
from exchange.catalogue_resources import UPDATE_CYCLES, Resource

_FREQUENCIES = {
    1: "CONT", 2: "DAILY", 3: "WEEKLY", 4: "MONTHLY", 5: "QUARTERLY", 6: "ANNUAL_2", 7: "ANNUAL", 99: "IRREG",
}  # fmt: skip
"""Update cycles in the EU's frequency vocabulary, which DCAT users know."""
_FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
MEDIA_TYPE = "https://www.iana.org/assignments/media-types/"
MEDIA = {
    "csv": "text/csv", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet", "json": "application/json",
    "jsonld": "application/ld+json",
}  # fmt: skip
"""Media types of files for download, by their ending."""
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}  # fmt: skip


def as_dcat(
    catalogue: Catalogue, base_url: str, day: int, released: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """The catalogue.

    Args:
        catalogue: of the bus.
        base_url: of the portal, ending in a slash.
        day: as of which departments are named.
        released: record type to where its files of the newest release are, below `base_url`.
    """
    return {
        "@context": CONTEXT,
        "@id": f"{base_url}disclosure/catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _both("信用信息资源目录", "Catalogue of credit information"),
        "dcat:dataset": [
            _dataset(one, catalogue, base_url, day) | _distributions(one, base_url, released or {})
            for one in catalogue.resources
        ],
    }


def _dataset(one: Resource, catalogue: Catalogue, base_url: str, day: int) -> dict[str, Any]:
    return {
        "@id": f"{base_url}disclosure/catalogue#{one.code}",
        "@type": "dcat:Dataset",
        "dct:identifier": one.code,
        "dct:title": _both(one.name_zh, one.name_en),
        "dct:description": one.summary,
        "dcat:theme": one.public_class,
        "dct:publisher": [
            {"@type": "foaf:Organization", "dct:identifier": slug, "foaf:name": catalogue.name_of(slug, day)}
            for slug in sorted(one.providers)
        ],
        "dct:accrualPeriodicity": {"@id": _FREQUENCY + _FREQUENCIES[one.update_cycle]},
        "dct:accessRights": one.opening,
        "dct:rights": one.opening_condition or one.sharing_condition,
        "skos:note": f"{one.sharing}; {UPDATE_CYCLES[one.update_cycle][0]}; {one.classification}",
    }


def _distributions(one: Resource, base_url: str, released: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    files = released.get(one.record_type, ())
    if not files:
        return {}
    return {
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution", "dcat:downloadURL": {"@id": base_url + path},
                "dcat:mediaType": {"@id": MEDIA_TYPE + MEDIA[path.rpartition(".")[2]]},
            }
            for path in files
        ]
    }  # fmt: skip


def _both(chinese: str, english: str) -> list[dict[str, str]]:
    return [{"@language": "zh-CN", "@value": chinese}, {"@language": "en", "@value": english}]
