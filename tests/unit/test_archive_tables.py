"""The archive's tables: what was published is in them value by value, whatever version it was written with; nothing twice."""

from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from consumers.archive.intake import Gathered
from consumers.archive.keeper import ArchiveKeeper
from consumers.archive.upkeep import Upkeep
from consumers.archive.verify import checksum_sql
from exchange import archive_tables as archive_tables_module
from exchange.archive_rows import Row, RowMaker
from exchange.archive_tables import INTAKE, ArchiveTable, archive_tables, open_archive
from exchange.codec import Codec
from exchange.domain.calendar import day_of
from exchange.errors import FatalError, RequestError
from exchange.fed_folder import Bus
from exchange.registry import Contracts
from exchange.settings import Settings
from tests.archiving import BUS, CODEC, NOON, Message, example_messages, fill, gather

TABLES = archive_tables(CODEC.contracts)
RENAMED = {"topic": "rejected_topic", "partition": "rejected_partition", "offset": "rejected_offset"}


def settings(folder: Path) -> Settings:
    return Settings(archive_folder=str(folder))


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(open_archive(settings(folder))) as archive:
        return archive.execute(sql).fetchall()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def test_every_example_is_a_row_with_the_values_that_people_write(folder: Path) -> None:
    messages = example_messages()
    fill(folder, messages)
    found = {}
    with closing(open_archive(settings(folder))) as archive:
        for name in TABLES.keys() - {INTAKE}:
            for row in archive.sql(f"SELECT * FROM {name}").to_arrow_table().to_pylist():
                found[row["topic"], row["offset"]] = (name, row)
    assert len(found) == len(messages) > 40
    for message in messages:
        name, row = found[message.of_topic, message.number]
        record_type, expected = CODEC.decode(message.raw or b"")
        assert name == record_type
        assert (row["partition"], row["arrived_on"].isoformat(), row["arrived_month"]) == (0, "2026-11-20", "2026-11")
        for field, value in expected.items():
            if name == "rejection":
                if field in {"raw", "raw_key"}:
                    assert field not in row
                    continue
                if field == "reasons":
                    value = [reason | {"value": ""} for reason in value]  # noqa: PLW2901 # as the archive has it
                field = RENAMED.get(field, field)  # noqa: PLW2901 # the column's name
            assert row[field] == value, (name, field)


def test_tables_that_nothing_came_for_are_there_and_empty(folder: Path) -> None:
    fill(folder, example_messages()[:1])
    with closing(open_archive(settings(folder))) as archive:
        counts = {name: archive.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in TABLES}
    assert {name for name, count in counts.items() if count} == {"abnormal_entry", INTAKE}


def test_a_checksum_is_the_same_in_memory_and_in_the_table(folder: Path) -> None:
    messages = example_messages()
    fill(folder, messages)
    gathered = gather(messages)
    with closing(open_archive(settings(folder))) as archive:
        for name in TABLES.keys() - {INTAKE}:
            checksum = checksum_sql(TABLES[name], CODEC.contracts.latest[name].schema)
            archive.register("piece", pa.concat_tables(gathered.pieces[name]))
            here = archive.execute(f"SELECT {checksum} FROM piece ORDER BY 1").fetchall()
            there = archive.execute(f"SELECT {checksum} FROM {name} ORDER BY 1").fetchall()
            assert here == there, name
            assert len(set(here)) == len(here) > 0


def test_what_was_interrupted_between_tables_is_neither_lost_nor_doubled(folder: Path) -> None:
    messages = example_messages()

    class DiedError(Exception):
        pass

    def on_step(step: str) -> None:
        if step == "appended":
            raise DiedError

    for _ in gather(messages).pieces:  # each time one table more has its rows
        with closing(ArchiveKeeper(folder, BUS, TABLES, on_step)) as keeper, pytest.raises(DiedError):
            keeper.commit(gather(messages))
    assert rows(folder, f"SELECT count(*) FROM {INTAKE}") == [(0,)]
    # Read again in other pieces than before; the last one is larger than what was there.
    fill(folder, messages[:13], messages[13:])
    counted = " + ".join(f"(SELECT count(*) FROM {name})" for name in TABLES.keys() - {INTAKE})
    assert rows(folder, f"SELECT {counted}") == [(len(messages),)]
    assert rows(folder, f"SELECT sum(archived)::INT, sum(refused)::INT FROM {INTAKE}") == [(len(messages), 0)]


