"""A policy is simulated, then enacted: departments are told exactly what the simulation said, no more and no less."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consumers.simulation.run import Question, judged_by, simulate
from consumers.standing.reading import read_places
from consumers.standing.run import Parts
from exchange.domain.effect import Kind
from exchange.domain.synthetic import synthetic_uscc
from exchange.kafka_places import watermarks
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.settings import Settings
from tests.e2e.bus import LiveBus, live_bus
from tests.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

FIRMS = [f"org:{synthetic_uscc(number)}" for number in range(1, 6)]
PERSON = "person:k1." + "5" * 32
OVER = FIRMS[3]
"""Whose listing is over by the policy of the first day, and not by the other."""


def with_changes(folder: Path) -> Path:
    """Other schemas: gd.fin has no measure any more, and tax listings hold for five years, whenever they were decided."""
    shutil.copytree(SCHEMAS, folder)
    measures = folder / "policy" / "measures.toml"
    head, *rows = measures.read_text(encoding="utf-8").split("[[measure]]")
    measures.write_text("[[measure]]".join([head, *(row for row in rows if '"gd.fin"' not in row)]), encoding="utf-8")
    lists = folder / "policy" / "lists.toml"
    before, mark, tax = lists.read_text(encoding="utf-8").partition('code = "TAX"')
    assert "months = 36" in tax
    lists.write_text(before + mark + tax.replace("months = 36", "months = 60", 2), encoding="utf-8")
    return folder


@pytest.fixture
def bus(bus_settings: Settings, tmp_path: Path) -> Iterator[LiveBus]:
    with live_bus(bus_settings, tmp_path, "2022-03-01") as bus:
        bus.publish("gd.amr", "registration", FIRMS[0], "设立1", subject_name="合成一号有限公司", division="440100",
                    status="ACTIVE", legal_representative=PERSON)  # fmt: skip
        bus.listing("gd.tax", "TAX", OVER, "粤税失信〔2022〕4号", grounds="1", serious=True)
        bus.settle()
        bus.move_to("2026-06-01")
        for number, firm in enumerate(FIRMS[:3]):
            bus.listing("gd.tax", "TAX", firm, f"粤税失信〔2026〕{number}号", grounds="1", serious=True)
        bus.listing("gd.court", "COURT", FIRMS[1], "（2026）粤01执1号", grounds="3", serious=True)
        bus.publish("gd.amr", "registration", FIRMS[4], "设立5", subject_name="合成五号有限公司", status="ACTIVE")
        bus.settle()
        yield bus


Told = set[tuple[str, str, str, str]]
"""(action, department, subject, measure)."""


def told(bus: LiveBus) -> dict[str, Told]:
    """What each notice (by id) says that any department ever got."""
    topics = [bus.topics.out_of(department) for department in bus.departments]
    with closing(Parts(bus.settings, bus.settings.kafka, bus.settings.redis).reader()) as reader:
        places = watermarks(reader, [(topic, number) for topic in topics for number in range(bus.settings.partitions)])
        notices = [bus.codec.decode(message.value() or b"")[1] for message in read_places(reader, places)]
    return {
        notice["id"]: {
            (change["action"], notice["department"], notice["subject"], change["measure"])
            for change in notice["changes"]
        }
        for notice in notices
    }


def test_departments_are_told_what_the_simulation_said(
    bus: LiveBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = told(bus)
    schemas = with_changes(tmp_path / "other")
    question = Question(
        redis=bus.settings.redis, partitions=bus.settings.partitions, now=bus.policy,
        then=load_policy(schemas, bus.catalogue), as_of=bus.clock.today,
    )  # fmt: skip
    effect = simulate(question, workers=2)
    assert simulate(question, workers=1) == effect

    bus.stop_here()
    monkeypatch.setattr("consumers.standing.run.SCHEMAS", schemas)
    bus._verifier = None
    bus.start_here()
    wait_until(lambda: judged_by(bus.settings.redis, bus.settings.partitions) == {question.then.version})
    bus.settle()
    notices = [changes for name, changes in told(bus).items() if name not in before and changes]
    after = set[tuple[str, str, str, str]]().union(*notices)

    assert effect.subjects == len(FIRMS) + 1, "the firms and the person"
    assert ("IMPOSED", "gd.drc", OVER, "no_awards") in after, "what was over is not over by the other policy"
    assert effect.notices == len(notices)
    told_about = Counter(department for department, _ in {(department, subject) for _, department, subject, _ in after})
    assert effect.by_department == told_about
    assert effect.affected == len({subject for _, _, subject, _ in after})
    actions = {Kind.GAINED: "IMPOSED", Kind.LOST: "LIFTED", Kind.RESTATED: "CHANGED"}
    said = {(actions[one.kind], one.department, one.measure) for one in effect.changes}
    assert said == {(action, department, measure) for action, department, _, measure in after}
