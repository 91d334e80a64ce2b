"""The door: recognises who asks, refuses who may not, and writes down what is not public before it is answered."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import quote

import redis.asyncio
from redis.exceptions import RedisError
from starlette.requests import Request

from consumers.portal.access.forgery import refuse_forged, token_of
from consumers.portal.access.headers import Cookies
from consumers.portal.access.limits import Limits
from consumers.portal.access.programs import Programs
from consumers.portal.access.provider import Provider
from consumers.portal.access.sessions import Session, Sessions
from consumers.portal.access.sign_in import SignIns
from exchange.access_log import Asked, append_command
from exchange.accounts import AccountStore
from exchange.clock import now_ms
from exchange.codec import Codec
from exchange.domain.access import MATRIX, PUBLIC, Act, Denied, Role, Visitor, denied
from exchange.domain.identity import is_person
from exchange.errors import RetryLaterError
from exchange.http.door import Door as Keys
from exchange.http.problems import RefusedError
from exchange.known_as import PortalKeys
from exchange.redis_errors import translate_redis

SESSION = "session"
_SEARCHES = frozenset({Act.SEARCH, Act.PICTURE, Act.REPORT, Act.FIND_PERSON})
API = "/v1/"
"""Paths of programs: they are answered by problems, and never led to a form."""
_FILINGS = frozenset({Act.FILE_COMPLAINT, Act.FILE_OBJECTION})
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_WORDS = {
    Denied.SIGN_IN: (401, "请先登录 sign in first", "登录后重试 sign in, or send an API key or a bearer token"),
    Denied.ROLE: (
        403,
        "您的角色无权进行此操作 your role may not do this",
        "see docs/access.md for what each role may do",
    ),
    Denied.DEPARTMENT: (
        403,
        "只能办理本部门的事项 an officer acts for his own department",
        "ask the department concerned",
    ),
    Denied.PERSON: (403, "无权查看自然人信息 your role sees no natural persons", "see docs/access.md"),
}
log = logging.getLogger("creditbus.portal")


class Door:
    """Lets visitors in; an application has one as `app.state.access`.

    Args:
        client: of Redis, for the access log.
        codec: of its entries.
        sessions: of people.
        accounts: local ones.
        sign_ins: under way at the provider.
        keys: recognises API keys and bearer tokens.
        provider: of OpenID Connect, where there is one.
        portal_keys: of persons' pseudonyms.
        limits: of searches and sign-ins.
        cookies: how they are named.
    """

    def __init__(
        self, *, client: "redis.asyncio.Redis", codec: Codec, sessions: Sessions,
        accounts: AccountStore, sign_ins: SignIns, keys: Keys, provider: Provider | None, portal_keys: PortalKeys, limits: Limits,
        cookies: Cookies,
    ) -> None:  # fmt: skip
        self.codec = codec
        self.sessions = sessions
        self.accounts = accounts
        self.sign_ins = sign_ins
        self.provider = provider
        self.portal_keys = portal_keys
        self.limits = limits
        self.cookies = cookies
        self._client = client
        self._keys = keys
        self._programs = Programs(self._program)

    async def admit(self, request: Request, act: Act, *, log: bool) -> Visitor:
        """See `consumers.portal.access.needs.needs`. Also sets `session`, `csrf_token` and `subject` of `request.state`."""
        visitor, session = await self._recognise(request)
        request.state.visitor, request.state.session = visitor, session
        request.state.csrf_token = token_of(request, session, self.cookies)
        subject = request.state.subject = self._subject(request, visitor)
        reason = denied(visitor, act, department=_named(request, "department"), subject=subject)
        if reason is Denied.SIGN_IN and request.url.path.startswith(API):
            _refuse(request, reason)  # a program without a key is told so, not that its form has expired
        if "authorization" not in request.headers:
            await refuse_forged(request, request.state.csrf_token)
        if reason:
            _refuse(request, reason)
        if is_person(_named(request, "subject")):
            raise RefusedError(
                404, "没有此主体 no such subject", code="unknown_subject",
                remedy="自然人须用本部门的标识 a person is named by the pseudonym that your department knows",
            )  # fmt: skip
        if act in _SEARCHES and await self.limits.search(visitor.account or address_of(request)):
            _too_many(visitor, act, "每分钟查询次数已达上限 too many searches in this minute", 60)
        if (
            act in _FILINGS
            and request.method == "POST"
            and await self.limits.filing(visitor.account or address_of(request))
        ):
            _too_many(visitor, act, "每小时提交次数已达上限 too many filings in this hour", 3600)
        if log:
            await self.note(visitor, act, subject=subject, request_id=request.state.request_id)
        return visitor

    async def still(self, request: Request, act: Act) -> bool:
        """Whether who was let in may go on, for an answer that does not end by itself; it does not keep his session from becoming idle.

        While Redis is away he may: nobody can sign out then, and the operator needs to see that it is away.
        """
        try:
            visitor, _ = await self._recognise(request, prolong=False)
        except RefusedError:
            return False
        except RetryLaterError:
            return True
        return denied(visitor, act) is None

    async def note(
        self, visitor: Visitor, act: Act, *, subject: str = "", matter: str = "", request_id: str = ""
    ) -> None:
        """Write down what is about to be read; count the persons among it. Returns only if it may be answered.

        Args:
            visitor: who reads.
            act: what he does.
            subject: about whom, by subject id; a person by the bus's pseudonym.
            matter: the matter or purpose stated.
            request_id: of the request (`request.state.request_id`).

        Raises:
            RefusedError: 429 `too_many_requests`: too many different persons; this one is written down as well.
            RetryLaterError: it cannot be written down, so it must not be answered.
        """
        if visitor.role is Role.PUBLIC or not MATRIX[act].logged:
            return
        asked = Asked(visitor=visitor, act=act, subject=subject, matter=matter, request_id=request_id)
        try:
            await self._client.execute_command(*append_command(self.codec, asked, now_ms()))  # type: ignore[no-untyped-call] # redis leaves it untyped
        except RedisError as error:
            raise translate_redis(error) from error
        if act in _SEARCHES and is_person(subject) and await self.limits.persons(visitor.account, [subject]):
            _too_many(visitor, act, "一小时内查询的自然人过多 too many different persons in this hour", 3600)

    async def count_persons(
        self, visitor: Visitor, act: Act, persons: Sequence[str], *, matter: str, request_id: str
    ) -> None:
        """Count persons that somebody is about to look up together, such as those of a file.

        Args:
            visitor: who looks.
            act: what he does.
            persons: by the bus's pseudonyms.
            matter: the matter stated.
            request_id: of the request.

        Raises:
            RefusedError: 429 `too_many_requests`: too many different persons; that he tried is written down.
            RetryLaterError: they cannot be counted.
        """
        if persons and await self.limits.persons(visitor.account, persons):
            await self.note(visitor, act, matter=matter, request_id=request_id)
            _too_many(visitor, act, "一小时内查询的自然人过多 too many different persons in this hour", 3600)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._client.aclose()

    async def _recognise(self, request: Request, *, prolong: bool = True) -> tuple[Visitor, Session | None]:
        authorization = request.headers.get("authorization", "")
        if authorization:
            return await self._programs.visitor(authorization), None
        secret = self.cookies.read(request, SESSION)
        session = await self.sessions.of(secret, prolong=prolong) if secret else None
        if session is None:
            return PUBLIC, None
        if session.local:
            account = await asyncio.to_thread(self.accounts.get, session.account)
            if account is None or account.disabled_at or int(account.changed_at.timestamp() * 1000) > session.began_at:
                await self.sessions.end(secret)
                return PUBLIC, None
        return session.visitor, session

    async def _program(self, authorization: str) -> Visitor:
        """Whose API key or bearer token it is."""
        caller = await self._keys.admit(authorization)
        return Visitor(role=Role.OFFICER, department=caller.department, account=caller.account)

    def _subject(self, request: Request, visitor: Visitor) -> str:
        """The subject that the request names; a person's pseudonym as the bus has it, anything unreadable as it stands."""
        text = _named(request, "subject")
        if text.startswith("person-"):
            return self.portal_keys.subject_of(text, visitor) or text
        return text


