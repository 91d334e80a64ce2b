"""What a department asks the gateway: what became of a record, which record types there are and what their fields are; health."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path

from exchange.codec import Codec
from exchange.errors import RetryLaterError
from exchange.http.problems import RefusedError
from exchange.topics import Topics
from producers.gateway import words
from producers.gateway.fate import Fates
from producers.gateway.fields import example, json_schema
from producers.gateway.routes import Authorization, Entrance

_OFFSET = 2**63


def fate_routes(entrance: Entrance, fates: Fates, topics: Topics) -> APIRouter:
    """GET /v1/records/{topic}/{partition}/{offset}."""
    router = APIRouter(tags=[words.RECORDS])

    @router.get(
        "/v1/records/{topic}/{partition}/{offset}", summary=words.FATE, description=words.FATE_HELP, responses=words.fate_answers()
    )  # fmt: skip
    async def fate(
        topic: Annotated[str, Path(description="主题 topic of the receipt")],
        partition: Annotated[int, Path(ge=0, lt=2**31, description="分区 partition of the receipt")],
        offset: Annotated[int, Path(ge=0, lt=_OFFSET, description="位移 offset of the receipt")],
        authorization: Authorization = "",
    ) -> dict[str, Any]:
        caller = await entrance.admit(authorization)
        if topic != topics.into(caller.department):
            raise RefusedError(
                403, f"不是本部门的主题 {topic[:80]} is not the topic of {caller.department}", code="foreign_topic",
                remedy="each department asks for its own records",
            )  # fmt: skip
        found = await asyncio.to_thread(fates.find, caller.department, partition, offset)
        if found is None:
            raise RefusedError(
                404, f"没有这条信息 no record at {topic} [{partition}] {offset}", code="unknown_record",
                remedy="ask with topic, partition and offset of the receipt",
            )  # fmt: skip
        return found

    return router


def schema_routes(codec: Codec, record_types: frozenset[str]) -> APIRouter:
    """GET /v1/schemas and /v1/schemas/{record_type}."""
    router = APIRouter(tags=[words.CONTRACTS])

    @router.get("/v1/schemas", summary=words.SCHEMAS_LIST, description=words.SCHEMAS_HELP)
    async def schemas() -> dict[str, Any]:
        return {"types": [_title(codec, slug) for slug in sorted(record_types)]}

    @router.get(
        "/v1/schemas/{record_type}", summary=words.SCHEMA, description=words.SCHEMA_HELP, responses=words.UNKNOWN_TYPE
    )
    async def schema(
        record_type: Annotated[str, Path(description="信息类型 record type, such as penalty")],
    ) -> dict[str, Any]:
        if record_type not in record_types:
            raise RefusedError(
                404, f"没有此类信息 no record type {record_type[:80]!r}", code="unknown_record_type",
                remedy=f"one of {', '.join(sorted(record_types))}",
            )  # fmt: skip
        contract = codec.contracts.latest[record_type]
        return _title(codec, record_type) | {
            "version": contract.version,
            "json_schema": json_schema(contract),
            "avro": contract.schema,
            "example": example(record_type),
        }

    return router


def health_route(is_up: Callable[[], dict[str, bool]]) -> APIRouter:
    """GET /health.

    Args:
        is_up: whether each server answers; blocks.
    """
    router = APIRouter()

    @router.get("/health", summary=words.HEALTH, description=words.HEALTH_HELP, responses=words.UNHEALTHY)
    async def health() -> dict[str, str]:
        down = [name for name, up in (await asyncio.to_thread(is_up)).items() if not up]
        if down:
            remedy = "see that it runs (`creditbus status`)"
            raise RetryLaterError(f"没有应答 no answer from {', '.join(down)}", code="not_healthy", remedy=remedy)
        return {"status": "ok"}

    return router


def _title(codec: Codec, record_type: str) -> dict[str, Any]:
    zh, _, en = codec.contracts.latest[record_type].schema["doc"].partition(": ")
    return {"type": record_type, "title": zh, "description": en, "schema_id": codec.schema_id(record_type)}
