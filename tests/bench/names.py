"""Names such as a province's register has, made of a place, a brand, a trade and a form; each a function of its number."""

import random

_PLACES = "广东 广东省 深圳市 广州市 佛山市 东莞市 珠海市 惠州市 中山市 江门市 汕头市 湛江市 茂名市 肇庆市 梅州市 清远市 揭阳市 潮州市 韶关市 云浮市 阳江市 河源市 汕尾市"
BRANDS = (
    "鑫华盛达宏泰恒信德瑞丰源兴隆昌顺安康乐美佳艺创新科联合众诚嘉欣永利明辉光天海龙凤金银玉石山水云风雷电春秋东南西北中一二三百千万亿正大通凯越"
    "腾飞翔宇航星月晨曦朝阳旭日升茂森林木荣福禄寿喜祥和平远志鹏程博雅思维智慧聪灵动力强健优品质量景尚粤港澳岭珠"
)
_TRADES = (
    "科技 贸易 建筑工程 装饰设计 物业管理 餐饮管理 电子 实业 投资 食品 物流 信息技术 网络科技 生物科技 环保科技 机械设备 服装 五金制品 塑胶制品 文化传播 广告 教育咨"
    "询 医疗器械 汽车服务 房地产开发 供应链管理 人力资源 新能源 智能装备 农业发展"
)
FORMS = (
    ("有限公司",) * 70 + ("有限责任公司",) * 8 + ("股份有限公司",) * 4 + ("商行",) * 8 + ("经营部",) * 5 + ("厂",) * 3
)
PLACES, TRADES = _PLACES.split(), _TRADES.split()
COMMON = (
    "有限公司",
    "科技",
    "公司",
    "有限",
    "广东",
    "深圳",
    "科技有限公司",
    "责任公司",
    "yxgs",
    "gs",
    "kjyxgs",
    "gd",
    "sz",
)
"""Texts that very many names contain."""


def name_of(number: int) -> str:
    """The n-th name; a few are alike."""
    draw = random.Random(number)
    brand = "".join(draw.choices(BRANDS, k=draw.choice((2, 2, 2, 3))))
    return draw.choice(PLACES) + brand + draw.choice(TRADES) + draw.choice(FORMS)