def _named(request: Request, name: str) -> str:
    return str(request.path_params.get(name) or request.query_params.get(name, ""))


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy of the settings, what that says."""
    return request.client.host if request.client else ""


def _refuse(request: Request, reason: Denied) -> NoReturn:
    """Refuse; a browser that is not signed in goes to the page where one does."""
    status, message, remedy = _WORDS[reason]
    headers = {}
    if reason is Denied.SIGN_IN and "authorization" not in request.headers:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        place = f"/login?next={quote(back if request.method == 'GET' else '/', safe='/')}"
        if request.url.path.startswith(API):
            headers = dict(_CHALLENGE)
        elif request.headers.get("hx-request"):
            headers = {"HX-Redirect": place}
        elif "text/html" in request.headers.get("accept", ""):
            status, headers = 303, {"Location": place}
        else:
            headers = dict(_CHALLENGE)
    raise RefusedError(status, message, code=reason, remedy=remedy, headers=headers)


def _too_many(visitor: Visitor, act: Act, message: str, seconds: int) -> NoReturn:
    log.warning(
        "too many requests act=%s role=%s department=%s account=%s",
        act,
        visitor.role,
        visitor.department,
        visitor.account,
    )
    raise RefusedError(
        429, message, code="too_many_requests", remedy="稍后再试 wait, or use open data and files",
        headers={"Retry-After": str(seconds)},
    )  # fmt: skip
