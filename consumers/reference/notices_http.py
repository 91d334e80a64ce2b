"""Thin pushes made whole: the notice they name, fetched from <inbox>/v1/notices with the department's token."""

from urllib.parse import quote

import aiohttp

from consumers.reference.session import InboxSession
from consumers.webhook import MessageError, NoticeMessage, ThinMessage
from exchange.codec import Codec
from exchange.errors import RequestError, RetryLaterError

_TIMEOUT_SECONDS = 10  # the bus waits 15 for the answer to its push
_NOT_RETAINED = 404


class HttpNotices(InboxSession):
    """Fetches single notices from the bus's inbox; an async context manager.

    Args:
        url: of the inbox, such as https://inbox.example.gov.cn.
        token: `cbk_...`, the department's.
        codec: of the contracts.
    """

    def __init__(self, url: str, token: str, codec: Codec) -> None:
        super().__init__(token, _TIMEOUT_SECONDS)
        self._url = f"{url.rstrip('/')}/v1/notices"
        self._codec = codec

    async def __call__(self, message: ThinMessage) -> NoticeMessage:
        """The message with its notice.

        Raises:
            RetryLaterError: no answer, or one that says not now; a wrong token too, since it is mended without a new push.
            RequestError: `unknown_notice`: it is not retained, so a newer one about the subject is on its way.
            MessageError: what the inbox answered is not that notice.
        """
        url, asked = f"{self._url}/{quote(message.id, safe='')}", {"subject": message.subject}
        try:
            async with self.http.get(url, params=asked, allow_redirects=False) as answer:
                if answer.status == _NOT_RETAINED:
                    raise RequestError(f"the inbox has no notice {message.id}", code="unknown_notice")
                if not answer.ok:
                    remedy = (
                        "give a valid token with --token-file" if answer.status in (401, 403) else "it is tried again"
                    )
                    raise RetryLaterError(f"{self._url} answered {answer.status}", remedy=remedy)
                return message.whole(await answer.json(), self._codec)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RetryLaterError(
                f"{self._url} does not answer: {error or type(error).__name__}", remedy="is the inbox running?"
            ) from error
        except ValueError as error:
            raise MessageError("what the inbox answered is not JSON") from error
