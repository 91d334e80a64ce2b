"""Corrections: a rejected record that was mended in the page goes onto the bus again, and is marked as mended."""

import asyncio
from collections.abc import Mapping

from consumers.portal.workspace.parts import WorkspaceParts
from consumers.portal.workspace.record_form import read_form
from consumers.portal.workspace.submissions import Rejected
from exchange.clock import now_ms
from exchange.corrections import Correction
from exchange.errors import RequestError

NEXT_REVISION = "next"
"""What the form's `step` says for the next revision; anything else publishes the revision that was typed."""


async def send_correction(
    parts: WorkspaceParts, department: str, account: str, found: Rejected, typed: Mapping[str, str]
) -> Correction:
    """Publish a mended record. Sending the same twice counts once: the same document and revision.

    Args:
        parts: of the workspace.
        department: that published it.
        account: who has mended it.
        found: what was rejected.
        typed: what is in the form.

    Raises:
        RejectedError: it still breaks a rule.
        RequestError: `nothing_kept`: the record cannot be read, so there is nothing to mend.
        RetryLaterError: the bus is away; it may be sent again.
    """
    if found.record is None:
        raise RequestError(
            "原始内容无法读取 the record cannot be read",
            code="nothing_kept",
            remedy="publish it again from its own system",
        )
    schema = parts.portal.codec.contracts.latest[found.record_type].schema
    record = read_form(schema, typed)
    if typed.get("step") == NEXT_REVISION:
        record["revision"] = found.record["revision"] + 1
    receipt = await asyncio.to_thread(parts.outbound.publish, department, record, found.record_type)
    where = await asyncio.wrap_future(receipt)
    correction = Correction(
        at=now_ms(), account=account, document=record["document"], revision=record["revision"],
        partition=where.partition, offset=where.offset,
    )  # fmt: skip
    await asyncio.to_thread(parts.corrections.note, department, *found.origin, correction)
    return correction
