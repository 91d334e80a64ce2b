"""Feedback over HTTP: POST <inbox>/v1/feedback with the department's token, a JSON list of measure_feedback records."""

import json
from collections.abc import Sequence
from typing import Any

import aiohttp

from consumers.reference.outbox import Feedback
from consumers.reference.session import InboxSession
from exchange.errors import Reason, RejectedError, RetryLaterError

_TIMEOUT_SECONDS = 90  # the inbox waits a minute for the bus's own confirmation
_EACH_ITS_OWN = 207
_GIVEN_BY_BUS = ("department", "published_at")
"""What the inbox fills in itself: it knows the department by the token."""
_NEVER = frozenset({400, 409, 413, 415, 422})
"""Answers that no repetition changes; a wrong token is not one of them, since it is mended without touching the record."""


class HttpFeedback(InboxSession):
    """Sends feedback to the bus's inbox; an async context manager.

    Args:
        url: of the inbox, such as https://inbox.example.gov.cn.
        token: `cbk_...`, the department's.
    """

    def __init__(self, url: str, token: str) -> None:
        super().__init__(token, _TIMEOUT_SECONDS)
        self._url = f"{url.rstrip('/')}/v1/feedback"

    async def __call__(self, records: Sequence[Feedback]) -> None:
        """Send some records and wait until the bus has confirmed them all.

        Raises:
            RejectedError: one at least is wrong; the others may have been taken.
            RetryLaterError: no answer, or one that says not now.
        """
        rows = [{name: value for name, value in one.items() if name not in _GIVEN_BY_BUS} for one in records]
        try:
            async with self.http.post(self._url, json=rows, allow_redirects=False) as answer:
                status, text = answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RetryLaterError(
                f"{self._url} does not answer: {error or type(error).__name__}", remedy="is the inbox running?"
            ) from error
        if status in _NEVER:
            raise RejectedError(
                (Reason(code="feedback_refused", value=text[:200], rule=f"the inbox answered {status}"),)
            )
        if status == _EACH_ITS_OWN:
            _look_at_each(json.loads(text)["results"])
        elif not 200 <= status < 300:
            remedy = "give a valid token with --token-file" if status in (401, 403) else "it is sent again"
            raise RetryLaterError(f"{self._url} answered {status} {text[:200]}", remedy=remedy)


def _look_at_each(results: Sequence[dict[str, Any]]) -> None:
    """Raise what the inbox says of single rows; what is not confirmed comes first, since it may yet be."""
    if any(one["status"] == "unconfirmed" for one in results):
        raise RetryLaterError("the inbox has no confirmation of some feedback yet", remedy="it is sent again")
    reasons = [Reason(**reason) for one in results for reason in one.get("reasons", ())]
    if reasons:
        raise RejectedError(tuple(reasons))
