"""Addresses in one written form, so that firms at the same address are found however it was written."""

import re
import unicodedata
from hashlib import blake2b

_PROVINCE = re.compile(r"^(中国)?广东省?(?=.+[市区县])")
_NOISE = re.compile(r"[\s,.;:、，。；：·'\"()（）\[\]【】]+")
_HYPHENS = re.compile(r"[-‐‑–—―~之至]+")
_SELF_DECLARED = re.compile(r"(自主申报|一照多址|集群注册|住所申报).*$")
_NUMERALS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_NUMBERED = re.compile(r"[〇零一二三四五六七八九]+(?=[号楼栋座层室房单])")


def same_address(text: str) -> str:
    """The address in one written form; empty where it is no place of its own: without a number of a house or room.

    >>> same_address("广东省广州市天河区合成路 １０ 号 Ａ座 ３楼") == same_address("广州市天河区合成路10号a座三楼")
    True
    >>> same_address("广州市天河区合成路10号之一（自主申报）"), same_address("广州市天河区")
    ('广州市天河区合成路10号-一', '')
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    plain = _NOISE.sub("", _SELF_DECLARED.sub("", plain.replace("(", "").replace(")", "")))
    plain = _NUMBERED.sub(lambda found: found[0].translate(_NUMERALS), _PROVINCE.sub("", plain))
    plain = _HYPHENS.sub("-", plain).strip("-")
    return plain if re.search(r"\d", plain) else ""


def address_key(text: str) -> str:
    """A short key of an address; empty for one that is no place of its own."""
    plain = same_address(text)
    return f"addr:{blake2b(plain.encode(), digest_size=8).hexdigest()}" if plain else ""
