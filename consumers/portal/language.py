"""Which language a visitor reads: Chinese first, English beside it."""

from collections.abc import Callable
from enum import StrEnum

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "language"
_YEAR_SECONDS = 31_536_000


class Language(StrEnum):
    """The languages of the pages, as HTML names them."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


def language_of(request: Request) -> Language:
    """What the visitor has asked for: by `?lang=`, by what he asked for before, else Chinese."""
    asked = request.query_params.get("lang") or request.cookies.get(COOKIE)
    return Language.ENGLISH if asked == Language.ENGLISH else Language.CHINESE


def translator(language: Language) -> Callable[[str, str], str]:
    """The function `t` of templates: of a Chinese and an English text the one to show."""
    return (lambda _, english: english) if language is Language.ENGLISH else (lambda chinese, _: chinese)


class RememberLanguage:
    """Keeps a language that was asked for by `?lang=` in a cookie.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or b"lang=" not in scope["query_string"]:
            await self._app(scope, receive, send)
            return
        language = language_of(Request(scope))
        cookie = f"{COOKIE}={language}; Path=/; Max-Age={_YEAR_SECONDS}; SameSite=Lax; HttpOnly"

        async def setting(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"set-cookie", cookie.encode())]
            await send(message)

        await self._app(scope, receive, setting)
