"""Looks into the delivery log: attempts of a department, about a subject or a notice, and what waits."""

from itertools import islice

from consumers.dispatcher.attempt_log import Attempt, decode_attempt
from consumers.dispatcher.lane import decode_pointer
from consumers.dispatcher.queue import Pointer
from exchange.delivery_store import DeliveryStore
from exchange.partitioner import partition_of

LOG_OF_SUBJECT = 100
"""Attempts about one subject that the log can find, the newest."""


def find_attempts(
    store: DeliveryStore, partitions: int, department: str, *, subject: str = "", notice: str = "", limit: int
) -> list[Attempt]:
    """Attempts, the newest first: about one notice, else a subject, else all of the department.

    Args:
        store: of the deliveries.
        partitions: of the bus.
        department: whose; "" only with a notice.
        subject: id, or "".
        notice: id, or ""; one of another department than `department` is not found.
        limit: attempts at most.
    """
    if notice:
        place = store.place_of_notice(notice, partitions)
        if place is None or department not in ("", place[1]):
            return []
        raws = store.log_of_subject(*place, LOG_OF_SUBJECT)
    elif subject:
        raws = store.log_of_subject(partition_of(subject, partitions), department, subject, limit)
    else:
        raws = store.log_of_department(department, partitions, limit)
    attempts = map(decode_attempt, raws)
    return [one for one in attempts if notice in ("", one.notice)][:limit]


def find_waiting(store: DeliveryStore, partitions: int, department: str, limit: int) -> list[Pointer]:
    """Notices that wait for a department's endpoint, some of them."""
    waiting = (raw for number in range(partitions) for _, raw in store.pending(number, department))
    return [decode_pointer(raw) for raw in islice(waiting, limit)]
