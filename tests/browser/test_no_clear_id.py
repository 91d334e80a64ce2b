"""A citizen ID that is typed in at the counter, uploaded and written into a complaint is nowhere afterwards: Redis, topics, logs, pages."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka import Consumer
from playwright.sync_api import Page, expect

from consumers.standing.reading import read_places
from exchange.kafka import open_admin
from exchange.kafka_places import watermarks
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.browser.town import Town

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]

CITIZEN = "440000190001010027"
"""Synthetic: the province's own row of the division table is on no card (domain facts of GB 11643)."""


def in_redis(client: "redis.Redis") -> Iterator[tuple[str, bytes]]:
    """Every key with all that is in it."""
    read: dict[bytes, Any] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    for key in client.scan_iter(count=1000):
        kind: Any = client.type(key)
        yield key.decode(), key + repr(read[kind](key)).encode()


def in_topics(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Every message of the bus."""
    topics = open_admin(settings.kafka).list_topics(timeout=30).topics
    places = [
        (name, number)
        for name, topic in topics.items()
        if name.startswith(f"{settings.topic_prefix}.")
        for number in topic.partitions
    ]
    config = {**settings.kafka.config(), "group.id": "scan", "isolation.level": "read_uncommitted"}
    with closing(Consumer(config)) as consumer:
        for message in read_places(consumer, watermarks(consumer, places)):
            yield message.topic(), (message.key() or b"") + (message.value() or b"")


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Logs, the directory, uploads: all that processes left on disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def type_in(page: Page, field: str, text: str) -> None:
    page.get_by_label(field).fill(text)


def test_a_citizen_id_is_nowhere_in_clear(town: Town, tmp_path: Path) -> None:
    shown: list[str] = []
    with town.visit(account="li") as page:
        page.goto("/checks")
        type_in(page, "公民身份号码", CITIZEN)
        page.locator("form", has=page.get_by_label("公民身份号码")).get_by_role("combobox").select_option("政府采购")
        page.locator("form", has=page.get_by_label("公民身份号码")).get_by_role("button").click()
        expect(page.get_by_label("结论")).to_be_visible()
        shown += [page.url, page.content()]
        rows = tmp_path / "persons.csv"
        rows.write_text(f"公民身份号码\n{CITIZEN}\n", encoding="utf-8")
        page.goto("/checks")
        page.get_by_label("文件").set_input_files(rows)
        page.locator("form", has=page.get_by_label("文件")).get_by_role("combobox").select_option("政府采购")
        page.get_by_role("button", name="上传并核查").click()
        page.wait_for_load_state()
        shown += [page.url]
    with town.visit() as page:
        page.goto("/disclosure/complaint")
        type_in(page, "被投诉单位的统一社会信用代码", "91440300PDY00001X3")
        type_in(page, "标题", "冒用身份")
        type_in(page, "情况", f"有人冒用身份证{CITIZEN}办理登记，请查处。")
        page.get_by_role("button", name="提交").click()
        expect(page.get_by_role("alert")).to_contain_text("citizen_id")
    assert not [text for text in shown if CITIZEN in text]
    wanted, control = CITIZEN.encode(), b"91440300PDY00001X3"
    for everything in (in_redis(connect(town.settings.redis)), in_topics(town.settings), in_files(town.settings.home)):
        scanned = [(where, wanted in raw, control in raw) for where, raw in everything]
        assert any(is_there for *_, is_there in scanned), "the scan sees what is there"
        assert not [where for where, is_there, _ in scanned if is_there]
