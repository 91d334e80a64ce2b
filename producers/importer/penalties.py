"""What the 双公示 layouts leave unsaid about a penalty: how grave it is, and whether it was decided on the spot.

Order 36 (2026) sorts penalties by kind and procedure, not by a fixed amount: repositories that call every fine below 1,000 yuan
"simple" mistake a fine that went through the ordinary procedure, so the amount alone decides nothing here.
"""

from collections.abc import Sequence

_GRAVE = (
    "吊销",
    "撤销许可",
    "责令关闭",
    "停产停业",
    "限制从业",
    "限制开展生产经营",
    "禁止从业",
    "市场禁入",
    "行政拘留",
)
_LIGHT = ("警告", "通报批评")
_ON_THE_SPOT = ("简易程序", "当场处罚", "当场作出")


def grade_severity(categories: Sequence[str], *texts: str) -> str:
    """SERIOUS, GENERAL or MINOR, by the kinds of penalty (处罚类别) and the texts beside them.

    >>> grade_severity(["警告"]), grade_severity(["警告", "罚款"]), grade_severity(["罚款", "吊销执照"])
    ('MINOR', 'GENERAL', 'SERIOUS')
    >>> grade_severity(["罚款"], "适用简易程序，罚款50元")
    'MINOR'
    """
    if any(word in category for category in categories for word in _GRAVE):
        return "SERIOUS"
    if is_on_the_spot(*texts) or (categories and all(category.startswith(_LIGHT) for category in categories)):
        return "MINOR"
    return "GENERAL"


def is_on_the_spot(*texts: str) -> bool:
    """Whether the texts say that the simple procedure (简易程序) was used."""
    return any(word in text for text in texts for word in _ON_THE_SPOT)
