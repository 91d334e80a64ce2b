"""Datasets of rows: which documents a release has, and what of each the public may see."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from consumers.disclosure.shelf import Choice, Disclosed, Shelf, kind_of_list
from exchange.archive_columns import arrow_type
from exchange.catalogue import Catalogue
from exchange.domain.calendar import to_date
from exchange.domain.identity import is_person
from exchange.domain.judge import RuleBook
from exchange.domain.projection import FieldClass
from exchange.registry import Contracts

INDIVIDUAL = "INDIVIDUAL"
"""Category of a natural person, who may be known by another code than his citizen ID."""
NO_LIMIT = 1 << 60


class Dataset(NamedTuple):
    """A kind of document: its files' name and its record type. on_lists: whether it is there because of a list."""

    name: str
    record_type: str
    on_lists: bool


DATASETS = (
    Dataset("penalties", "penalty", on_lists=False),
    Dataset("licences", "licence", on_lists=False),
    Dataset("listings", "listing", on_lists=True),
    Dataset("abnormal-entries", "abnormal_entry", on_lists=True),
    Dataset("ratings", "rating", on_lists=True),
)


def columns_of(dataset: Dataset, contracts: Contracts, catalogue: Catalogue) -> pa.Schema:
    """The open fields of its contract, the list that it puts on, and the last day on which it is public."""
    classes = catalogue.fields[dataset.record_type]
    fields = [
        pa.field(field["name"], arrow_type(field["type"]), metadata={"doc": field.get("doc", "")})
        for field in contracts.latest[dataset.record_type].schema["fields"]
        if classes[field["name"]] is FieldClass.OPEN
    ]
    listed = [pa.field("list", pa.string(), metadata={"doc": "名单: code of the list"})] if dataset.on_lists else []
    until = pa.field(
        "public_until",
        pa.date32(),
        metadata={"doc": "公示截止: last day on which it is public; empty where none is set"},
    )
    return pa.schema([*fields, *listed, until])


def rows_of(dataset: Dataset, shelf: Shelf, book: RuleBook) -> Iterator[Mapping[str, Any]]:
    """What is public of it on the book's day, the newest decision first (by list, where it is there because of one)."""
    for choice in _choices(dataset, book):
        for one in shelf.all(choice, book, most=NO_LIMIT):
            row = _row(one, choice.topic)
            if row is not None:
                yield row


def _choices(dataset: Dataset, book: RuleBook) -> list[Choice]:
    if not dataset.on_lists:
        return [Choice(dataset.record_type)]
    codes = sorted(code for code in book.policy.lists if kind_of_list(code, book.policy) == dataset.record_type)
    return [Choice(dataset.record_type, topic=code) for code in codes]


def _row(one: Disclosed, list_code: str) -> dict[str, Any] | None:
    """A row; None for a natural person, and where the text has not come to the directory yet."""
    fields = one.document.fields
    if not fields or is_person(one.filed.subject) or fields.get("subject_category") == INDIVIDUAL:
        return None
    until = None if one.until is None else to_date(one.until - 1)
    return {**fields, **({"list": list_code} if list_code else {}), "public_until": until}
