"""What series and signs are called, and how a finding is explained, in Chinese and English. No person is named."""

from datetime import datetime, timedelta

from exchange.catalogue import Catalogue
from exchange.clock import CHINA
from exchange.domain.calendar import CHINA_OFFSET_MS, DAY_MS
from exchange.domain.policy import Policy
from exchange.domain.series import Series
from exchange.labels import Label

SIGNALS: dict[str, Label] = {
    "penalty": Label("行政处罚", "Penalties"),
    "complaint": Label("投诉举报", "Complaints"),
    "abnormal_entry": Label("列入经营异常名录", "Entries on the abnormal list"),
    "listing": Label("列入名单", "Listings"),
}
INDUSTRIES: dict[str, Label] = {
    "A": Label("农、林、牧、渔业", "agriculture, forestry and fishing"),
    "B": Label("采矿业", "mining"),
    "C": Label("制造业", "manufacturing"),
    "D": Label("电力、热力、燃气及水生产和供应业", "electricity, heat, gas and water supply"),
    "E": Label("建筑业", "construction"),
    "F": Label("批发和零售业", "wholesale and retail"),
    "G": Label("交通运输、仓储和邮政业", "transport, storage and post"),
    "H": Label("住宿和餐饮业", "hotels and catering"),
    "I": Label("信息传输、软件和信息技术服务业", "information technology"),
    "J": Label("金融业", "finance"),
    "K": Label("房地产业", "real estate"),
    "L": Label("租赁和商务服务业", "leasing and business services"),
    "M": Label("科学研究和技术服务业", "research and technical services"),
    "N": Label("水利、环境和公共设施管理业", "water, environment and public facilities"),
    "O": Label("居民服务、修理和其他服务业", "household and repair services"),
    "P": Label("教育", "education"),
    "Q": Label("卫生和社会工作", "health and social work"),
    "R": Label("文化、体育和娱乐业", "culture, sports and entertainment"),
    "S": Label("公共管理、社会保障和社会组织", "public administration"),
    "T": Label("国际组织", "international organisations"),
}
"""Sections of GB/T 4754-2017."""


class SeriesWords:
    """Names series.

    Args:
        catalogue: names of regions and departments.
        policy: names of lists and their grounds.
    """

    def __init__(self, catalogue: Catalogue, policy: Policy) -> None:
        self._catalogue = catalogue
        self._policy = policy

    def value(self, series: Series, day: int) -> Label:
        """What the value of its dimension is called: 深圳市, 制造业, a department, a list."""
        value = series.value
        match series.dimension:
            case "region":
                region = self._catalogue.region(value, day)
                return Label(region.name_zh, region.name_en or region.name_zh) if region else Label(value, value)
            case "industry":
                return INDUSTRIES[value]
            case "department":
                found = self._catalogue.departments.get(value)
                return Label(self._catalogue.name_of(value, day), found.name_en if found else value)
        listed = self._policy.lists.get(value)
        if listed is not None:
            return Label(listed.name_zh, listed.name_en)
        abnormal = self._policy.lists.get("ABN")
        grounds = abnormal.grounds if abnormal is not None and series.signal == "abnormal_entry" else ()
        ground = next((one for one in grounds if one.code == value), None)
        return Label(ground.name_zh, ground.name_en) if ground else Label(value, value)

    def name(self, series: Series, day: int) -> Label:
        """The whole name: 深圳市行政处罚, Penalties: Shenzhen."""
        signal, value = SIGNALS[series.signal], self.value(series, day)
        return Label(f"{value.zh}{signal.zh}", f"{signal.en}: {value.en}")


def window_words(start: int, width: int) -> Label:
    """A window in words: a day by its date, less by date and hours, in China's time.

    >>> window_words(1_779_120_000_000, 86_400_000)
    Label(zh='2026年5月19日', en='19 May 2026')
    """
    began = datetime.fromtimestamp(start / 1000, CHINA)
    zh, en = f"{began.year}年{began.month}月{began.day}日", f"{began.day} {began:%b %Y}"
    if width == DAY_MS:
        return Label(zh, en)
    ended = began + timedelta(milliseconds=width)
    if width < DAY_MS:
        hours = f"{began:%H:%M}–{ended:%H:%M}"
        return Label(f"{zh}{hours}", f"{en}, {hours}")
    last = ended - timedelta(days=1)
    return Label(f"{zh}至{last.month}月{last.day}日", f"{en} to {last.day} {last:%b}")


def day_words(day: int) -> Label:
    """A day (since 1970-01-01) in words."""
    return window_words(day * DAY_MS - CHINA_OFFSET_MS, DAY_MS)