def test_what_is_refused_is_no_row_and_counted(folder: Path) -> None:
    good = example_messages()[0]
    topic = good.of_topic
    fill(
        folder,
        [
            good,
            Message(topic, b"no record", 1),
            Message(topic, good.raw, 2, b"another key"),
            Message(topic, good.raw, 3, good.about, carried=[("classification", b"CLASSIFIED")]),
        ],
    )
    assert rows(folder, f"SELECT from_offset, next_offset, archived, refused FROM {INTAKE}") == [(0, 4, 1, 3)]


def test_a_record_is_judged_by_the_day_it_came(folder: Path) -> None:
    good = example_messages()[0]
    before = Message(good.of_topic, good.raw, 0, good.about, at=0)
    assert gather([before]).refused.total() == 1
    assert gather([before], now=0).refused.total() == 1


def test_a_second_writer_is_refused_and_one_that_got_past_the_lock_too(folder: Path) -> None:
    messages = example_messages()
    with closing(ArchiveKeeper(folder, BUS, TABLES)) as keeper:
        with pytest.raises(RequestError) as refused:
            ArchiveKeeper(folder, BUS, TABLES)
        assert refused.value.code == "archive_in_use"
        keeper.commit(gather(messages[:10]))
        (folder / "lock").unlink()  # as on a file system without locks
        with closing(ArchiveKeeper(folder, BUS, TABLES)) as other:
            other.commit(gather(messages))
            with pytest.raises(FatalError) as fenced:
                keeper.commit(gather(messages))
        assert fenced.value.code == "archive_written_by_another"
    counted = " + ".join(f"(SELECT count(*) FROM {name})" for name in TABLES.keys() - {INTAKE})
    assert rows(folder, f"SELECT {counted}") == [(len(messages),)]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"prefix": "other"}, "archive_of_another_bus"), ({"cluster": "other"}, "archive_of_another_bus")],
)
def test_an_archive_of_another_bus_is_refused(folder: Path, change: dict[str, Any], code: str) -> None:
    ArchiveKeeper(folder, BUS, TABLES).close()
    with pytest.raises(FatalError) as refused:
        ArchiveKeeper(folder, BUS._replace(**change), TABLES)
    assert refused.value.code == code


def test_a_commit_while_it_is_opened_is_never_said_to_be_there_and_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = example_messages()
    fill(folder, messages[:20])
    files = archive_tables_module._files
    opened: list[str] = []

    def files_and_a_commit(path: Path) -> Any:
        found = files(path)
        if not opened:
            fill(folder, messages)
        opened.append(path.name)
        return found

    monkeypatch.setattr(archive_tables_module, "_files", files_and_a_commit)
    with closing(open_archive(settings(folder))) as archive:
        (said,) = archive.execute(f"SELECT sum(archived)::INT FROM {INTAKE}").fetchall()
        counted = " + ".join(f"(SELECT count(*) FROM {name})" for name in TABLES.keys() - {INTAKE})
        (there,) = archive.execute(f"SELECT {counted}").fetchall()
    assert (said, there) == ((20,), (len(messages),))
    assert opened[0] == INTAKE


def test_no_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as refused:
        open_archive(settings(tmp_path / "nowhere"))
    assert refused.value.code == "archive_absent"


