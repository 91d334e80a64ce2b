"""The stream of the synthetic province: endless, the same for the same seed, with repeats and disorder where asked for."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from exchange.errors import RequestError
from exchange.pseudonym import PersonKeys
from producers.simulator.events import Event, Events
from producers.simulator.mix import LISTS
from producers.simulator.population import Population

_RECENT = 1000  # how far back repeats and delays reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Listings that arrive all at once, as courts' and tax authorities' monthly bulk does."""

    list_code: str
    count: int

    @classmethod
    def parse(cls, text: str) -> "Burst":
        """A burst from `LIST:COUNT`.

        Raises:
            RequestError: `bad_burst`.

        >>> Burst.parse("COURT:700000")
        Burst(list_code='COURT', count=700000)
        """
        list_code, _, count = text.partition(":")
        if list_code not in LISTS or not count.isdecimal():
            raise RequestError(
                f"no burst {text!r}", code="bad_burst", remedy=f"give LIST:COUNT, LIST of {', '.join(LISTS)}"
            )
        return cls(list_code=list_code, count=int(count))


def simulate(
    seed: int,
    subjects: int,
    *,
    today: date,
    keys: PersonKeys,
    bursts: tuple[Burst, ...] = (),
    repeated: float = 0.0,
    disordered: float = 0.0,
) -> Iterator[Event]:
    """Everything that departments publish, without end: (department, record type, record).

    Records are complete; `published_at` is nine o'clock in the morning of `today`, for a publisher to put right.

    Args:
        seed: the same arguments give the same records.
        subjects: organisations in the province.
        today: the day on which it is published; no decision is later.
        keys: for persons' pseudonyms.
        bursts: come first.
        repeated: share of the events that come a second time, up to 1,000 events later.
        disordered: share that are held back by up to 1,000 events, so that a later revision may overtake.
    """
    population = Population(seed, subjects, keys)
    events = Events(population, seed, today)
    stream = _chain(events, population, bursts)
    return _disturb(stream, seed, repeated, disordered) if repeated or disordered else stream


def _chain(events: Events, population: Population, bursts: tuple[Burst, ...]) -> Iterator[Event]:
    for burst in bursts:
        for number in range(burst.count):
            yield events.make_listing(burst.list_code, population.organisation(number % population.size))
    while True:
        yield events.make()


def _disturb(stream: Iterator[Event], seed: int, repeated: float, disordered: float) -> Iterator[Event]:
    draw = random.Random(~seed).random  # noqa: S311 # a simulation, no secret
    later: list[list[Event]] = [[] for _ in range(_RECENT)]  # a ring: what comes so many events from now
    place = 0
    for event in stream:
        due, later[place] = later[place], []
        yield from due
        delay = 1 + int(draw() * (_RECENT - 1))
        chance = draw()
        if chance < disordered:
            later[(place + delay) % _RECENT].append(event)
        else:
            yield event
            if chance < disordered + repeated:
                later[(place + delay) % _RECENT].append(event)
        place = (place + 1) % _RECENT
