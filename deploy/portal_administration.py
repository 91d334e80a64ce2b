"""Composes the rooms of administrator and auditor: settings in, routes out."""

from contextlib import closing

from fastapi import APIRouter

from consumers.inbox_http.reader import open_consumer
from consumers.portal.access.reads import Read, reads
from consumers.portal.administration.access_log_routes import Wanted, access_log_routes
from consumers.portal.administration.account_routes import account_routes
from consumers.portal.parts import Parts
from exchange.redis_client import connect
from exchange.settings import Settings


def administration_rooms(settings: Settings, parts: Parts) -> list[APIRouter]:
    """The rooms.

    Args:
        settings: of the bus, with the servers' addresses.
        parts: what all rooms share.
    """
    client = connect(settings.redis)

    def found(wanted: Wanted) -> list[Read]:
        with closing(open_consumer(settings.kafka)) as reader:
            return reads(
                reader, client, parts.codec, settings, since_ms=wanted.since_ms, until_ms=wanted.until_ms, subject=wanted.subject,
                account=wanted.account,
            )  # fmt: skip

    return [account_routes(parts.pages, parts.catalogue), access_log_routes(parts.pages, found, parts.keys)]
