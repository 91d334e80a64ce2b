"""From the last release to this one: its topics, its contracts and its Redis, as an operator upgrades (docs/operations.md)."""

import json
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from exchange.errors import FatalError
from exchange.store import understanding
from tests.conftest import BusFactory
from tests.faults.bus import BusUnderFault
from tests.faults.release import Release, unpack_release
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.long, pytest.mark.timeout(900)]
RECORDS = 800


def test_upgrade_from_the_last_release(new_bus: BusFactory, tmp_path: Path) -> None:
    if why := unpack_release(tmp_path / "release"):
        pytest.skip(why)
    settings = new_bus().model_copy(update={"partitions": 2})  # said, since the default is not the release's
    keys = SecretStr("k1:" + "5a" * 32)
    release = Release(
        tmp_path / "release", settings.model_copy(update={"person_keys": keys, "delivery_timeout_seconds": 120.0})
    )
    release.run("topics", "apply")
    release.run("simulate", "--seed", "31", "--subjects", "150", "--count", str(RECORDS), "--rate", "0")
    older = release.start("run", "standing", CREDITBUS_INSTANCE_ID="one")
    with BusUnderFault(settings) as bus:  # it mends the topics, as `creditbus topics apply` does first in an upgrade
        bus.fed = RECORDS
        bus.processors.append(older)
        wait_until(lambda: bus.taken_in() >= RECORDS, "the release takes everything in", within_seconds=200)
        told = json.loads(release.run("verify", "--json"))
        assert told["good"]
        bus.stop_all()

        # Departments upgrade when they like: the release's publishers go on.
        release.run("simulate", "--seed", "32", "--subjects", "150", "--count", "200", "--rate", "0")
        bus.fed += 200
        hasty = bus.start("one")
        assert hasty.wait(120) == 1, "it cannot read the release's standings, and changes nothing"

        for partition in range(settings.partitions):
            bus.store.forget(partition)  # `creditbus rebuild`
        bus.start("one")
        bus.wait_quiet(240)
        bus.stop_all()
        verdict = bus.verify()
        assert verdict.records + verdict.rejected == RECORDS + 200
        assert verdict.notices >= told["notices"]


def test_what_another_version_wrote_is_refused_in_one_line() -> None:
    with pytest.raises(FatalError, match="another version") as refused, understanding():
        msgspec.msgpack.decode(msgspec.msgpack.encode(("a", "b")), type=tuple[str, int])
    assert refused.value.code == "other_state"
    assert "creditbus rebuild" in refused.value.line()