def test_the_folder_is_its_owners_only(folder: Path) -> None:
    ArchiveKeeper(folder, Bus("credit", 4, "cluster"), TABLES).close()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_table_grows_with_its_contract(folder: Path) -> None:
    before = Codec(Contracts([one for one in CODEC.contracts.all if one.version == 1]))
    old_tables = archive_tables(before.contracts)
    changed = sorted({one.record_type for one in CODEC.contracts.all if one.version > 1} & TABLES.keys())
    assert "measure_feedback" in changed
    new = [one for one in example_messages() if CODEC.decode_plain(one.raw or b"")[0] in changed]
    old, gathered = [], Gathered()
    for message in new:  # the same records as they were written with the first version
        name, value = CODEC.decode_plain(message.raw or b"")
        schema = before.contracts.latest[name].schema
        plain = {field["name"]: value[field["name"]] for field in schema["fields"]}
        raw = before.encode_plain(name, plain)
        old.append(Message(message.of_topic, raw, message.number, message.about))
        row = Row(message.of_topic, 0, message.number, NOON, day_of(NOON), crc32(raw), tuple(plain.values()))
        gathered.pieces[name].append(RowMaker(old_tables[name], schema).make([row]))
        gathered.begins.setdefault((message.of_topic, 0), message.number)
        gathered.offsets[message.of_topic, 0] = message.number + 1
    with closing(ArchiveKeeper(folder, BUS, old_tables)) as keeper:
        keeper.commit(gathered)
    for later in new:
        later.number += 1000
    fill(folder, new)
    # The oracle reads the old messages with the newest contract, and finds them equal.
    again = gather([*old, *new])
    with closing(open_archive(settings(folder))) as archive:
        for name in changed:
            added = set(TABLES[name].columns.names) - set(old_tables[name].columns.names)
            for column in added:
                sql = f'SELECT bool_and({column} IS NULL) FROM {name} WHERE "offset" < 1000'
                assert archive.execute(sql).fetchall() == [(True,)], (name, column)
            archive.register("piece", pa.concat_tables(again.pieces[name]))
            checksum = checksum_sql(TABLES[name], CODEC.contracts.latest[name].schema)
            here, there = (archive.execute(f"SELECT count(*), sum({checksum}::HUGEINT) FROM {one}").fetchall() for one in ("piece", name))  # fmt: skip
            assert here == there, name
            assert {field.name for field in DeltaTable(folder / name).schema().fields} >= added


def test_a_field_that_is_new_inside_a_struct_is_taken_up(folder: Path) -> None:
    messages = [one for one in example_messages() if one.of_topic.endswith(".out.gd.fin")]
    gathered = gather(messages)
    (piece,) = gathered.pieces["notice"]
    at = piece.column_names.index("changes")
    before = pa.field("changes", pa.list_(pa.struct([("measure", pa.string())])))
    without = [[{"measure": change["measure"]} for change in changes] for changes in piece["changes"].to_pylist()]
    old = piece.set_column(at, before, pa.array(without, before.type))
    gathered.pieces["notice"] = [old]
    shape = ArchiveTable("notice", TABLES["notice"].columns.set(at, before))
    with closing(ArchiveKeeper(folder, BUS, {**TABLES, "notice": shape})) as keeper:
        keeper.commit(gathered)
    later = [Message(one.of_topic, one.raw, one.number + 1000, one.about) for one in messages]
    fill(folder, later)
    found = rows(folder, 'SELECT "offset" < 1000, changes[1].action FROM notice WHERE len(changes) > 0 ORDER BY 1, 2')
    assert {is_old: {action for old, action in found if old == is_old} for is_old in (True, False)} == {
        True: {None},
        False: {"IMPOSED", "LIFTED"},
    }


def test_compaction_changes_no_row_and_leaves_one_file(folder: Path) -> None:
    messages = [one for one in example_messages() if CODEC.decode_plain(one.raw or b"")[0] == "penalty"]
    with closing(ArchiveKeeper(folder, BUS, TABLES)) as keeper:
        for message in messages:
            keeper.commit(gather([message]))
        seen = rows(folder, "SELECT * FROM penalty ORDER BY document")
        with closing(open_archive(settings(folder))) as opened_before:
            assert Upkeep(keeper, many=2).look(["penalty", INTAKE, "award"]) > 0
            assert len(DeltaTable(folder / "penalty").file_uris()) == 1
            assert rows(folder, "SELECT * FROM penalty ORDER BY document") == seen
            assert opened_before.execute("SELECT count(*) FROM penalty").fetchone() == (len(messages),)
        assert Upkeep(keeper, many=2).sort("penalty", "2026-11") == 1
        assert Upkeep(keeper, many=2).sort("penalty", "2020-01") == 0
        assert rows(folder, "SELECT * FROM penalty ORDER BY document") == seen
        keeper.commit(gather(messages))
    assert rows(folder, "SELECT * FROM penalty ORDER BY document") == seen, "its own offsets outlive compaction"
