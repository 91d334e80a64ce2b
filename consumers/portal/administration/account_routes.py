"""Pages of the administrator: who has an account, as what, since when; make one, another role or password, disable, unlock."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.door import Door
from consumers.portal.access.needs import needs
from consumers.portal.pages import Pages
from exchange.accounts import Account, add, disable, enable, set_password, set_role
from exchange.catalogue import Catalogue
from exchange.clock import now_ms
from exchange.domain.access import Act, Role, Visitor
from exchange.domain.calendar import day_of
from exchange.errors import CreditbusError, RejectedError, RequestError
from exchange.http.problems import RefusedError

PASSWORD_BYTES = 15
"""Of a password that the bus makes: 20 characters, shown once."""
ROLES = (Role.OFFICER, Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR)
Administrator = Annotated[Visitor, Depends(needs(Act.ADMINISTER_ACCOUNTS))]
Changing = Annotated[Visitor, Depends(needs(Act.ADMINISTER_ACCOUNTS, log=False))]
"""Written down by the route, with what was changed as its matter."""
Name = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=100)]


class AccountRoutes:
    """The pages of accounts.

    Args:
        pages: the templates.
        catalogue: of the departments.
    """

    def __init__(self, pages: Pages, catalogue: Catalogue) -> None:
        self._pages = pages
        self._catalogue = catalogue

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/accounts", include_in_schema=False)
        router.get("")(self.accounts)
        router.post("")(self.add)
        router.get("/{name}")(self.account)
        router.post("/{name}/role")(self.change_role)
        router.post("/{name}/password")(self.reset)
        router.post("/{name}/disable")(self.disable)
        router.post("/{name}/enable")(self.enable)
        router.post("/{name}/unlock")(self.unlock)
        return router

    async def accounts(self, request: Request, _visitor: Administrator) -> Response:
        """Every account, the disabled ones too."""
        return await self._list(request)

    async def add(
        self, request: Request, visitor: Changing, name: Name = "", role: Text = "", department: Text = ""
    ) -> Response:
        """A new account; this answer is the only one that shows its password."""
        name = name.strip().lower()
        await self._note(request, visitor, f"add {name} {role} {department}".strip())
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            as_role = self._scope(role, department)
            await asyncio.to_thread(
                add, _door(request).accounts, name, password, as_role, department, datetime.now(UTC)
            )
        except (RejectedError, RequestError) as error:
            return await self._list(request, error=error, name=name, role=role, department=department)
        return await self._one(request, name, password=password)

    async def account(self, request: Request, name: str, _visitor: Administrator) -> Response:
        """One account."""
        return await self._one(request, name)

    async def change_role(
        self, request: Request, name: str, visitor: Changing, role: Text = "", department: Text = ""
    ) -> Response:
        """Another role or department; its sessions end."""
        _refuse_own(name, visitor)
        await self._note(request, visitor, f"role {name} {role} {department}".strip())
        try:
            as_role = self._scope(role, department)
            await asyncio.to_thread(set_role, _door(request).accounts, name, as_role, department, datetime.now(UTC))
        except RejectedError as error:
            return await self._one(request, name, error=error)
        return _back(name)

    async def reset(self, request: Request, name: str, visitor: Changing) -> Response:
        """Another password, shown in this answer alone; its sessions end, and it need not wait any more."""
        _refuse_own(name, visitor)
        await self._note(request, visitor, f"reset {name}")
        password, door = secrets.token_urlsafe(PASSWORD_BYTES), _door(request)
        await asyncio.to_thread(set_password, door.accounts, name, password, datetime.now(UTC))
        await door.limits.forget(name)
        return await self._one(request, name, password=password)

    async def disable(self, request: Request, name: str, visitor: Changing) -> Response:
        """End it at once, with its sessions; its trace stays."""
        _refuse_own(name, visitor)
        await self._note(request, visitor, f"disable {name}")
        await asyncio.to_thread(disable, _door(request).accounts, name, datetime.now(UTC))
        return _back(name)

    async def enable(self, request: Request, name: str, visitor: Changing) -> Response:
        """Let it be used again, with the password that it had."""
        await self._note(request, visitor, f"enable {name}")
        await asyncio.to_thread(enable, _door(request).accounts, name, datetime.now(UTC))
        return _back(name)

    async def unlock(self, request: Request, name: str, visitor: Changing) -> Response:
        """Forget its failures to sign in."""
        await self._known(request, name)
        await self._note(request, visitor, f"unlock {name}")
        await _door(request).limits.forget(name)
        return _back(name)

    async def _list(
        self, request: Request, *, error: CreditbusError | None = None, name: str = "", role: str = "", department: str = ""
    ) -> Response:  # fmt: skip
        accounts = _door(request).accounts
        found, last = await asyncio.to_thread(_both, accounts.all, accounts.sign_ins)
        return self._pages.page(
            request, "administration/accounts.html", status=422 if error else 200, accounts=sorted(found, key=lambda one: one.name),
            last=last, error=error, name=name, role=role, department=department, roles=ROLES, departments=self._departments(),
        )  # fmt: skip

    async def _one(
        self, request: Request, name: str, *, password: str = "", error: CreditbusError | None = None
    ) -> Response:
        door = _door(request)
        account = await self._known(request, name)
        last = (await asyncio.to_thread(door.accounts.sign_ins)).get(name)
        return self._pages.page(
            request, "administration/account.html", status=422 if error else 200, account=account, last=last, password=password,
            error=error, waits=await door.limits.waits(name), roles=ROLES, departments=self._departments(),
            is_own=name == request.state.visitor.account,
        )  # fmt: skip

    async def _known(self, request: Request, name: str) -> Account:
        account = await asyncio.to_thread(_door(request).accounts.get, name)
        if account is None:
            raise RefusedError(404, "没有此账号 no such account", code="unknown_account", remedy="see /accounts")
        return account

    async def _note(self, request: Request, visitor: Visitor, matter: str) -> None:
        await _door(request).note(visitor, Act.ADMINISTER_ACCOUNTS, matter=matter, request_id=request.state.request_id)

    def _departments(self) -> list[str]:
        """Those that there are today."""
        today = day_of(now_ms())
        return sorted(slug for slug, one in self._catalogue.departments.items() if today < one.existed_to)

    def _scope(self, role: str, department: str) -> Role:
        """The role of a form.

        Raises:
            RequestError: `unknown_role`, `unknown_department`.
        """
        if role not in set(ROLES):
            raise RequestError("没有此角色 no such role", code="unknown_role", remedy=", ".join(ROLES))
        if department and department not in self._departments():
            raise RequestError("没有此部门 no such department", code="unknown_department", remedy="choose one")
        return Role(role)


def _both(
    accounts: Callable[[], list[Account]], sign_ins: Callable[[], dict[str, datetime]]
) -> tuple[list[Account], dict[str, datetime]]:
    return accounts(), sign_ins()


def _refuse_own(name: str, visitor: Visitor) -> None:
    """Nobody changes his own account here: the last administrator would be locked out by a slip."""
    if name == visitor.account:
        raise RefusedError(
            409, "不能更改本人账号 one's own account is not changed here", code="own_account",
            remedy="本人密码见“我的账号” your own password: /account; the rest is for another administrator",
        )  # fmt: skip


def _back(name: str) -> Response:
    return RedirectResponse(f"/accounts/{name}", 303)


def _door(request: Request) -> Door:
    door: Door = request.app.state.access
    return door


def account_routes(pages: Pages, catalogue: Catalogue) -> APIRouter:
    """The routes of accounts."""
    return AccountRoutes(pages, catalogue).router()
