"""Routes of signing in and out, and of one's own account."""

import asyncio
import hmac
import logging
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from consumers.portal.access.door import SESSION, Door, address_of
from consumers.portal.access.needs import needs
from consumers.portal.access.sign_in import MINUTES, local_place
from consumers.portal.pages import Pages
from exchange.accounts import Account, set_password, sign_in
from exchange.domain.access import Act, Visitor
from exchange.errors import RejectedError
from exchange.http.problems import RefusedError

STATE = "sign-in"
_HASHES_AT_ONCE = 2
"""A hash takes 64 MB and a core; more at once would be a way to bring the portal down."""
Anybody = Annotated[Visitor, Depends(needs(Act.SIGN_IN))]
Owner = Annotated[Visitor, Depends(needs(Act.OWN_ACCOUNT))]
Name = Annotated[str, Form(max_length=40)]
Password = Annotated[str, Form(max_length=128)]
log = logging.getLogger("creditbus.portal")


class AccessRoutes:
    """The pages of signing in.

    Args:
        pages: the templates.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._hashes = asyncio.Semaphore(_HASHES_AT_ONCE)

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        router.get("/login")(self.form)
        router.post("/login")(self.sign_in)
        router.get("/login/oidc")(self.leave)
        router.get("/login/oidc/return")(self.come_back)
        router.post("/logout")(self.sign_out)
        router.get("/account")(self.account)
        router.post("/account/password")(self.change_password)
        return router

    async def form(
        self, request: Request, _visitor: Anybody, place: Annotated[str, Query(alias="next")] = "/"
    ) -> Response:
        """The form."""
        return self._form(request, local_place(place))

    async def sign_in(
        self, request: Request, _visitor: Anybody, name: Name, password: Password,
        place: Annotated[str, Form(alias="next")] = "/",
    ) -> Response:  # fmt: skip
        """Sign in with a local account."""
        place, name = local_place(place), name.strip().lower()
        account, wait = await self._try(request, name, password)
        if account is None:
            return self._form(request, place, name=name, wait=wait, failed=True)
        await self._begin(request, account.visitor, local=True)
        return RedirectResponse(place, 303)

    async def leave(
        self, request: Request, _visitor: Anybody, place: Annotated[str, Query(alias="next")] = "/"
    ) -> Response:
        """Go to the identity provider."""
        door = _door(request)
        if door.provider is None:
            raise RefusedError(
                404, "没有身份提供方 no identity provider", code="no_provider", remedy="sign in at /login"
            )
        state, begun = await door.sign_ins.begin(local_place(place))
        url = await door.provider.sign_in_url(state=state, nonce=begun.nonce, verifier=begun.verifier)
        door.cookies.set(request, STATE, state, max_age=MINUTES * 60)
        return RedirectResponse(url, 303)

    async def come_back(
        self, request: Request, _visitor: Anybody, state: str = "", code: str = "", error: str = ""
    ) -> Response:
        """Come back from the identity provider."""
        door = _door(request)
        mine = hmac.compare_digest(door.cookies.read(request, STATE).encode(), state.encode())
        begun = await door.sign_ins.take(state) if mine and state else None
        door.cookies.drop(request, STATE)
        if begun is None or door.provider is None or not code:
            raise RefusedError(
                400, f"登录未完成 signing in was not completed {error[:40]}".strip(), code="sign_in_failed",
                remedy="重新登录 sign in again at /login",
            )  # fmt: skip
        visitor = await door.provider.redeem(code, nonce=begun.nonce, verifier=begun.verifier)
        await self._begin(request, visitor, local=False)
        return RedirectResponse(begun.place, 303)

    async def sign_out(self, request: Request, _visitor: Anybody) -> Response:
        """End the session."""
        door = _door(request)
        await door.sessions.end(door.cookies.read(request, SESSION))
        door.cookies.drop(request, SESSION)
        return RedirectResponse("/", 303)

    async def account(self, request: Request, _visitor: Owner, changed: str = "") -> Response:
        """One's own account."""
        return self._pages.page(
            request, "access/account.html", session=request.state.session, changed=bool(changed), problem=""
        )

    async def change_password(
        self, request: Request, visitor: Owner, password: Password, new_password: Password
    ) -> Response:
        """Another password; every session of the account ends, and one begins."""
        session = request.state.session
        if session is None or not session.local:
            raise RefusedError(
                404, "密码不在此管理 the password is not kept here", code="no_password", remedy="ask its provider"
            )
        account, wait = await self._try(request, visitor.account, password)
        problem = "" if account else ("wait" if wait else "wrong")
        if account is not None:
            try:
                async with self._hashes:
                    await asyncio.to_thread(
                        set_password, _door(request).accounts, account.name, new_password, datetime.now(UTC)
                    )
            except RejectedError as error:
                problem = error.reasons[0].rule
        if problem:
            return self._pages.page(
                request, "access/account.html", status=422, session=session, changed=False, problem=problem
            )
        await self._begin(request, visitor, local=True)
        return RedirectResponse("/account?changed=1", 303)

    async def _try(self, request: Request, name: str, password: str) -> tuple[Account | None, int]:
        """The account of a name and a password, or None and the seconds to wait before the next try."""
        door = _door(request)
        wait = await door.limits.try_sign_in(name, address_of(request))
        if wait:
            log.warning("sign-in must wait account=%r address=%s seconds=%d", name, address_of(request), wait)
            return None, wait
        async with self._hashes:
            account = await asyncio.to_thread(sign_in, door.accounts, name, password)
        if account is None:
            log.warning("sign-in failed account=%r address=%s", name, address_of(request))
            return None, 0
        await door.limits.forget(name)
        return account, 0

    async def _begin(self, request: Request, visitor: Visitor, *, local: bool) -> None:
        """A new session with a new id, whatever the browser had before."""
        door = _door(request)
        await door.sessions.end(door.cookies.read(request, SESSION))
        secret, _ = await door.sessions.begin(visitor, local=local)
        door.cookies.set(request, SESSION, secret)
        if local:
            await asyncio.to_thread(door.accounts.note_sign_in, visitor.account, datetime.now(UTC))
        log.info("signed in account=%r role=%s department=%s", visitor.account, visitor.role, visitor.department)

    def _form(self, request: Request, place: str, *, name: str = "", wait: int = 0, failed: bool = False) -> Response:
        status = 429 if wait else 401 if failed else 200
        provider = _door(request).provider is not None
        page = self._pages.page(
            request,
            "access/login.html",
            status=status,
            place=place,
            name=name,
            wait=wait,
            failed=failed,
            provider=provider,
        )
        if wait:
            page.headers["Retry-After"] = str(wait)
        return page


def access_routes(pages: Pages) -> APIRouter:
    """The routes of signing in and out."""
    return AccessRoutes(pages).router()


def _door(request: Request) -> Door:
    door: Door = request.app.state.access
    return door
