"""Composes the workspace of the portal: settings in, what its routes share out."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from consumers.dispatcher.run import open_delivery_store
from consumers.inbox_http.cursor import CursorForm
from consumers.inbox_http.reader import Readers
from consumers.portal.parts import Parts
from consumers.portal.workspace.cases import measure_names
from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.uploads import Uploads
from deploy.endpoint_desk import open_endpoint_desk
from deploy.portal_imports import FileImporter
from exchange.api_keys import RedisKeys
from exchange.corrections import Corrections
from exchange.http.sending import Outbound
from exchange.labels import Labels
from exchange.redis_client import connect
from exchange.settings import Settings
from exchange.working_days import load_working_days

UPLOADS = "uploads"
"""Folder of uploads, in the home of the bus."""


@contextmanager
def open_workspace(settings: Settings, parts: Parts, outbound: Outbound, *, embedded: bool) -> Iterator[WorkspaceParts]:
    """The workspace until its end; then uploads under way stop after the row at hand, to go on at the next start.

    Args:
        settings: of the bus, with the servers' addresses.
        parts: what all rooms share.
        outbound: publishes in the name of departments.
        embedded: whether the bus is the embedded stack.
    """
    with ExitStack() as stack:
        client = connect(settings.redis)
        stack.callback(client.close)
        readers = Readers(settings.kafka, parts.codec, settings.inbox_readers, lambda: None)
        stack.callback(readers.close)
        importer = FileImporter(settings, embedded=embedded)
        yield WorkspaceParts(
            portal=parts, readers=readers, outbound=outbound,
            form=CursorForm(settings.topic_prefix, settings.partitions),
            endpoints=open_endpoint_desk(settings, embedded=embedded), deliveries=open_delivery_store(settings, settings.redis),
            keys=RedisKeys(client), corrections=Corrections(client),
            uploads=stack.enter_context(Uploads(settings.home / UPLOADS, importer)),
            labels=Labels(parts.codec.contracts), names=measure_names(parts.books.policy), working_days=load_working_days(),
        )  # fmt: skip
