"""What must hold whatever happened: nothing lost, nothing wrong, nothing out of order, told in full from the topics at rest."""

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from zlib import crc32

from confluent_kafka import Consumer

from consumers.standing.reading import read_places
from consumers.standing.run import build_verifier
from consumers.standing.verify import Verifier
from exchange.errors import RetryLaterError
from exchange.kafka import reading
from exchange.kafka_places import Place, watermarks
from tests.faults.campaign.receivers import DESKS, READERS, Held, KeepingDesk, held_by
from tests.faults.campaign.world import World

QUIET_WITHIN_SECONDS = 400
SHOWN = 10


@dataclass(slots=True, kw_only=True)
class Checked:
    """What was compared at rest, and what differs."""

    records: int = 0
    rejected: int = 0
    subjects: int = 0
    measures: int = 0
    notices: int = 0
    received: int = 0
    lost: int = 0
    wrong: int = 0
    disordered: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether everything agrees."""
        return not (self.lost or self.wrong or self.disordered)

    def say(self, example: str) -> None:
        """Keep an example of what differs, a few of all."""
        if len(self.examples) < SHOWN:
            self.examples.append(example)


def check(world: World) -> Checked:
    """Let the bus come to rest, compare everything, and let the load go on.

    Raises:
        AssertionError: it does not come to rest.
    """
    world.load.rest(resting=True)
    world.probes.rest(resting=True)
    time.sleep(0.5)  # what is being sent at this moment
    world.load.flush()
    settings = world.settings
    verifier = build_verifier(settings, settings.kafka, world.redis.direct())
    _wait_quiet(world, verifier)
    verdict = verifier.verify()
    found = Checked(
        records=verdict.records + verdict.rejected, rejected=verdict.rejected, subjects=verdict.subjects,
        measures=verdict.measures, notices=verdict.notices, wrong=sum(verdict.problems.values()),
        examples=[f"verify: {one}" for one in verdict.examples[:SHOWN]],
    )  # fmt: skip
    _compare_confirmed(world, found)
    for department in (*READERS, *DESKS):
        _compare_receiver(world, department, verifier, found)
    world.load.rest(resting=False)
    world.probes.rest(resting=False)
    return found


def _wait_quiet(world: World, verifier: Verifier) -> None:
    """Until everything is taken in, published and received, and stays so."""
    until, calm, why = time.monotonic() + QUIET_WITHIN_SECONDS, 0, ""
    while calm < 2:
        world.look_after()
        try:
            waiting = verifier.waiting()
            behind = {} if waiting else _behind(world)
        except RetryLaterError as error:
            why, calm = str(error), 0
        else:
            why = f"{waiting} waiting, departments behind: {behind}"
            calm = 0 if waiting or behind else calm + 1
        if time.monotonic() > until:
            world.say_where()
            raise AssertionError(f"not quiet within {QUIET_WITHIN_SECONDS} s: {why}")
        time.sleep(0.3)


def _behind(world: World) -> dict[str, int]:
    """Departments that have not received all newest notices, and how many they lack."""
    newest = {department: _newest(world, department)[0] for department in (*READERS, *DESKS)}
    lacking = {
        department: sum(_held(world, department).get(subject) != held for subject, held in of_department.items())
        for department, of_department in newest.items()
    }
    return {department: count for department, count in lacking.items() if count}


def _held(world: World, department: str) -> dict[str, Held]:
    for reader in world.readers:
        if reader.department == department:
            return reader.held
    desk = world.desks.desks[department]
    assert isinstance(desk, KeepingDesk)
    return desk.held


def _newest(world: World, department: str) -> tuple[dict[str, Held], list[str]]:
    """What a department must hold by its topic, subject by subject; and where notices lie out of order."""
    held: dict[str, Held] = {}
    disordered = []
    topic = world.topics.out_of(department)
    with closing(_reader(world)) as reader:
        places = watermarks(reader, _places(world, topic))
        for message in read_places(reader, places):
            notice = world.codec.decode(message.value() or b"")[1]
            new, known = held_by(notice), held.get(notice["subject"])
            if known is not None and new.sequence <= known.sequence:
                disordered.append(f"{topic} {notice['subject']}: {new.sequence} after {known.sequence}")
            held[notice["subject"]] = new
    return held, disordered


def _compare_receiver(world: World, department: str, verifier: Verifier, found: Checked) -> None:
    """What a department holds, against its topic and against what must be true."""
    newest, disordered = _newest(world, department)
    held = _held(world, department)
    found.received += len(held)
    stale = sum(reader.stale for reader in world.readers if reader.department == department)
    stale += world.desks.desks[department].stale if department in DESKS else 0
    found.disordered += len(disordered) + stale
    for one in disordered:
        found.say(one)
    if stale:
        found.say(f"{department} was handed {stale} notices older than one before")
    for subject in {*newest, *held, *verifier.truth}:
        truth = verifier.truth.get(subject)
        wanted = frozenset(truth.judgement.measures.get(department, ())) if truth else frozenset()
        holding = held.get(subject)
        if (holding.measures if holding else frozenset()) != wanted or holding != newest.get(subject):
            found.wrong += 1
            found.say(
                f"{department} holds {holding} of {subject}, should hold {sorted(wanted)} by {newest.get(subject)}"
            )


def _compare_confirmed(world: World, found: Checked) -> None:
    """Every record that was confirmed lies where the broker said."""
    with closing(_reader(world)) as reader:
        for topic, confirmed in world.load.confirmed.items():
            places = watermarks(reader, _places(world, topic))
            there = Counter((m.partition(), m.offset(), crc32(m.value() or b"")) for m in read_places(reader, places))
            missing = [one for one in confirmed if one not in there]
            found.lost += len(missing)
            for one in missing:
                found.say(f"{topic} has no record at {one}")


def _places(world: World, topic: str) -> list[Place]:
    return [(topic, number) for number in range(world.settings.partitions)]


def _reader(world: World) -> Consumer:
    return Consumer(reading(world.settings.kafka, "campaign.oracle"))
