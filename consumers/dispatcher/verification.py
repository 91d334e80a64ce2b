"""Verification: before its first notice an endpoint must echo a random challenge, so that nobody is pushed at unasked."""

import hmac
import json
import secrets

import aiohttp

from consumers.dispatcher.guard import Guard
from consumers.dispatcher.message import CONTENT_TYPE, Envelope
from consumers.dispatcher.post import Answer, post
from consumers.dispatcher.schedule import Outcome
from exchange.endpoints import Endpoint
from exchange.errors import RequestError
from exchange.signatures import Signer


class NotAskedError(RequestError):
    """The settings of this process let it ask no such endpoint: nothing was sent, and nothing is known of the endpoint."""

    code = "not_asked"
    remedy = (
        "nothing was sent and the endpoint stays as it is: where the address is right, give this process the dispatcher's "
        "CREDITBUS_WEBHOOK_NETWORKS and CREDITBUS_WEBHOOK_PLAIN_HTTP (docs/delivery.md, the guard)"
    )


async def challenge(
    endpoint: Endpoint, session: aiohttp.ClientSession, signer: Signer, envelope: Envelope, guard: Guard, now: int
) -> str:
    """Send a signed challenge; why it was not echoed, empty when it was.

    Raises:
        NotAskedError: the guard refuses the URL or what its name leads to.
    """
    try:
        guard.check_url(endpoint.url)
    except RequestError as error:
        raise NotAskedError(str(error)) from error
    message_id, text = f"verify-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    body = envelope.verification(message_id, text, now)
    headers = signer.headers(message_id, now // 1000, body) | {"content-type": CONTENT_TYPE}
    answer = await post(session, endpoint.url, body, headers, now=now)
    if answer.outcome is Outcome.REFUSED:
        raise NotAskedError(answer.error)
    return _why_not(answer, text)


def _why_not(answer: Answer, text: str) -> str:
    if answer.outcome is not Outcome.DELIVERED:
        return f"the challenge was answered {answer.status or answer.error}"
    try:
        found = json.loads(answer.body)
    except ValueError:
        return "the answer to the challenge is no JSON"
    echoed = found.get("challenge") if isinstance(found, dict) else None
    if not isinstance(echoed, str) or not hmac.compare_digest(echoed.encode(), text.encode()):
        return 'the answer is not {"challenge": "<the challenge sent>"}'
    return ""
