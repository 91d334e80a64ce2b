"""Topics read backwards: page after page gives everything once, the newest first; one key's messages; one place."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer

from consumers.backwards import read_back, read_key_back, read_one
from consumers.inbox_http.reader import open_consumer
from exchange.partitioner import partition_of
from exchange.topics import Topics
from tests.pulling import FIN, TAX, NoticeBoard, firm, notice

pytestmark = pytest.mark.servers

MKT = "gd.amr"


@pytest.fixture(scope="module")
def board(new_bus: Any) -> NoticeBoard:
    made = NoticeBoard(new_bus(), (FIN, TAX, MKT))
    for n in range(1, 4):
        made.put(FIN, *(notice(number, n, "a") for number in range(1, 41)))
    return made


@pytest.fixture(scope="module")
def reader(board: NoticeBoard) -> Iterator[Consumer]:
    consumer = open_consumer(board.settings.kafka)
    yield consumer
    consumer.close()


def topic(board: NoticeBoard, department: str = FIN) -> str:
    return Topics(board.settings.topic_prefix).out_of(department)


def test_pages_give_everything_once_and_newer_before_older(board: NoticeBoard, reader: Consumer) -> None:
    ends: tuple[int, ...] = (-1,) * board.settings.partitions
    seen: list[tuple[bytes, int]] = []
    sizes = []
    while True:
        page = read_back(reader, topic(board), ends, 25)
        found = [(one.key, board.codec.decode(one.value)[1]["n"]) for one in page.messages]
        sizes.append(len(found))
        seen += found
        if page.finished:
            break
        assert page.offsets != ends
        ends = page.offsets
    assert len(seen) == len(set(seen)) == 120
    assert max(sizes) == 25
    for key, n in seen:
        assert seen.index((key, n)) <= seen.index((key, 1)), "a subject's newest comes first"


def test_what_comes_meanwhile_does_not_move_older_pages(board: NoticeBoard, reader: Consumer) -> None:
    board.put(MKT, *(notice(number) for number in range(1, 31)))
    first = read_back(reader, topic(board, MKT), (-1,) * board.settings.partitions, 10)
    second = read_back(reader, topic(board, MKT), first.offsets, 10)
    board.put(MKT, *(notice(number, 2) for number in range(1, 31)))
    assert read_back(reader, topic(board, MKT), first.offsets, 10) == second


def test_an_empty_topic_is_finished(board: NoticeBoard, reader: Consumer) -> None:
    begin = (0,) * board.settings.partitions
    assert read_back(reader, topic(board), begin, 10) == ((), begin, True)


def test_the_messages_of_one_subject(board: NoticeBoard, reader: Consumer) -> None:
    number = partition_of(firm(7), board.settings.partitions)
    for limit, expected in ((20, [3, 2, 1]), (2, [3, 2])):
        found = read_key_back(reader, topic(board), number, firm(7).encode(), limit=limit, scanned=10_000)
        assert [board.codec.decode(one.value)[1]["n"] for one in found] == expected
    assert read_key_back(reader, topic(board), number, b"org:nobody", limit=5, scanned=10) == []


def test_the_message_of_one_place(board: NoticeBoard, reader: Consumer) -> None:
    page = read_back(reader, topic(board), (-1,) * board.settings.partitions, 5)
    one = page.messages[0]
    assert read_one(reader, topic(board), one.partition, one.offset) == one
    assert read_one(reader, topic(board), one.partition, 10_000) is None
