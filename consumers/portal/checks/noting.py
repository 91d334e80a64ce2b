"""Which lines of the access log a check leaves: one for the question, and one for each natural person in it."""

from collections.abc import Callable, Sequence

from consumers.portal.checks.answers import Fault
from consumers.portal.checks.reading import Command
from exchange.access_log import Asked, append_command
from exchange.clock import now_ms
from exchange.codec import Codec
from exchange.domain.access import Act, Visitor
from exchange.domain.identity import is_person

Note = Callable[[Visitor, Act, Sequence[str | Fault], str, str], Sequence[Command]]
"""Of a visitor, his act, the subjects, the matter and the check's id: the commands that write it down."""


def noting(codec: Codec) -> Note:
    """Lines of the access log, for the round trip that reads the standings.

    Args:
        codec: of the contracts.
    """

    def note(
        visitor: Visitor, act: Act, subjects: Sequence[str | Fault], matter: str, check_id: str
    ) -> Sequence[Command]:
        good = [one for one in subjects if isinstance(one, str)]
        named = good if len(subjects) == 1 else sorted({one for one in good if is_person(one)})
        return [
            append_command(
                codec, Asked(visitor=visitor, act=act, subject=one, matter=matter, request_id=check_id), now_ms()
            )
            for one in named or [""]
        ]

    return note
