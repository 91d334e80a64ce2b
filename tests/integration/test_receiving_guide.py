"""The programs in docs/receiving.md work as they stand, and its options are those there are."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.pushing import FIRM, KEY, event, in_force, notice, post, push, signed
from tests.waiting import wait_until

GUIDE = (Path(__file__).parents[2] / "docs" / "receiving.md").read_text("utf-8")
PROGRAM, WITH_LIBRARY = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_receiver_of_the_guide(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PUBLIC_KEYS": KEY.public_text, "PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    ) as program:
        try:
            wait_until(lambda: is_open(port))
            url = f"http://127.0.0.1:{port}"
            body = event({"challenge": "c-1"}, "creditbus.endpoint.verification")
            assert post(f"{url}/notices", body, signed(body, "challenge-1")) == (200, {"challenge": "c-1"})
            newest = notice(10, in_force("office_ban", 1))
            assert [push(url, one)[0] for one in (newest, newest, notice(9))] == [204, 204, 204]
            body = event(newest)
            assert post(f"{url}/notices", body, signed(body, "another"))[0] == 400
            assert post(f"{url}/notices", body, {})[0] == 401
        finally:
            program.terminate()
    with closing(sqlite3.connect(tmp_path / "book.sqlite")) as book:
        assert book.execute("SELECT * FROM newest").fetchall() == [(FIRM, 1, 10, "office_ban")]


def test_the_official_library_as_in_the_guide() -> None:
    body = event(notice(1))
    names = {"body": body, "headers": signed(body, notice(1)["id"]), "secret": KEY.secret_text}
    exec(WITH_LIBRARY, names)  # noqa: S102 # the lines that the guide shows
    assert names["notice"] == notice(1)


def test_every_option_is_in_the_guide() -> None:
    environment = os.environ | {"COLUMNS": "200", "TERM": "dumb"}
    for name in ("example-desk", "example-centre"):
        command = [sys.executable, "-m", "deploy.cli.main", "run", name, "--help"]
        text = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
        assert not {option for option in re.findall(r"--[a-z][a-z-]+", text) if option not in f"{GUIDE} --help --kafka"}
