"""A department's session with the bus's inbox over HTTP, shared by what fetches notices and what sends feedback."""

from types import TracebackType
from typing import Self

import aiohttp


class InboxSession:
    """An async context manager; inside it `http` asks the inbox with the department's token.

    Args:
        token: `cbk_...`, the department's.
        timeout_seconds: for one answer.
    """

    def __init__(self, token: str, timeout_seconds: float) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        """The open session."""
        assert self._session is not None, "not entered"  # noqa: S101 # a fault of the program
        return self._session

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
