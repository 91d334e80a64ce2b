"""docs/contracts.md: every record type and its fields, and the reasons for which records are refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.paths import SCHEMAS
from exchange.reasons import BYTES, CODES, RULES, VALUES, Meaning
from exchange.registry import Contract, load_contracts

INTRODUCTION = """\
# Contracts 数据契约

Generated from `schemas/records/` and `exchange/reasons.py` by `docs/generate.py`. Do not edit; `creditbus schemas check` checks
the files.

**On the wire**: Confluent's format, a zero byte, four bytes of schema id (big-endian), Avro. The ids below are pinned in
`schemas/registry.json`; with `CREDITBUS_REGISTRY_URL` those of the registry server are written, and both are read. Subjects of the
registry are record names (`creditbus.Penalty`). Nothing is registered by producing: `creditbus schemas push` does it.

**How a contract changes**: compatibility is FULL_TRANSITIVE, so that every version reads every other. In practice: add fields
with a default; add symbols at the end of an enum that has a default (what older readers see instead); add or remove nothing else,
and never change a type, a logical type or a meaning. The changed file is a new version: the old one moves to
`records/history/<type>/v<n>.avsc`, and `registry.json` with it; `registry.json` gets the new version with an id above all others and the
fingerprint that `creditbus schemas check` prints; `catalogue/fields.toml` gets the class of a new field, `exchange/records/` the Python
type; `creditbus schemas golden` writes the bytes of its examples. `creditbus schemas check` refuses everything else. All of it can be tried on a copy
of `schemas/` first (`--schemas COPY` of `schemas check`, `schemas golden` and `policy check`). Documentation alone may change at any time.

**Persons** appear by pseudonym only (`person:<key id>.<32 hex>`). A citizen ID in clear is refused: publishers look for it in
every text, the processor in names and numbers.

Fields marked * must be given; the others have the default shown. Days are `YYYY-MM-DD`, times have a zone, amounts are in yuan.
"""


def page() -> str:
    """The whole page."""
    contracts = load_contracts(SCHEMAS)
    newest = sorted(contracts.latest.values(), key=lambda one: one.id)
    parts = [INTRODUCTION, _index(newest)]
    parts += [_record(contract) for contract in newest]
    parts.append("## Reasons 退回原因\n")
    parts += [
        _reasons("Messages 报文", BYTES),
        _reasons("Values 取值", VALUES),
        _reasons("Rules 规则", RULES),
        _reasons("Codes 代码", CODES),
    ]
    return "\n".join(parts)


def _index(newest: list[Contract]) -> str:
    rows = ["| record type | 名称 | id | version | meaning |", "|---|---|---|---|---|"]
    for one in newest:
        zh, _, en = one.schema["doc"].partition(": ")
        rows.append(f"| [{one.record_type}](#{one.record_type}) | {zh} | {one.id} | {one.version} | {en} |")
    return "\n".join([*rows, ""])


def _record(contract: Contract) -> str:
    zh, _, en = contract.schema["doc"].partition(": ")
    lines = [f"## {contract.record_type}\n", f"{zh}: {en}.\n"]
    lines += ["| field | type | default | 中文 | source | meaning |", "|---|---|---|---|---|---|"]
    words: dict[str, str] = {}
    lines += _fields(contract.schema["fields"], "", words)
    lines += ["", *(f"- **{name}**: {meaning}" for name, meaning in words.items())] if words else []
    return "\n".join([*lines, ""])


def _fields(fields: list[dict[str, Any]], prefix: str, words: dict[str, str]) -> Iterator[str]:
    for field in fields:
        term, _, meaning = field["doc"].partition(": ")
        zh, _, source = term.partition(" (")
        kind, nested = _type(field["type"], words)
        path = prefix + field["name"]
        name = f"`{path}`" + ("" if "default" in field else " *")
        meaning = meaning.replace("<", "&lt;")
        yield f"| {name} | {kind} | {_default(field)} | {zh} | {source.rstrip(')')} | {meaning} |"
        yield from _fields(nested, f"{path}[]." if kind.startswith("list") else f"{path}.", words)


def _type(avro: Any, words: dict[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """The type in a word, and the fields of the record in it."""
    match avro:
        case ["null", branch]:
            return _type(branch, words)
        case {"type": "array", "items": items}:
            kind, nested = _type(items, words)
            return f"list of {kind}", nested
        case {"type": "enum", "name": name, "doc": doc}:
            words[name] = doc.partition(": ")[2]
            return name, []
        case {"type": "record", "name": name, "fields": fields}:
            return name, fields
        case {"logicalType": "date"}:
            return "day", []
        case {"logicalType": "timestamp-millis"}:
            return "time", []
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return f"decimal({precision},{scale})", []
        case _:
            return str(avro), []


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field or field["default"] in ("", [], {}):
        return ""
    match field["type"], field["default"]:
        case [{"logicalType": "timestamp-millis"}, 0]:
            return "1970"
        case _, None:
            return "none"
        case _, bool(default):
            return str(default).lower()
        case _, default:
            return f"{default}"


def _reasons(title: str, reasons: Mapping[str, Meaning]) -> str:
    rows = [f"| {title} | 含义 | meaning |", "|---|---|---|"]
    rows += [f"| `{code}` | {meaning.zh} | {meaning.en} |" for code, meaning in reasons.items()]
    return "\n".join([*rows, ""])
