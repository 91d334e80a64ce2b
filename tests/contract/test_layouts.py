"""The importer's layouts agree with the schemas and the policy: every field, symbol, list and ground they name is there."""

import tomllib
from typing import Any

import pytest

from exchange.codec import Codec
from exchange.paths import SCHEMAS
from producers.importer.kinds import READERS
from producers.importer.layouts import Layout, load_layouts

LAYOUTS = load_layouts()
SPECIAL_KINDS = {"yuan", "choice", "person", "officers"}


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec.from_files(SCHEMAS)


@pytest.fixture(scope="module")
def grounds() -> dict[str, set[str]]:
    lists: list[dict[str, Any]] = tomllib.loads((SCHEMAS / "policy" / "lists.toml").read_text("utf-8"))["list"]
    return {one["code"]: {ground["code"] for ground in one.get("ground", ())} for one in lists}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_fields_and_symbols_are_those_of_the_schema(layout: Layout, codec: Codec) -> None:
    schema = codec.contracts.latest[layout.record_type].schema
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    for column in layout.columns:
        assert bool(column.field) != bool(column.role), column.code
        assert column.kind in READERS.keys() | SPECIAL_KINDS, column.code
        if column.field:
            assert column.field in fields, column.code
        if column.kind == "choice" and column.field and isinstance(fields[column.field], dict):
            assert set(column.values.values()) <= set(codec.symbols(layout.record_type, column.field)), column.code
    assert set(layout.constants) <= set(fields)


@pytest.mark.parametrize("name", ["court-list", "tax-list", "wage-list"])
def test_grounds_are_those_of_the_policy(name: str, grounds: dict[str, set[str]]) -> None:
    layout = LAYOUTS[name]
    column = next(column for column in layout.columns if column.field == "grounds")
    assert set(column.values.values()) == grounds[layout.constants["list_code"]]


def test_grounds_of_the_abnormal_list(grounds: dict[str, set[str]]) -> None:
    column = next(column for column in LAYOUTS["abnormal"].columns if column.field == "grounds")
    assert set(column.values.values()) == grounds["ABN"]
