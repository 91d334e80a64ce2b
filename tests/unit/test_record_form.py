"""Forms made from schemas: what stands in one comes back as the same record, and what is typed wrong is said."""

import json
from pathlib import Path

import pytest

from consumers.portal.workspace.record_form import GIVEN_BY_BUS, Kind, errors_at, form_of, in_words, read_form, texts_of
from exchange.codec import Codec
from exchange.errors import Reason, RejectedError
from exchange.json_form import from_json
from exchange.labels import Labels
from exchange.paths import SCHEMAS

CODEC = Codec.from_files(SCHEMAS)
LABELS = Labels(CODEC.contracts)
MADE_BY_BUS = {
    "notice",
    "rejection",
    "standing_change",
    "internal_message",
    "ledger_entry",
    "access_entry",
    "window_part",
    "window_count",
}
EXAMPLES = [path for path in sorted((SCHEMAS / "examples").glob("*/*.json")) if path.parent.name not in MADE_BY_BUS]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_stands_in_the_form_is_the_record(path: Path) -> None:
    kind = path.parent.name
    schema = CODEC.contracts.latest[kind].schema
    given = from_json(schema, json.loads(path.read_text(encoding="utf-8")))
    record = CODEC.decode(CODEC.encode(kind, given))[1]
    read = read_form(schema, texts_of(schema, record))
    kept = {name: record[name] for name in GIVEN_BY_BUS}
    assert CODEC.encode(kind, read | kept) == CODEC.encode(kind, record)


@pytest.mark.parametrize("kind", sorted({path.parent.name for path in EXAMPLES}))
def test_every_field_has_a_label_in_both_languages(kind: str) -> None:
    for field in form_of(LABELS, CODEC.contracts.latest[kind].schema, kind, {}):
        assert field.label.zh != field.name, f"{kind}.{field.name} has no Chinese name"
        assert (field.kind is Kind.CHOICE) == bool(field.options)


def test_wrong_days_and_amounts_stand_beside_their_fields() -> None:
    schema = CODEC.contracts.latest["penalty"].schema
    with pytest.raises(RejectedError) as refused:
        read_form(schema, {"decided_on": "昨天", "fine_yuan": "很多"})
    form = {field.name: field for field in form_of(LABELS, schema, "penalty", {}, refused.value.reasons)}
    assert "日期格式错误" in form["decided_on"].errors[0].zh
    assert "an amount such as 2000.00" in form["fine_yuan"].errors[0].en
    assert not form["document"].errors


def test_reasons_about_items_stand_beside_their_list() -> None:
    reasons = (Reason(code="unknown_symbol", field="aliases[0].kind"), Reason(code="empty_field", field="document"))
    assert len(errors_at(reasons, "aliases")) == 1
    assert in_words(Reason(code="of_tomorrow")).zh == "of_tomorrow"
