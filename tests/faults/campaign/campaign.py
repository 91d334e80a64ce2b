"""The campaign's one loop: inject, wait, heal, see that the bus comes back; now and then, and at the end, ask the oracle."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.campaign.kinds.fault import Fault
from tests.faults.campaign.oracle import check
from tests.faults.campaign.outcome import Injected, Outcome
from tests.faults.campaign.world import World

THROUGH_WITHIN_SECONDS = 240.0
"""After a fault is healed records must come through within so long, or the campaign has failed."""
WHOLE_WITHIN_SECONDS = 240.0
CALM_SECONDS = 0.3
"""Between one fault and the next."""
Say = Callable[[str], None]


def run_campaign(
    home: Path,
    faults: Sequence[Fault],
    *,
    seed: int,
    rate: float,
    partitions: int,
    say: Say,
    check_every: int = 100,
    is_over: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run it.

    Args:
        home: folder for data and logs; it is left as it is.
        faults: in their order.
        seed: of the load.
        rate: records a second.
        partitions: of the bus.
        say: told a line about each step.
        check_every: faults after which the bus comes to rest and everything is compared.
        is_over: asked before each fault; once it is, no more is injected, and the oracle asked for the last time.
    """
    outcome = Outcome(seed=seed)
    began = time.monotonic()
    with World(home, seed=seed, rate=rate, partitions=partitions) as world:
        try:
            world.start()
            say(f"the bus is up after {time.monotonic() - began:.0f} s")
            began = time.monotonic()
            for number, fault in enumerate(faults, start=1):
                if is_over():
                    break
                injected = _one(world, number, fault)
                outcome.faults.append(injected)
                say(
                    f"{number:5}/{len(faults)} {fault.kind} ({fault.detail}), {injected.lasted:.1f} s: away {injected.away:.1f} s, "
                    f"after healing {injected.after:.1f} s, whole after {injected.settled:.1f} s"
                )
                if number % check_every == 0:
                    _ask(world, outcome, say)
            if len(outcome.faults) % check_every or not outcome.faults:
                _ask(world, outcome, say)
        except Exception as error:  # noqa: BLE001 # what was found until then is reported, and the failure with it
            number = len(outcome.faults) + 1
            doing = f"fault {number} ({faults[number - 1]})" if number <= len(faults) else "the end"
            outcome.failure = f"{doing}: {error!r}"
        outcome.seconds = time.monotonic() - began
        outcome.sent_again = world.load.sent_again
        outcome.ended = world.ended
    return outcome


def _one(world: World, number: int, fault: Fault) -> Injected:
    """Inject one fault, heal it, and wait until everything is as before."""
    began = time.monotonic()
    world.probes.forget(began)
    fault.inject(world)
    time.sleep(fault.seconds)
    fault.heal(world)
    healed = time.monotonic()
    world.wait_through(healed, THROUGH_WITHIN_SECONDS)
    through = time.monotonic()
    away = world.probes.longest_wait(fault.seen_at, began)
    give_up_at = healed + WHOLE_WITHIN_SECONDS
    while not world.is_whole():
        world.look_after()
        assert time.monotonic() < give_up_at, f"servers are not whole {WHOLE_WITHIN_SECONDS} s after {fault}"
        time.sleep(0.2)
    settled = time.monotonic()
    time.sleep(CALM_SECONDS)
    return Injected(
        number=number, kind=fault.kind, detail=fault.detail, lasted=healed - began, away=away, after=through - healed,
        settled=settled - healed,
    )  # fmt: skip


def _ask(world: World, outcome: Outcome, say: Say) -> None:
    """The oracle."""
    found = check(world)
    outcome.checks.append(found)
    say(
        f"      {found.records:,} records, {found.subjects:,} subjects, {found.measures:,} measures, {found.notices:,} notices: "
        f"lost {found.lost}, wrong {found.wrong}, out of order {found.disordered}"
    )
    assert found.is_good, "\n".join(found.examples)
