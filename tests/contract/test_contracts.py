"""The contracts hold together, and the gate closes on every kind of bad change."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange.catalogue import load_catalogue
from exchange.codec import Codec
from exchange.contract_check import Fault, check_contracts
from exchange.domain import bodies, facts
from exchange.domain.identity import ALIAS_PREFIXES
from exchange.domain.notice import Action
from exchange.field_rules import HEADER
from exchange.json_form import from_json, to_json
from exchange.paths import SCHEMAS
from exchange.registry import fingerprint, load_contracts
from exchange.validation import validate
from producers.prepare import Preparer

EXAMPLES = sorted(SCHEMAS.glob("examples/*/*.json"))
CODEC = Codec.from_files(SCHEMAS)
CATALOGUE = load_catalogue(SCHEMAS)
INPUTS = {
    contract.record_type
    for contract in CODEC.contracts.all
    if [one["name"] for one in contract.schema["fields"][3:4]] == [HEADER[3]]
}
LATE = 22_000  # a day after every example

Change = Callable[[Path], object]


def name_of(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def test_the_contracts_are_good() -> None:
    contracts, faults = check_contracts(SCHEMAS)
    assert faults == []
    assert len(contracts.latest) == 29


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_example_has_its_golden_bytes_and_comes_back(path: Path) -> None:
    record_type, shown = path.parent.name, json.loads(path.read_text("utf-8"))
    raw = bytes.fromhex(path.with_suffix(".hex").read_text("ascii"))
    assert CODEC.encode(record_type, from_json(CODEC.contracts.latest[record_type].schema, shown)) == raw
    assert CODEC.decode(raw)[0] == record_type
    again = to_json(CODEC.decode(raw)[1])
    assert CODEC.encode(record_type, from_json(CODEC.contracts.latest[record_type].schema, again)) == raw
    assert CODEC.encode_plain(*CODEC.decode_plain(raw)) == raw


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.parent.name in INPUTS], ids=name_of)
def test_example_of_a_department_may_be_published_by_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its publisher, which also asks the catalogue: who may publish such records, and who determined, repairs."""
    monkeypatch.setattr(time, "time_ns", lambda: LATE * 86_400_000 * 10**6)
    record_type = path.parent.name
    record = from_json(CODEC.contracts.latest[record_type].schema, json.loads(path.read_text("utf-8")))
    assert Preparer(record["department"], CODEC, CATALOGUE).prepare(record, record_type).record_type == record_type


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.parent.name in INPUTS], ids=name_of)
def test_example_of_a_department_keeps_every_rule(path: Path) -> None:
    raw = bytes.fromhex(path.with_suffix(".hex").read_text("ascii"))
    record_type, plain = CODEC.decode_plain(raw)
    grants = frozenset({record_type})
    today = max(plain["decided_on"], plain["published_at"] // 86_400_000)
    for size in (0, len(raw)):
        reasons = validate(
            record_type, plain, department=plain["department"], today=today, grants=grants, size=size, thorough=True
        )
        assert reasons == ()


def test_enums_of_the_domain_have_the_positions_of_the_schemas() -> None:
    pairs: list[tuple[tuple[str, str], Any]] = [
        (("penalty", "severity"), bodies.Severity),
        (("abnormal_entry", "state"), bodies.AbnormalState),
        (("repair", "state"), bodies.RepairState),
        (("objection", "state"), bodies.ObjectionState),
        (("early_warning", "level"), bodies.WarningLevel),
        (("early_warning", "state"), bodies.WarningState),
    ]
    for (record_type, field), kind in pairs:
        assert CODEC.symbols(record_type, field) == tuple(kind.__members__)
    assert CODEC.symbols("rating", "scheme") == bodies.RATING_SCHEMES
    assert CODEC.symbols("early_warning", "domain") == bodies.WARNING_DOMAINS
    nested = {field["name"]: field["type"] for field in CODEC.contracts.latest["registration"].schema["fields"]}
    assert tuple(nested["aliases"]["items"]["fields"][0]["type"]["symbols"]) == tuple(ALIAS_PREFIXES)
    assert tuple(nested["officers"]["items"]["fields"][1]["type"]["symbols"]) == facts._OFFICER_ROLES
    changes = next(one for one in CODEC.contracts.latest["notice"].schema["fields"] if one["name"] == "changes")
    assert changes["type"]["items"]["fields"][1]["type"]["symbols"] == list(Action.__members__)


def test_every_document_of_the_fold_has_a_contract() -> None:
    assert set(facts.DOCUMENTS) | set(facts.AMENDMENTS) == INPUTS


def edit(path: Path, change: Callable[[Any], None]) -> None:
    data = json.loads(path.read_text("utf-8"))
    change(data)
    path.write_text(json.dumps(data, ensure_ascii=False), "utf-8")


def second_version(folder: Path, change: Callable[[Any], None], record_type: str = "repair") -> None:
    """Make a properly pinned version 2 of a record type."""
    path = folder / "records" / f"{record_type}.avsc"
    history = folder / "records" / "history" / record_type
    history.mkdir(parents=True)
    shutil.copy(path, history / "v1.avsc")
    edit(path, change)
    schema = json.loads(path.read_text("utf-8"))
    pinned = {"version": 2, "id": 1_000_900, "path": f"records/{record_type}.avsc", "fingerprint": fingerprint(schema)}

    def pin(registry: Any) -> None:
        versions = registry["subjects"][f"creditbus.{schema['name']}"]
        versions[0]["path"] = f"records/history/{record_type}/v1.avsc"
        versions.append(pinned)

    edit(folder / "registry.json", pin)


def field(schema: Any, name: str) -> Any:
    return next(one for one in schema["fields"] if one["name"] == name)


NEW = {"name": "new", "type": "string", "default": "", "doc": "新增: something new"}
GRADE = {"type": "enum", "name": "RepairGrade", "symbols": ["A"], "doc": "等级: A 甲"}


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["fields"].append(NEW),
        lambda schema: schema["fields"].append({**NEW, "type": GRADE, "default": "A"}),
    ],
    ids=["field-with-default", "enum-with-default"],
)
def test_a_compatible_version_passes_and_both_versions_decode(tmp_path: Path, change: Callable[[Any], None]) -> None:
    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    second_version(folder, change)
    for example in (folder / "examples" / "repair").glob("*.hex"):
        example.unlink()
    subprocess.run(
        [sys.executable, "-m", "deploy.cli", "schemas", "golden", "--schemas", str(folder)], check=True, timeout=60
    )
    _, faults = check_contracts(folder)
    assert faults == []
    codec = Codec(load_contracts(folder))
    for path in sorted((SCHEMAS / "examples" / "repair").glob("*.hex")):
        written_as_v1 = bytes.fromhex(path.read_text("ascii"))
        old_type, old = CODEC.decode(written_as_v1)
        new_type, new = codec.decode(written_as_v1)
        assert new_type == old_type
        assert new == old | {"new": new["new"]}
        plain = codec.decode_plain(written_as_v1)[1]
        assert plain == CODEC.decode_plain(written_as_v1)[1] | {"new": plain["new"]}
        assert codec.decode(codec.encode("repair", new)) == (new_type, new)
        with pytest.raises(Exception, match="unknown_schema_id"):
            CODEC.decode(codec.encode("repair", new))


