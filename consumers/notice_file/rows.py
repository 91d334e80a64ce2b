"""Rows of a file of notices: one for each measure of each notice, with empty cells for the department to fill in."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from consumers.notice_file.day import Notice, in_china

GIVEN = ("通知编号", "信用主体", "主体名称", "纪元", "序号", "签发时间", "变化", "措施代码", "措施名称", "依据", "名单", "文书号", "反馈期限")  # fmt: skip
"""Columns that the bus fills in."""
TO_FILL = ("执行状态", "执行情况", "涉及金额(元)", "执行日期", "执行凭证", "经办人")
"""Columns that the department fills in; the importer's layout `feedback` reads them back."""
HEADER = GIVEN + TO_FILL
CHANGES: Mapping[str, str] = {"IMPOSED": "实施", "CHANGED": "变更", "LIFTED": "解除"}
UNCHANGED = "维持"
"""The measure was in force before, and rests on the same."""
UNCONFIRMED = "待确认解除"
"""The measure was lifted by an earlier notice, and its end is not confirmed yet."""
PROVISIONAL = "（暂定）"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_of(notices: Iterable[Notice], names: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The rows of some notices, as text that no spreadsheet takes for a formula.

    Args:
        notices: in the order of the file.
        names: Chinese name of each measure.
    """
    for notice in notices:
        for change, measure in _measures(notice):
            listings = measure.get("listings", ())
            code = measure["measure"]
            given = (
                notice["id"], notice["subject"], notice["subject_name"], str(notice["epoch"]), str(notice["n"]), in_china(notice["issued_at"]),
                change, code, names.get(code, ""), measure.get("basis", ""), _joined(one["list_code"] for one in listings),
                _joined(one["document"] for one in listings), _respond_by(measure),
            )  # fmt: skip
            yield tuple(map(guard, given)) + ("",) * len(TO_FILL)


def guard(text: str) -> str:
    """A cell's text, marked as text where a spreadsheet would take it for a formula.

    >>> guard("=1+1"), guard("粤财采禁〔2026〕40号")
    ("'=1+1", '粤财采禁〔2026〕40号')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _measures(notice: Notice) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The measures in force and those lifted, with what happened to each."""
    changes = {one["measure"]: one["action"] for one in notice["changes"]}
    in_force = {one["measure"] for one in notice["measures"]}
    for measure in notice["measures"]:
        yield CHANGES.get(changes.get(measure["measure"], ""), UNCHANGED), measure
    unconfirmed = {one["measure"]: one for one in notice["lifted"]}
    for code, action in changes.items():
        if action == "LIFTED" and code not in in_force:
            yield CHANGES[action], unconfirmed.pop(code, {"measure": code})
    for measure in unconfirmed.values():
        yield UNCONFIRMED, measure


def _respond_by(measure: Mapping[str, Any]) -> str:
    day: date | None = measure.get("respond_by")
    if day is None:
        return ""
    return day.isoformat() + (PROVISIONAL if measure.get("respond_by_provisional") else "")


def _joined(texts: Iterable[str]) -> str:
    return "；".join(dict.fromkeys(text for text in texts if text))
