"""Puts the door together."""

from consumers.portal.access.door import Door
from consumers.portal.access.drainer import Drainer, open_producer
from consumers.portal.access.headers import Cookies
from consumers.portal.access.limits import Limits
from consumers.portal.access.provider import Provider
from consumers.portal.access.sessions import Sessions
from consumers.portal.access.sign_in import SignIns
from exchange.accounts import RedisAccounts
from exchange.api_keys import RedisKeys
from exchange.async_redis import connect_async
from exchange.bearer_tokens import open_bearer_tokens
from exchange.catalogue import Catalogue
from exchange.codec import Codec
from exchange.http.door import Door as Keys
from exchange.known_as import PortalKeys
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.topics import Topics

_TIMEOUT_SECONDS = 5.0


def build_door(settings: Settings, codec: Codec, catalogue: Catalogue, portal_keys: PortalKeys) -> Door:
    """The door of a portal.

    Args:
        settings: `redis` names the server.
        codec: of the contracts.
        catalogue: of the departments.
        portal_keys: of persons' pseudonyms.
    """
    client = connect_async(settings.redis, _TIMEOUT_SECONDS)
    blocking = connect(settings.redis, timeout=_TIMEOUT_SECONDS)
    return Door(
        client=client, codec=codec, sessions=Sessions(client, settings),
        accounts=RedisAccounts(blocking), sign_ins=SignIns(client), keys=Keys(RedisKeys(blocking), catalogue, open_bearer_tokens(settings)),
        provider=Provider(settings, catalogue) if settings.oidc_issuer else None, portal_keys=portal_keys,
        limits=Limits(client, settings), cookies=Cookies(plain_http=settings.portal_plain_http),
    )  # fmt: skip


def build_drainer(settings: Settings, codec: Codec) -> Drainer:
    """What moves the access log to Kafka, in a thread of the portal."""
    return Drainer(connect(settings.redis), open_producer(settings.kafka), codec, Topics(settings.topic_prefix).access)