def test_a_new_symbol_reaches_older_readers_as_their_default(tmp_path: Path) -> None:
    def add(schema: Any) -> None:
        field(schema, "kind")["type"]["symbols"].append("SEASONAL")
        field(schema, "kind")["type"]["doc"] += ", SEASONAL 季节性"

    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    second_version(folder, add, "inspection_result")
    contracts = load_contracts(folder)
    new = Codec(contracts)
    old = Codec(CODEC.contracts, find=contracts.by_id.get)
    path = next(iter(sorted((SCHEMAS / "examples" / "inspection_result").glob("*.hex"))))
    record = new.decode(bytes.fromhex(path.read_text("ascii")))[1] | {"kind": "SEASONAL"}
    raw = new.encode("inspection_result", record)
    assert old.decode(raw) == ("inspection_result", record | {"kind": "OTHER"})
    assert old.decode_plain(raw)[1]["kind"] == CODEC.symbols("inspection_result", "kind").index("OTHER")


def rename(schema: Any, name: str) -> None:
    field(schema, name)["name"] = "renamed"


BAD_VERSIONS: dict[str, Callable[[Any], Any]] = {
    "field without default": lambda s: s["fields"].append({k: v for k, v in NEW.items() if k != "default"}),
    "key removed": lambda s: s["fields"].remove(field(s, "target_document")),
    "key renamed": lambda s: rename(s, "target_type"),
    "type changed": lambda s: field(s, "detail").update(type="int", default=0),
    "meaning changed": lambda s: field(s, "decided_on").update(type="int"),
    "nullable no more": lambda s: field(s, "corrected_on").update(
        type={"type": "int", "logicalType": "date"}, default=0
    ),
    "symbol of an enum without default": lambda s: field(s, "state")["type"]["symbols"].append("WITHDRAWN"),
    "symbol removed": lambda s: field(s, "state")["type"]["symbols"].remove("REFUSED"),
    "symbols moved": lambda s: field(s, "state")["type"]["symbols"].reverse(),
}


@pytest.mark.parametrize("change", BAD_VERSIONS.values(), ids=BAD_VERSIONS)
def test_the_gate_refuses_an_incompatible_version(tmp_path: Path, change: Callable[[Any], None]) -> None:
    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    second_version(folder, change)
    _, faults = check_contracts(folder)
    assert "incompatible" in codes(faults), faults


def codes(faults: list[Fault]) -> set[str]:
    return {fault.code for fault in faults}


