"""A door for tests of rooms: everybody is the visitor that the test says, and nothing is written down."""

from collections.abc import Sequence

from starlette.requests import Request

from exchange.domain.access import PUBLIC, Act, Visitor, denied
from exchange.http.problems import RefusedError


class DoorFor:
    """Set as `app.state.access`; `reads` has the acts that would have been written down, `matters` why."""

    def __init__(self, visitor: Visitor = PUBLIC) -> None:
        self.visitor = visitor
        self.reads: list[tuple[Act, str]] = []
        self.matters: list[str] = []
        self.persons: list[str] = []

    async def admit(self, request: Request, act: Act, *, log: bool) -> Visitor:
        given = request.path_params | dict(request.query_params)
        subject, department = str(given.get("subject", "")), str(given.get("department", ""))
        if reason := denied(self.visitor, act, department=department, subject=subject):
            raise RefusedError(403, reason, code=reason, remedy="")
        if log:
            await self.note(self.visitor, act, subject=subject)
        return self.visitor

    async def still(self, request: Request, act: Act) -> bool:
        return denied(self.visitor, act) is None

    async def note(
        self, visitor: Visitor, act: Act, *, subject: str = "", matter: str = "", request_id: str = ""
    ) -> None:
        self.reads.append((act, subject))
        self.matters.append(matter)

    async def count_persons(
        self, visitor: Visitor, act: Act, persons: Sequence[str], *, matter: str, request_id: str
    ) -> None:
        self.persons += persons
