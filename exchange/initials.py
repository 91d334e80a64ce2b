"""Pinyin initials of names: 广东建明 is found by `gdjm`."""

from collections.abc import Iterable
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.seg.mmseg import seg

from exchange.domain.naming import normalise_name

WORDS = 100_000
"""Words whose initials are remembered: names are made of few, and looking one up anew takes longer than all the rest of a name."""


def spellings(names: Iterable[str]) -> set[str]:
    """All that somebody may type to find one of these names: each as it is compared, and its initials.

    >>> sorted(spellings(["广东（科技）"]))
    ['gdkj', '广东科技']
    """
    normalised = {normalise_name(name) for name in names}
    return normalised | {initials for name in normalised for initials in initials_of(name)}


def initials_of(name: str) -> set[str]:
    """The initials of a normalised name, letters and digits as they are.

    Two readings where they differ: that of the words in it (重庆 is `cq`), and that of each character alone, since words are found by a
    dictionary and may be wrong across the borders of a brand's name.

    >>> sorted(initials_of("广东重庆")), initials_of("abc科技")
    (['gdcq', 'gdzq'], {'abckj'})
    """
    return {"".join(map(_initials, seg.cut(name))), "".join(map(_initials, name))}


@lru_cache(maxsize=WORDS)
def _initials(word: str) -> str:
    return "".join(lazy_pinyin(word, style=Style.FIRST_LETTER))
