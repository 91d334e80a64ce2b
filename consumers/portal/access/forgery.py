"""Forged forms: whatever changes something by a browser's cookie must bring a token that other sites cannot know.

Who has signed in has one in his session. Who has not (signing in, complaints) has one in a cookie of his own, which a form must repeat.
"""

import hmac
import secrets

from starlette.requests import Request

from consumers.portal.access.headers import Cookies
from consumers.portal.access.sessions import Session
from exchange.http.problems import RefusedError

FIELD, HEADER, COOKIE = "csrf", "X-CSRF-Token", "csrf"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def token_of(request: Request, session: Session | None, cookies: Cookies) -> str:
    """The token that forms of this visitor bring; the answer sets the cookie where there is none yet."""
    if session is not None:
        return session.csrf
    known = cookies.read(request, COOKIE)
    if known:
        return known
    made = secrets.token_urlsafe(32)
    if request.method == "GET":
        cookies.set(request, COOKIE, made)
    return made


async def refuse_forged(request: Request, token: str) -> None:
    """Let through what changes nothing, and what brings the token: in the field `csrf` or, from htmx and programs, in `X-CSRF-Token`.

    Raises:
        RefusedError: 403 `forged_form`.
    """
    if request.method in _SAFE:
        return
    given = request.headers.get(HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORMS):
        given = str((await request.form()).get(FIELD, ""))
    if not hmac.compare_digest(given.encode(), token.encode()):
        await request.close()  # files that came with it are let go of
        raise RefusedError(
            403, "表单已失效 the form has expired or is forged", code="forged_form",
            remedy="重新打开页面再提交 open the page anew and send it again",
        )  # fmt: skip
