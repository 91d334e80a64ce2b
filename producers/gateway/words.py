"""What the gateway says about itself in its OpenAPI: Chinese first, English beside, with the golden examples."""

from typing import Any

from exchange.codec import Codec
from exchange.http.sending import Result
from producers.gateway.fields import example, json_schema
from producers.gateway.rows import AVRO, JSON, LINES

TITLE = "政务信用信息交换总线 · 报送网关 creditbus gateway"
ABOUT = (
    "没有 Kafka 客户端的部门通过本接口报送信用信息。For departments without a Kafka client: publish credit records over HTTP.\n\n"
    "信息按文号和修订号更新，重复报送只计一次；有疑问时再报一次即可。"
    "Records are upserts by document and revision, so after any doubt the same may be sent again and counts once."
)
RECORDS = "报送 records"
CONTRACTS = "数据契约 contracts"
POST = "报送信息 publish records"
POST_HELP = (
    "一条或一批。JSON 为记录的字段加 type；也可为 JSON 行（NDJSON）、Confluent 格式的一条 Avro，或 Avro 文件（codec null）。"
    "可用 gzip 压缩（Content-Encoding）。每条都有结果：accepted 已入总线及位置，refused 不合格及全部原因，unconfirmed 未确认，请重报。"
    "One record or many: JSON (a record's fields and `type`, or an array of them), lines of JSON, one Avro message in Confluent's wire format, or "
    "an Avro container of codec null; gzip by Content-Encoding. Each row has its result: accepted with where it lies, refused with every reason, unconfirmed: "
    "send it again. 200 all accepted, 207 rows differ, 422 all refused, 503 none confirmed."
)
KEY = (
    "幂等键：同键同文得到同一回答而不再报送 the same key with the same body gets the same answer without publishing again; "
    "another body 422, while under way 409"
)
FATE = "查询处理结果 what became of a record"
FATE_HELP = (
    "按回执中的主题、分区、位移查询：pending 待处理，accepted 已采用，rejected 已退回及原因。只能查本部门的信息。"
    "By topic, partition and offset of the receipt: pending, accepted, or rejected with every reason. Own records only."
)
SCHEMA = "数据契约 the fields of a record type"
SCHEMA_HELP = "字段、类型、含义、必填和默认值（JSON Schema）、Avro 契约及其编号、示例；无需密钥。JSON Schema, the Avro schema with its id, an example; no key is needed."
SCHEMAS_LIST = "信息类型 record types"
SCHEMAS_HELP = "部门可报送的信息类型；无需密钥。Every record type that departments publish; no key is needed."
HEALTH = "健康检查 health"
HEALTH_HELP = "200：Kafka 与 Redis 均有应答；503：其一没有。200 when Kafka and Redis answer, 503 when one does not."
_ACCEPTED: Result = {
    "index": 0, "type": "listing", "document": "粤税失信〔2026〕3号", "revision": 1, "status": "accepted",
    "topic": "credit.in.gd.tax", "partition": 1, "offset": 41,
}  # fmt: skip
_REFUSED: Result = {
    "index": 1, "type": "penalty", "document": "粤税稽罚〔2026〕12号", "revision": 0, "status": "refused",
    "reasons": [{"code": "number_out_of_range", "field": "revision", "value": "0", "rule": "1 to 2147483647"}],
}  # fmt: skip
_FATE = {
    "topic": "credit.in.gd.tax", "partition": 1, "offset": 41, "type": "listing", "document": "粤税失信〔2026〕3号", "revision": 1,
    "status": "rejected", "received_at": "2026-05-20T02:00:01.000Z",
    "reasons": [{"code": "not_the_authority", "field": "list_code", "value": "TAX", "rule": "the policy lets the department list on it"}],
}  # fmt: skip


def body_of(codec: Codec, record_types: frozenset[str]) -> dict[str, Any]:
    """The OpenAPI of a posted body: a schema and an example of every record type."""
    one: dict[str, Any] = {"oneOf": [json_schema(codec.contracts.latest[slug]) for slug in sorted(record_types)]}
    examples = {slug: {"summary": slug, "value": example(slug)} for slug in sorted(record_types)}
    batch = {"summary": "一批 a batch", "value": [example("listing"), example("penalty")]}
    content: dict[str, Any] = {
        slug: {"schema": {"oneOf": [one, {"type": "array", "minItems": 1, "items": {"type": "object"}}]},
               "examples": examples | {"batch": batch}}
        for slug in JSON
    }  # fmt: skip
    content |= {
        slug: {"schema": {"type": "string", "description": "每行一条 one record a line"}} for slug in sorted(LINES)
    }
    content |= {slug: {"schema": {"type": "string", "format": "binary"}} for slug in sorted(AVRO)}
    return {"requestBody": {"required": True, "description": POST, "content": content}}


def post_answers() -> dict[int | str, dict[str, Any]]:
    """Answers to posted records."""
    good = {"accepted": 1, "refused": 0, "unconfirmed": 0, "results": [_ACCEPTED]}
    mixed = {"accepted": 1, "refused": 1, "unconfirmed": 0, "results": [_ACCEPTED, _REFUSED]}
    return {
        200: _json("全部已入总线 all are on the bus", good),
        207: _json("部分未成，逐条给出原因 some are not, each with its reasons", mixed),
        **_ACCESS,
        400: _problem("请求有误 bad body, key or compression"),
        408: _problem("请求超时 the body did not arrive in time"),
        409: _problem("同一请求正在处理 the same request is under way"),
        413: _problem("内容过大 too large, or too many records"),
        415: _problem("不支持的格式 media type or encoding"),
        422: _problem("全部不合格 all are refused, or the idempotency key was used for another body"),
        429: _problem("超出速率 too many; see Retry-After, RateLimit"),
        503: _problem("暂不可用 none is confirmed: the same again after Retry-After"),
    }


def fate_answers() -> dict[int | str, dict[str, Any]]:
    """Answers to what became of a record."""
    return {
        200: _json("处理结果 the result", _FATE), **_ACCESS, 404: _problem("没有这条信息 no record there"),
        429: _problem("超出速率 too many"), 503: _problem("暂不可用 try again after Retry-After"),
    }  # fmt: skip


def _json(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": example}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {}}}


_ACCESS: dict[int | str, dict[str, Any]] = {
    401: _problem("密钥或令牌无效 no key or token, or one that is not good"),
    403: _problem("无权 the department is no longer on the bus, or the record is another's"),
}
UNKNOWN_TYPE: dict[int | str, dict[str, Any]] = {404: _problem("没有此类信息 no such record type")}
UNHEALTHY: dict[int | str, dict[str, Any]] = {503: _problem("不健康 not healthy")}