def repair(folder: Path) -> Path:
    return folder / "records" / "repair.avsc"


def pins(folder: Path) -> Path:
    return folder / "registry.json"


def subject(registry: Any, name: str = "creditbus.Repair") -> Any:
    return registry["subjects"][name]


BAD_FILES: dict[str, tuple[str, Change]] = {
    "pinned version edited": ("changed", lambda f: edit(repair(f), lambda s: s["fields"].append(NEW))),
    "schema gone": ("unreadable", lambda f: repair(f).unlink()),
    "schema no JSON": ("unreadable", lambda f: repair(f).write_text("{", "utf-8")),
    "schema no Avro": ("unreadable", lambda f: edit(repair(f), lambda s: field(s, "detail").update(type="text"))),
    "registry gone": ("registry_unreadable", lambda f: pins(f).unlink()),
    "registry forgets": ("unpinned", lambda f: edit(pins(f), lambda r: r["subjects"].pop("creditbus.Repair"))),
    "registry misnames": ("name", lambda f: edit(repair(f), lambda s: s.update(name="Restoration"))),
    "versions skip": ("versions", lambda f: edit(pins(f), lambda r: subject(r)[0].update(version=2))),
    "id twice": ("ids", lambda f: edit(pins(f), lambda r: subject(r)[0].update(id=1_000_001))),
    "id of a server": ("ids", lambda f: edit(pins(f), lambda r: subject(r)[0].update(id=9))),
    "path": ("path", lambda f: edit(pins(f), lambda r: subject(r)[0].update(path="records/../records/repair.avsc"))),
    "no doc": ("undocumented", lambda f: edit(repair(f), lambda s: field(s, "detail").pop("doc"))),
    "no chinese": ("undocumented", lambda f: edit(repair(f), lambda s: field(s, "detail").update(doc="Detail: x"))),
    "silent symbol": (
        "undocumented",
        lambda f: edit(repair(f), lambda s: field(s, "state")["type"].update(doc="修复状态: APPLIED 申请")),
    ),
    "unsupported": ("unsupported_type", lambda f: edit(repair(f), lambda s: field(s, "commitment").update(type="float", default=0.0))),
    "shared type": (
        "type_differs",
        lambda f: edit(repair(f), lambda s: field(s, "classification")["type"].update(doc="涉密标识: UNCLASSIFIED 非涉密, CLASSIFIED 涉密")),
    ),
    "header order": ("header", lambda f: edit(repair(f), lambda s: s["fields"].insert(0, s["fields"].pop(8)))),
    "header type": ("header", lambda f: edit(repair(f), lambda s: field(s, "revision").update(type="int"))),
    "one example": ("examples", lambda f: (f / "examples/repair/applied.json").unlink()),
    "bad example": (
        "example_invalid",
        lambda f: edit(f / "examples/repair/applied.json", lambda e: e.update(state="BETTER")),
    ),
    "bytes": (
        "bytes_changed",
        lambda f: edit(f / "examples/repair/applied.json", lambda e: e.update(detail="other")),
    ),
    "no bytes": ("no_bytes", lambda f: (f / "examples/repair/applied.hex").unlink()),
}  # fmt: skip


@pytest.mark.parametrize(("code", "change"), BAD_FILES.values(), ids=BAD_FILES)
def test_the_check_finds(tmp_path: Path, code: str, change: Change) -> None:
    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    change(folder)
    _, faults = check_contracts(folder)
    assert code in codes(faults), faults


def run_check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", "schemas", "check", "--schemas", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_names_each_problem_on_a_line_and_exits_with_1(tmp_path: Path) -> None:
    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    second_version(folder, BAD_VERSIONS["key removed"])
    found = run_check(folder)
    assert found.returncode == 1
    assert "version 1 cannot read version 2: target_document: reader field missing default value" in found.stdout
    shown = json.loads(run_check(folder, "--json").stdout)
    assert shown["ok"] is False
    assert len(shown["problems"]) == len(found.stdout.splitlines()) - 1


def test_the_command_says_ok_and_exits_with_0() -> None:
    found = run_check(SCHEMAS)
    assert (found.returncode, found.stdout) == (0, "ok: 29 record types, 32 versions, FULL_TRANSITIVE\n")
    assert json.loads(run_check(SCHEMAS, "--json").stdout)["ok"] is True


def test_files_that_are_not_as_pinned_are_not_used(tmp_path: Path) -> None:
    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    edit(repair(folder), lambda schema: schema["fields"].append(NEW))
    with pytest.raises(Exception, match=r"is not version 1 of creditbus\.Repair as pinned under id 1000009"):
        load_contracts(folder)


def test_documentation_may_change_within_a_version(tmp_path: Path) -> None:
    folder = shutil.copytree(SCHEMAS, tmp_path / "schemas")
    edit(repair(folder), lambda schema: field(schema, "detail").update(doc="说明: said better"))
    assert check_contracts(folder)[1] == []
