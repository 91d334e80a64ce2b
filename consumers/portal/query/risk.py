"""A firm's risk class on its picture: the class, what it is made of, and what it is for; never for the public."""

from typing import NamedTuple

from exchange.catalogue import Catalogue
from exchange.domain.access import Visitor
from exchange.domain.projection import visible_fields
from exchange.domain.record import split_key
from exchange.domain.risk.assess import Share
from exchange.labels import Label
from exchange.risk_look_up import Explained

CLASS_NAMES = {
    "A": ("good", Label("低风险", "low risk")),
    "B": ("plain", Label("一般风险", "normal risk")),
    "C": ("warn", Label("较高风险", "higher risk")),
    "D": ("bad", Label("高风险", "high risk")),
}
"""Tone and name of each class (国市监信发〔2022〕6号)."""
GROUP_NAMES = {
    "basic": Label("基本属性", "basic attributes"),
    "dynamic": Label("动态信息", "dynamic information"),
    "supervision": Label("监管信息", "supervision"),
    "relations": Label("关联关系", "relations"),
    "social": Label("社会评价", "social evaluation"),
}


class ShareShown(NamedTuple):
    """An indicator's share: group, name, points such as `+7.00`, the documents' numbers, and the basis."""

    group: Label
    name: Label
    points: str
    documents: tuple[str, ...]
    basis: str


class RiskShown(NamedTuple):
    """What the picture shows. inspection: the suggested share in per cent, or ""; published: class on the bus, or ""."""

    letter: str
    tone: str
    name: Label
    points: str
    inspection: str
    shares: tuple[ShareShown, ...]
    published: str
    version: str


def may_see_risk(visitor: Visitor, catalogue: Catalogue) -> bool:
    """Whether a visitor sees ratings that are shared but not open: departments that use them, who publishes them, the auditor."""
    return bool(visible_fields(catalogue.read_grant("rating"), visitor, provider=_provider(visitor, catalogue)))


def _provider(visitor: Visitor, catalogue: Catalogue) -> str:
    return visitor.department if "rating" in catalogue.grants(visitor.department) else ""


def shown_risk(found: Explained) -> RiskShown | None:
    """The class in words; None for a subject that has none."""
    assessment = found.assessment
    if assessment is None:
        return None
    tone, name = CLASS_NAMES[assessment.letter]
    return RiskShown(
        letter=assessment.letter,
        tone=tone,
        name=name,
        points=f"{assessment.points / 100:.2f}",
        inspection=f"{found.rate.share / 100:g}" if found.rate is not None else "",
        shares=tuple(map(_share, assessment.shares)),
        published=found.published.letter,
        version=found.version,
    )


def _share(share: Share) -> ShareShown:
    one = share.indicator
    documents = tuple(dict.fromkeys(_number(found.key) for found in share.occurrences))
    return ShareShown(
        GROUP_NAMES[one.group], Label(one.name_zh, one.name_en), f"{share.points / 100:+.2f}", documents, one.basis
    )  # fmt: skip


def _number(key: str) -> str:
    """A document's number; of another firm's listing, that of the listing."""
    record_type, _, document = split_key(key)
    return split_key(document.rpartition("|")[0])[2] if record_type == "related" else document
