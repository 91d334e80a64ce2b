"""A check in words: what the counter is advised, because of which listing, on what basis, and what to do, in Chinese and English."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from exchange.catalogue import Catalogue
from exchange.domain.calendar import to_date
from exchange.domain.check import Answer, Check
from exchange.domain.judge import Support
from exchange.domain.policy import Policy
from exchange.labels import Label

VERDICTS: Mapping[Answer, tuple[str, Label]] = {
    Answer.CLEAR: ("good", Label("未发现限制", "Clear")),
    Answer.FAST_TRACK: ("good", Label("绿色通道", "Fast track")),
    Answer.REVIEW: ("warn", Label("从严审查", "Review closely")),
    Answer.REFUSE: ("bad", Label("不予办理", "Refuse")),
}
"""Tone and title of an answer."""

ADVICE: Mapping[Answer, Label] = {
    Answer.CLEAR: Label("可依法办理；登记办理结果即可。", "Proceed as the law provides, and record the decision."),
    Answer.FAST_TRACK: Label(
        "可按激励措施优先办理、容缺受理；登记办理结果，平台即向总线反馈。",
        "Serve first, and take papers later where the measure allows; record the decision, which is fed back to the bus.",
    ),
    Answer.REVIEW: Label(
        "逐条核对下列依据，从严审查后决定；登记结果并写明审查情况或所附条件。",
        "Go through the grounds below before deciding; record the decision with what the review found, or its conditions.",
    ),
    Answer.REFUSE: Label(
        "依下列依据不予办理，告知当事人理由与救济途径；如仍予办理，须写明法律理由。",
        "Refuse on the grounds below and tell the applicant why and how to appeal; who grants all the same gives the legal reason.",
    ),
}
"""What the officer does next."""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Why an answer is as it is: one measure, because of one listing.

    `department` takes the measure, `decided_by` decided the listing; `subject` and `role` are filled where the listing is another
    subject's that reaches this one. Days are ISO dates; `until` is null where the listing has no end of its own.
    """

    effect: str
    measure: str
    name_zh: str
    name_en: str
    department: str
    list: str
    list_name_zh: str
    list_name_en: str
    decided_by: str
    document: str
    decided_on: str
    until: str | None
    role: str
    basis: str
    memorandum: str
    article: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer in a sentence or two."""

    zh: str
    en: str


class Names(NamedTuple):
    """Where the names of lists, departments and matters are found."""

    policy: Policy
    catalogue: Catalogue

    def department(self, slug: str, day: int) -> Label:
        """Of a department, as it is called on a day."""
        found = self.catalogue.departments.get(slug)
        return Label(self.catalogue.name_of(slug, day), found.name_en if found else slug)

    def listed(self, code: str) -> Label:
        """Of a list."""
        rule = self.policy.lists.get(code)
        return Label(rule.name_zh, rule.name_en) if rule else Label(code, code)

    def matter(self, code: str) -> Label:
        """Of a matter."""
        found = self.policy.matters.get(code)
        return Label(found.name_zh, found.name_en) if found else Label(code, code)


def ground_of(support: Support, names: Names) -> Ground:
    """A ground as programs and pages show it."""
    holding, rule = support
    listed = names.listed(holding.list_code)
    return Ground(
        effect=rule.effect, measure=rule.measure, name_zh=rule.name_zh, name_en=rule.name_en, department=rule.department,
        list=holding.list_code, list_name_zh=listed.zh, list_name_en=listed.en, decided_by=holding.department,
        document=holding.document, decided_on=to_date(holding.decided_on).isoformat(),
        until=None if holding.until is None else to_date(holding.until).isoformat(), role=holding.role,
        basis=rule.basis, memorandum=rule.memorandum, article=rule.article,
    )  # fmt: skip


def explain(found: Check, names: Names, *, known: bool) -> Explanation:
    """The answer in plain language: the gravest ground in full, the others counted.

    Args:
        found: the check.
        names: of lists, departments, matters.
        known: whether the bus has any record of the subject.
    """
    matter = names.matter(found.matter)
    if not found.supports:
        if not known:
            return Explanation(
                zh="总线没有该主体的任何信息；请核对代码是否有误。", en="The bus knows nothing of this subject: make sure that the code is right."
            )  # fmt: skip
        return Explanation(
            zh=f"未发现对“{matter.zh}”有影响的名单和措施。", en=f"No listing or measure bears on {matter.en}."
        )
    (holding, rule), others = found.supports[0], len(found.supports) - 1
    listed, by = names.listed(holding.list_code), names.department(holding.department, found.as_of)
    verdict = VERDICTS[found.answer][1]
    until_zh = f"，至{to_date(holding.until).isoformat()}止" if holding.until is not None else ""
    until_en = f" until {to_date(holding.until).isoformat()}" if holding.until is not None else ""
    related_zh, related_en = ("关联主体", "A related subject") if holding.role else ("该主体", "The subject")
    decided = to_date(holding.decided_on).isoformat()
    more_zh = f"另有{others}项依据。" if others else ""
    more_en = f" {others} further ground{'s' if others > 1 else ''}." if others else ""
    cited = "".join((rule.basis, f"（{rule.memorandum}{rule.article}）" if rule.memorandum else ""))
    return Explanation(
        zh=f"{verdict.zh}：{related_zh}{decided}被{by.zh}以{holding.document}列入{listed.zh}{until_zh}；"
        f"须采取“{rule.name_zh}”，依据{cited}。{more_zh}",
        en=f"{verdict.en}: {related_en} was put on the list “{listed.en}” by {by.en} on {decided} ({holding.document}){until_en}; "
        f"the measure is “{rule.name_en}”, by {cited}.{more_en}",
    )
