"""What the API of checks says about itself in its OpenAPI: Chinese first, English beside, with examples."""

from typing import Any

from consumers.portal.checks.decisions import Decided
from consumers.portal.checks.question import SUBJECTS
from exchange.domain.check import Answer

TAG = "核查 checks"
_SUBJECT = "org:91440300PDY00001X3"
_EXPLANATION = {
    "zh": "不予办理：该主体2026-05-20被国家税务总局广东省税务局以粤税失信〔2026〕3号列入重大税收违法失信主体；须采取“禁止参加政府采购活动”，依据《政府采购法》第二十二条。",
    "en": "Refuse: The subject was put on the list “major tax violators” by the Guangdong Tax Service on 2026-05-20 (粤税失信〔2026〕3号); the measure is “procurement ban”, by 《政府采购法》第二十二条.",
}
_GROUND = {
    "effect": "refuse", "measure": "procurement_ban", "name_zh": "禁止参加政府采购活动", "name_en": "procurement ban", "department": "gd.fin",
    "list": "TAX", "list_name_zh": "重大税收违法失信主体", "list_name_en": "major tax violators", "decided_by": "gd.tax",
    "document": "粤税失信〔2026〕3号", "decided_on": "2026-05-20", "until": "2029-05-20", "role": "",
    "basis": "《政府采购法》第二十二条", "memorandum": "发改财金〔2014〕3062号", "article": "一（三）",
}  # fmt: skip
_ANSWERED = {
    "subject": _SUBJECT, "answer": "refuse", "known": True, "explanation": _EXPLANATION, "grounds": [_GROUND],
    "data_as_of": "2026-05-20T09:30:00+00:00",
}  # fmt: skip
_HEAD: dict[str, Any] = {"id": "0f3c9b1e7a2d4856b0c1d2e3", "matter": "government_procurement", "as_of": "2026-11-24", "policy": "5f0d1c2b3a49"}  # fmt: skip
SINGLE_EXAMPLE: dict[str, Any] = _HEAD | _ANSWERED
BATCH_EXAMPLE: dict[str, Any] = _HEAD | {
    "counts": {"refuse": 1, "error": 1},
    "results": [
        _ANSWERED,
        {"error": {"code": "uscc_check_digit", "field": "subjects", "value": "91440300PDY00001X4", "rule": "weights 3^(i-1) mod 31 (GB 32100)"}},
    ],
}  # fmt: skip
_DECISION_EXAMPLE = {"decision": "refused", "document": "粤财采〔2026〕40号", "officer": "财采处-07"}
_TEXT = {"type": "string"}


def _body(description: str, schema: dict[str, Any], **examples: object) -> dict[str, Any]:
    named = {name: {"value": one} for name, one in examples.items()}
    content = {"application/json": {"schema": schema, "examples": named}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def _json(description: str, **examples: object) -> dict[str, Any]:
    named = {name: {"value": one} for name, one in examples.items()}
    return {"description": description, "content": {"application/json": {"examples": named}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {}}}


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("正文有误 the body is wrong"),
    401: _problem("未认证 no key or token, or a wrong one"),
    403: _problem("无权核查 not for this role"),
    503: _problem("暂不可用 Redis is away: try again after Retry-After"),
}
CHECK: dict[str, Any] = {
    "summary": "核查 check one subject, or up to 10,000",
    "description": (
        f"可否办理：{'、'.join(Answer)}。逐条给出措施、名单、认定部门、备忘录与法律依据，并附通俗说明。带 Idempotency-Key 重复提交得到同一编号和答复。"
        "May the matter be granted: every ground with measure, listing, who decided it, memorandum and law, and an explanation. "
        "Repeated with the same Idempotency-Key it gets the same id and answer. In a batch a wrong code has an error in its place."
    ),
    "responses": {
        200: _json("答复 the answer", single=SINGLE_EXAMPLE, batch=BATCH_EXAMPLE), **_PROBLEMS,
        413: _problem("过多 too many subjects"), 422: _problem("代码或事项有误 a wrong code, an unknown matter"),
    },
    "openapi_extra": _body(
        "subject、uscc 或 subjects 之一，以及事项 one of subject, uscc and subjects; and the matter",
        {
            "type": "object",
            "required": ["matter"],
            "properties": {
                "matter": _TEXT | {"description": "事项代码 code of a matter"},
                "subject": _TEXT | {"description": "信用主体 subject id; a person by the pseudonym that the department knows"},
                "uscc": _TEXT | {"description": "统一社会信用代码 unified social credit code, however it is written"},
                "subjects": {"type": "array", "minItems": 1, "maxItems": SUBJECTS, "items": _TEXT},
            },
        },
        single={"uscc": "91440300PDY00001X3", "matter": "government_procurement"},
        batch={"subjects": [_SUBJECT, "91440300PDY00001X4"], "matter": "government_procurement"},
    ),
}  # fmt: skip
FIND: dict[str, Any] = {
    "summary": "取核查 get a check as it was answered",
    "description": "本部门的核查在保留期内可再次取得。A check of one's own department, while it is kept.",
    "responses": {200: _json("答复 the answer", single=SINGLE_EXAMPLE), **_PROBLEMS, 404: _problem("未保留 not kept")},
}
DECIDE: dict[str, Any] = {
    "summary": "登记办理结果 record the decision on a check",
    "description": (
        "对本部门须采取且与此核查有关的每项措施，产生一条执行反馈。For each measure of the department that bore on the check, the "
        "decision becomes feedback. `detail` is needed where a refusal or a review is not followed, and for conditions."
    ),
    "responses": {
        200: _json(
            "已登记 recorded",
            recorded={
                "check_id": _HEAD["id"], "subject": _SUBJECT, "decision": _DECISION_EXAMPLE | {"detail": "", "subject": _SUBJECT},
                "feedback": [{"measure": "procurement_ban", "state": "EXECUTED", "status": "accepted", "topic": "credit.in.gd.fin", "partition": 1, "offset": 41}],
                "zh": "已登记，1 项措施已向总线反馈。", "en": "Recorded, and fed back to the bus for 1 measures.",
            },
        ), **_PROBLEMS,
        404: _problem("没有此核查 no such check"), 422: _problem("登记有误 a field is wrong"),
    },
    "openapi_extra": _body(
        "办理结果 the decision",
        {
            "type": "object",
            "required": ["decision", "document", "officer"],
            "properties": {
                "decision": {"enum": [one.value for one in Decided]},
                "document": _TEXT | {"description": "决定文号 number of the decision"},
                "officer": _TEXT | {"description": "经办人 staff number or post"},
                "detail": _TEXT | {"description": "法律理由、审查情况或条件 legal reason, finding or conditions"},
                "subject": _TEXT | {"description": "批量核查中的主体 which subject of a batch"},
            },
        },
        refused=_DECISION_EXAMPLE,
    ),
}  # fmt: skip
