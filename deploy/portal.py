"""Composes the portal: settings in, what its routes share out."""

from consumers.portal.pages import Pages
from consumers.portal.parts import Books, Parts
from exchange.async_redis import connect_async
from exchange.catalogue import load_catalogue
from exchange.codec import open_codec
from exchange.directory import Directory
from exchange.http.sending import Outbound
from exchange.known_as import load_portal_keys
from exchange.paths import SCHEMAS
from exchange.policy_files import load_policy
from exchange.pseudonym import load_person_keys
from exchange.redis_client import connect
from exchange.report_seal import ReportSeals
from exchange.risk_files import load_risk
from exchange.settings import Settings
from exchange.signatures import load_signing_keys
from exchange.store import Store

_TIMEOUT_SECONDS = 3.0
"""Whoever waits at a page or a counter is told so soon that Redis is away."""


def portal_parts(settings: Settings, directory: Directory, outbound: Outbound, *, embedded: bool) -> Parts:
    """What the portal's routes share.

    Args:
        settings: of the bus; `redis` names the server.
        directory: finds subjects by name.
        outbound: puts records on the bus.
        embedded: whether the servers are the embedded ones, whose persons are synthetic.
    """
    catalogue = load_catalogue(SCHEMAS)
    return Parts(
        settings=settings,
        store=Store(connect(settings.redis)),
        catalogue=catalogue,
        books=Books(load_policy(SCHEMAS, catalogue)),
        codec=open_codec(settings, SCHEMAS),
        directory=directory,
        pages=Pages(catalogue),
        keys=load_portal_keys(settings, embedded=embedded),
        person_keys=load_person_keys(settings, embedded=embedded),
        outbound=outbound,
        redis=connect_async(settings.redis, _TIMEOUT_SECONDS),
        seals=ReportSeals(load_signing_keys(settings, embedded=embedded), settings.topic_prefix),
        risk=load_risk(SCHEMAS, catalogue),
    )
