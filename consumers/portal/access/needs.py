"""How a route says which act it is: `visitor: Annotated[Visitor, Depends(needs(Act.PICTURE))]`, one act a route.

The application has the door as `app.state.access`; `request.state.visitor` is the visitor from then on, also for templates.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.requests import Request

from exchange.domain.access import Act, Visitor


class Admits(Protocol):
    """The door: `consumers.portal.access.door.Door`."""

    async def admit(self, request: Request, act: Act, *, log: bool) -> Visitor:
        """See `Door.admit`."""

    async def still(self, request: Request, act: Act) -> bool:
        """See `Door.still`."""

    async def note(
        self, visitor: Visitor, act: Act, *, subject: str = "", matter: str = "", request_id: str = ""
    ) -> None:
        """See `Door.note`."""

    async def count_persons(
        self, visitor: Visitor, act: Act, persons: Sequence[str], *, matter: str, request_id: str
    ) -> None:
        """See `Door.count_persons`."""


def needs(act: Act, *, log: bool = True) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency that lets in who may do an act, and writes down what is not public.

    The subject and the department that a route names in its path or query (`subject`, `department`) are part of the question.

    Args:
        act: what the route does.
        log: whether the read is written down here; a route that learns its subject from its body does it itself (`Door.note`).

    Raises (when called):
        RefusedError: 401 `sign_in_required`, `wrong_key`, `wrong_token`, `expired_token`, or for a browser 303 to the page of signing in; 403 `role_forbids`,
            `other_department`, `person_forbidden`, `forged_form`; 404 `unknown_subject`: a person by the bus's own pseudonym; 429 `too_many_requests`.
        RetryLaterError: the visitor cannot be recognised, or his read not be written down: it does not happen.
    """

    async def admit(request: Request) -> Visitor:
        door: Admits = request.app.state.access
        request.state.visitor = await door.admit(request, act, log=log)
        return request.state.visitor  # type: ignore[no-any-return] # the line above says what it is

    return admit
