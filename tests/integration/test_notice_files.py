"""`creditbus notices file`, `publish --format feedback`, `feedback` and `keys`, as commands on the real servers."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.api_keys import RedisKeys, recognise
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.pulling import FIN, TAX, NoticeBoard, firm, notice, run_command

pytestmark = pytest.mark.servers
TODAY = datetime.now(UTC) + timedelta(hours=8)
DAY = f"{TODAY:%Y-%m-%d}"


@pytest.fixture
def board(bus_settings: Settings, tmp_path: Path) -> NoticeBoard:
    given = {name: getattr(bus_settings, name) for name in bus_settings.model_fields_set}
    return NoticeBoard(Settings(**given | {"partitions": 2, "home": tmp_path / "home"}), (FIN, TAX))


def test_a_day_by_file_and_back_as_feedback(board: NoticeBoard, tmp_path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    first, second = notice(1, 1, "procurement_ban", "fund_limit"), notice(2, 1, "procurement_ban")
    board.put(FIN, first, second, second, notice(3, 1, "procurement_ban", issued_at=yesterday))
    board.put(TAX, notice(4, 1, "procurement_ban"))
    path = tmp_path / "通知.csv"
    command = ("notices", "file", "--department", FIN, "--day", DAY, "--out", str(path), "--json")
    code, out, err = run_command(board.settings, *command, "--receipts")
    assert code == 0, err
    said = json.loads(out)
    assert (said["notices"], said["rows"], said["receipts"]) == (2, 3, 2)
    before = path.read_bytes()
    assert json.loads(run_command(board.settings, *command)[1])["sha256"] == said["sha256"]
    assert path.read_bytes() == before, "written again it is the same"
    receipts = [record for _, record, _, _ in board.published(FIN)]
    assert {(one["document"], one["channel"], one["n"]) for one in receipts} == {
        (f"回执-{one['id']}", "FILE", 1) for one in (first, second)
    }  # fmt: skip

    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[1][rows[0].index("措施名称")] != ""
    for row, state in zip(rows[1:3], ("已执行", "不予执行"), strict=True):
        row[rows[0].index("执行状态")] = state
    with path.open("w", encoding="gb18030", newline="") as stream:
        csv.writer(stream).writerows(rows)
    publish = ("publish", str(path), "--department", FIN, "--format", "feedback", "--json")
    code, out, err = run_command(board.settings, *publish)
    outcome = json.loads(out)
    assert (code, outcome["rows"], outcome["bad"], outcome["skipped"], outcome["records"]) == (1, 3, 1, 1, 1), err
    assert [(one["line"], one["title"], one["code"]) for one in outcome["findings"]] == [
        (3, "执行情况", "legal_reason_missing")
    ]  # fmt: skip
    (record,) = [one for _, one, _, _ in board.published(FIN) if one["type"] == "measure_feedback"]
    assert (record["state"], record["notice_id"], record["subject"]) == ("EXECUTED", first["id"], firm(1))
    assert json.loads(run_command(board.settings, *publish)[1])["already"]


def test_files_of_all_departments(board: NoticeBoard, tmp_path: Path) -> None:
    from exchange.kafka import open_admin
    from exchange.topics import apply_topics

    apply_topics(open_admin(board.settings.kafka), board.catalogue.departments, board.settings)
    board.put(FIN, notice(1, 1, "procurement_ban"))
    command = ("notices", "file", "--all-departments", "--folder", str(tmp_path / "out"), "--day", DAY, "--json")
    code, out, err = run_command(board.settings, *command)
    assert code == 0, err
    found = {one["department"]: one["notices"] for one in map(json.loads, out.splitlines())}
    assert found[FIN] == 1
    assert sum(found.values()) == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{slug}-{DAY}.xlsx" for slug in found}


def test_one_feedback_by_command(board: NoticeBoard) -> None:
    command = (
        "feedback",
        "--department",
        FIN,
        "--notice",
        "n1",
        "--subject",
        firm(1),
        "--measure",
        "procurement_ban",
        "--n",
        "3",
    )
    code, out, err = run_command(board.settings, *command, "--state", "executed", "--amount", "20.5", "--json")
    assert code == 0, err
    assert json.loads(out)["document"] == "反馈-n1-procurement_ban"
    (record,) = [one for _, one, _, _ in board.published(FIN)]
    assert (record["state"], str(record["amount_yuan"]), record["n"]) == ("EXECUTED", "20.50", 3)
    code, out, err = run_command(board.settings, *command, "--state", "declined")
    assert (code, out) == (1, "")
    assert "legal_reason_missing" in err
    code, _, err = run_command(
        board.settings, "feedback", "-d", "gd.none", "--notice", "n", "--subject", "x", "--measure", "m"
    )
    assert (code, "unknown_department" in err) == (1, True)


def test_keys_are_issued_listed_and_revoked_by_command(board: NoticeBoard) -> None:
    code, out, err = run_command(board.settings, "keys", "issue", "--department", FIN, "--name", "采购系统", "--json")
    assert code == 0, err
    issued = json.loads(out)
    keys = RedisKeys(connect(board.settings.redis))
    assert recognise(keys, issued["key"]) is not None
    code, out, _ = run_command(board.settings, "keys", "issue", "-d", TAX)
    assert out.startswith("cbk_")
    listed = json.loads(run_command(board.settings, "keys", "list", "--json")[1])
    assert [(one["department"], one["name"], one["revoked_at"]) for one in listed] == [
        (FIN, "采购系统", None),
        (TAX, "", None),
    ]
    assert issued["key"] not in run_command(board.settings, "keys", "list")[1]
    assert run_command(board.settings, "keys", "revoke", issued["id"])[0] == 0
    assert recognise(keys, issued["key"]) is None
    code, _, err = run_command(board.settings, "keys", "revoke", "none")
    assert (code, "unknown_key" in err) == (1, True)
    for command in ("issue", "list"):
        code, _, err = run_command(board.settings, "keys", command, "-d", "gd.none")
        assert (code, "unknown_department" in err) == (1, True)


def test_options_that_say_not_enough_are_refused(board: NoticeBoard, tmp_path: Path) -> None:
    for wrong in ((), ("-d", FIN), ("--all-departments",), ("-d", FIN, "--out", "a.csv", "--all-departments")):
        code, _, err = run_command(board.settings, "notices", "file", *wrong)
        assert (code, "bad_options" in err) == (1, True)
