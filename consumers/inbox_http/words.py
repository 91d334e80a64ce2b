"""What the HTTP inbox says about itself in its OpenAPI: Chinese first, English beside, with the golden examples."""

import json
from typing import Any

from exchange.paths import SCHEMAS

TITLE = "政务信用信息交换总线 · 通知收件箱 creditbus inbox over HTTP"
ABOUT = (
    "没有 Kafka 客户端的部门通过本接口接收联合奖惩通知，并提交回执和反馈。For departments without a Kafka client: pull notices, answer them.\n\n"
    "同一主体的通知按（纪元，序号）递增；每份通知都含全部现行措施，保留序号最高的一份即为正确。"
    "Notices of a subject rise by (epoch, n) and each holds every measure in force: who keeps the highest is right."
)
NOTICES = "通知 notices"
ANSWERS = "回执与反馈 receipts and feedback"
PAGE = "取通知（可长轮询） get a page of notices, with long polling"
PAGE_HELP = (
    "从游标之后取通知；没有新通知时最多等待 wait 秒。服务器不保存游标，由部门自己保存：处理完一页再记下 next_cursor，则重启不丢失。"
    "Notices behind the cursor; without any, waits up to `wait` seconds. Keep `next_cursor` once the page is dealt with."
)
STREAM = "订阅通知流 stream of notices (server-sent events)"
STREAM_HELP = (
    "每个事件的 id 就是其后的游标；断线后带 Last-Event-ID 重连，不重不漏。事件：notice 通知，caught-up 已到末尾，problem 请稍后重连。"
    "The id of each event is the cursor behind it; reconnect with Last-Event-ID. Events: notice, caught-up, problem."
)
ONE = "取一份通知 get one notice"
ONE_HELP = "按编号和主体取一份仍保留的通知。One notice by its id and subject, while it is retained."
RECEIPTS = "提交回执 give receipts"
RECEIPTS_HELP = (
    "给出通知清单，或给出 since 与 cursor 两个游标之间的全部通知（最多 1000 份）。重复提交是同一份回执。"
    "A list of notices, or all between two cursors (1,000 at most). Giving a receipt twice is the same receipt."
)
FEEDBACK = "提交反馈 give feedback"
FEEDBACK_HELP = (
    "一条或最多 1000 条。document 缺省为 反馈-<通知编号>-<措施代码>，revision 缺省为当前秒数（同一请求内递增），后一步取代前一步。"
    "不予执行须写明法律理由（detail）；暂缓（snoozed_until）须写明经办人（officer）。全部成功为 200，部分失败为 207，逐条给出结果。"
    "One, or up to 1,000. A later step of a document has a higher revision: by default the second, rising within a request."
)
CURSOR = "游标，空为从头 cursor as the bus gave it; none begins at the beginning"
FROM = "没有游标时的起点 where to begin without a cursor: `beginning` of what is retained, or `now`"
LIMIT = "最多几份 at most so many notices"
WAIT = "最多等待几秒 wait so many seconds for a notice"
COLLAPSE = (
    "每个主体只要最新一份，superseded 列出被取代的编号 only the newest of each subject, with the ids it supersedes"
)
LAST_EVENT_ID = "最后收到的事件编号 id of the last event received"
SUBJECT = "信用主体 subject id of the notice, such as org:91440300PDY00001X3"
_EXAMPLES = SCHEMAS / "examples"
_CURSOR_EXAMPLE = "k5vR3tCjJyGTqDFhMmIzYzRkpmdkLmZpbpQBAAIA"


def notice_example() -> dict[str, Any]:
    """The golden example of a notice."""
    found: dict[str, Any] = json.loads(next((_EXAMPLES / "notice").glob("imposed*.json")).read_text("utf-8"))
    return found


def feedback_example() -> dict[str, Any]:
    """An example of feedback as a department posts it."""
    notice = notice_example()
    return {
        "subject": notice["subject"], "notice_id": notice["id"], "measure": "procurement_ban", "epoch": notice["epoch"],
        "n": notice["n"], "state": "EXECUTED", "detail": "已列入政府采购禁止参加名单", "executed_on": "2026-05-22",
        "evidence": "粤财采禁〔2026〕40号", "officer": "财采处-07",
    }  # fmt: skip


def receipts_example() -> dict[str, Any]:
    """An example of receipts."""
    notice = notice_example()
    return {"notices": [{name: notice[name] for name in ("id", "subject", "epoch", "n")}]}


def results_example(document: str) -> dict[str, Any]:
    """An example of the results of answers."""
    row = {"index": 0, "type": "measure_feedback", "document": document, "revision": 1, "status": "accepted", "topic": "credit.in.gd.fin", "partition": 1, "offset": 41}  # fmt: skip
    return {"accepted": 1, "refused": 0, "results": [row]}


def page_answers() -> dict[int | str, dict[str, Any]]:
    """Answers to the request for a page."""
    example = {"notices": [notice_example()], "next_cursor": _CURSOR_EXAMPLE, "caught_up": True}
    return {200: _json("通知 notices", example), **_PROBLEMS, 429: _problem("同时请求过多 too many polls")}


def one_answers() -> dict[int | str, dict[str, Any]]:
    """Answers to the request for one notice."""
    return {200: _json("通知 the notice", notice_example()), **_PROBLEMS, 404: _problem("未保留 not retained")}


def answers_of(document: str) -> dict[int | str, dict[str, Any]]:
    """Answers to receipts and feedback."""
    return {
        200: _json("全部成功 all are on the bus", results_example(document)),
        207: _json("部分失败，逐条给出原因 some are not, with every reason", results_example(document)),
        **_PROBLEMS,
    }


def body_of(description: str, schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI of a request's body."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def _json(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": example}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {}}}


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("请求有误 bad request, such as a damaged cursor"),
    401: _problem("密钥无效 no key, or one that is unknown or revoked"),
    403: _problem("部门已撤销 the department is no longer on the bus"),
    503: _problem("暂不可用 try again after Retry-After"),
}
STREAM_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "事件流 events", "content": {"text/event-stream": {}}},
    **_PROBLEMS,
    429: _problem("同时请求过多 too many streams"),
}
