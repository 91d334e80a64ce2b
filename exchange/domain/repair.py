"""Credit repair (信用修复): how far an application has come, from its steps and from the day on which it was made."""

from exchange.domain.bodies import Repair, RepairState
from exchange.domain.facts import APPLICATION
from exchange.domain.record import Entry
from exchange.domain.standing import Application


def open_application(entry: Entry) -> Application | None:
    """The application for repair of a document that waits for its authority; None if there is none, or it is decided.

    Of several the newest counts. Where the application itself is not known, its time begins with the newest step.
    """
    steps = [(step.decided_on, Repair._make(step.body).state) for step in entry.amendments("repair")]
    decided_on, state = max(steps, default=(0, RepairState.REFUSED))
    if state not in (RepairState.APPLIED, RepairState.ACCEPTED):
        return None
    applied_on = max((made.decided_on for made in entry.amendments(APPLICATION)), default=decided_on)
    return Application(applied_on, accepted=state == RepairState.ACCEPTED)
