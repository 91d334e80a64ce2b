"""JSON schemas of what departments post, for the OpenAPI."""

from typing import Any

from exchange.records.words import FeedbackState

_TEXT = {"type": "string"}
_DAY = {"type": "string", "format": "date"}

FEEDBACK: dict[str, Any] = {
    "type": "object",
    "required": ["subject", "notice_id", "measure", "state"],
    "additionalProperties": False,
    "properties": {
        "subject": {**_TEXT, "description": "信用主体 subject id, as in the notice"},
        "subject_name": {**_TEXT, "description": "主体名称 name of an organisation"},
        "notice_id": {**_TEXT, "description": "通知编号 id of the notice"},
        "epoch": {"type": "integer", "description": "通知纪元 epoch of the notice"},
        "n": {"type": "integer", "description": "通知序号 number of the notice"},
        "measure": {**_TEXT, "description": "措施代码 code of the measure"},
        "state": {
            "type": "string",
            "enum": [one.value for one in FeedbackState],
            "description": "执行状态 已签收 已执行 不予执行 不适用 已解除",
        },
        "detail": {
            **_TEXT,
            "description": "执行情况；不予执行须写明法律理由 what was done, or the legal reason of a refusal",
        },
        "amount_yuan": {**_TEXT, "description": "涉及金额（元） amount concerned, such as 2000.00"},
        "executed_on": {**_DAY, "description": "执行日期 day on which it was done"},
        "evidence": {**_TEXT, "description": "执行凭证 number of the document that proves it"},
        "officer": {**_TEXT, "description": "经办人（工号或岗位） who answers for it, by staff number or post"},
        "snoozed_until": {**_DAY, "description": "暂缓至；须写明经办人 respite; needs an officer"},
        "document": {**_TEXT, "description": "反馈编号，缺省 反馈-<通知编号>-<措施代码> number of the feedback"},
        "revision": {"type": "integer", "description": "修订号，缺省为当前秒数 revision; the second by default"},
        "decided_on": {**_DAY, "description": "反馈日期，缺省今日 day of the feedback; today by default"},
        "division": {**_TEXT, "description": "行政区划 six digits of GB/T 2260"},
    },
}
FEEDBACK_BODY: dict[str, Any] = {
    "oneOf": [FEEDBACK, {"type": "array", "minItems": 1, "maxItems": 1000, "items": FEEDBACK}]
}
RECEIPTS_BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "notices": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": {
                "type": "object",
                "required": ["id", "subject", "epoch", "n"],
                "properties": {
                    "id": _TEXT, "subject": _TEXT, "epoch": {"type": "integer"}, "n": {"type": "integer"},
                },
            },
        },
        "cursor": {**_TEXT, "description": "到此为止 up to here"},
        "since": {**_TEXT, "description": "从此开始，缺省从头 from here; the beginning when left out"},
    },
}  # fmt: skip
