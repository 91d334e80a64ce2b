"""Pages for the clerk, Chinese first: the counter's question with its answer, and the obligations. No script, no outside file."""

from collections.abc import Iterable, Sequence
from html import escape

from consumers.reference.book import Obligation, State
from consumers.reference.practice import Advice, Practice, Reason
from exchange.domain.check import Answer
from exchange.errors import CreditbusError

_ANSWERS = {
    Answer.CLEAR: ("可以办理", "clear", "#1b6e3c"),
    Answer.FAST_TRACK: ("优先办理", "fast track", "#1b6e3c"),
    Answer.REVIEW: ("从严审查", "review by an officer", "#8a5a00"),
    Answer.REFUSE: ("不予办理", "refuse", "#a61b1b"),
}
_STATES = {
    State.TO_DO: "待执行 to do",
    State.EXECUTED: "已执行 executed",
    State.DECLINED: "不予执行 declined",
    State.NOT_APPLICABLE: "不适用 not applicable",
    State.TO_END: "待解除 to end",
    State.ENDED: "已解除 ended",
}
_STYLE = (
    "body{font:16px/1.6 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:.4rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#f2f2f2}input{font:inherit;padding:.3rem;width:22rem;max-width:100%}button{font:inherit;padding:.3rem 1rem}"
    ".answer{font-size:1.6rem;font-weight:bold;padding:.5rem 1rem;color:#fff;margin:1rem 0}small{color:#666}"
)


def counter(
    practice: Practice,
    question: str,
    asked: Sequence[str],
    *,
    advice: Advice | None = None,
    error: CreditbusError | None = None,
) -> str:
    """The question and, when one was asked, the answer with its reasons and their basis."""
    fields = "".join(_field(text, is_first=not number) for number, text in enumerate(_texts(question, asked)))
    form = f'<form method="get" action="{question}">{fields}<button>核查 check</button></form>'
    body = form
    if error is not None:
        body += f'<p class="answer" style="background:#a61b1b" role="alert">代码有误 <small style="color:#fff">{escape(str(error))}</small></p>'
    if advice is not None:
        zh, en, colour = _ANSWERS[advice.answer]
        body += f'<p class="answer" role="status" style="background:{colour}">{zh} {en}</p>'
        body += _reasons(advice.reasons) if advice.reasons else "<p>无现行措施 no measure in force</p>"
    return _page(practice, question, body)


def _texts(question: str, asked: Sequence[str]) -> list[str]:
    """What stands in the fields: one subject, or room for a consortium where bids are asked about."""
    fields = 3 if question == "/may-bid" else 1
    return [*asked, *[""] * (fields - len(asked))]


def _field(text: str, *, is_first: bool) -> str:
    return (
        "<p><label>统一社会信用代码 <small>unified social credit code</small><br>"
        f'<input name="subject" value="{escape(text)}"{" required autofocus" if is_first else ""}></label></p>'
    )


def _reasons(reasons: Iterable[Reason]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.subject)}</td><td>{escape(one.name_zh)}<br><small>{escape(one.name_en)}</small></td>"
        f"<td>{_ANSWERS[one.answer][0]}</td><td>{'<br>'.join(map(escape, one.because_of)) or '—'}</td><td>{escape(one.basis) or '—'}</td></tr>"
        for one in reasons
    )
    return (
        "<table><tr><th>主体 subject</th><th>措施 measure</th><th>建议 advice</th><th>名单 because of</th><th>依据 basis</th></tr>"
        f"{rows}</table>"
    )


def obligations(practice: Practice, question: str, found: Iterable[Obligation]) -> str:
    """The obligations that came last."""
    rows = "".join(
        f"<tr><td>{escape(one.subject)}<br>{escape(one.name)}</td><td>{escape(_name(practice, one.measure))}</td><td>{_STATES[one.state]}</td>"
        f"<td>{one.since.epoch}/{one.since.n}</td><td>{one.respond_by or '—'}</td><td>{escape(one.basis) or '—'}</td></tr>"
        for one in found
    )
    head = "".join(
        f"<th>{text}</th>"
        for text in ("主体 subject", "措施 measure", "状态 state", "起始 since", "反馈期限 respond by", "依据 basis")
    )
    return _page(practice, question, f"<table><tr>{head}</tr>{rows}</table>" if rows else "<p>暂无 none yet</p>")


def _name(practice: Practice, measure: str) -> str:
    duty = practice.duties.get(measure)
    return f"{duty.name_zh} {duty.name_en}" if duty else measure


def _page(practice: Practice, question: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(practice.name_zh)} {escape(practice.name_en)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(practice.name_zh)} <small>{escape(practice.name_en)}</small></h1>"
        f'<nav><a href="{question}">核查 check</a> · <a href="/obligations">义务 obligations</a></nav>{body}</body></html>'
    )
