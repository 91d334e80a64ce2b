"""Between records as Python types and the values that the codec takes and gives."""

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from exchange.errors import RequestError
from exchange.records.access import AccessEntry
from exchange.records.conduct import Arrears, Award, CourtJudgment, SocialReport
from exchange.records.double_publicity import Licence, Penalty
from exchange.records.header import Record
from exchange.records.ledger import LedgerEntry
from exchange.records.listings import AbnormalEntry, Listing, ListingExtension, Objection, Repair, Withdrawal
from exchange.records.notices import InternalMessage, Notice, Rejection, StandingChange
from exchange.records.pseudonyms import PseudonymChange
from exchange.records.registration import Registration
from exchange.records.response import DeliveryReceipt, MeasureFeedback
from exchange.records.supervision import AnnualReport, Commitment, InspectionResult, Rating
from exchange.records.warning import EarlyWarning
from exchange.records.windows import WindowCount, WindowPart
from exchange.registry import slug

AnyRecord: TypeAlias = (
    Record
    | Notice
    | StandingChange
    | Rejection
    | InternalMessage
    | LedgerEntry
    | AccessEntry
    | WindowPart
    | WindowCount
)

_TYPES: tuple[type[AnyRecord], ...] = (
    Registration, Licence, Penalty, InspectionResult, AbnormalEntry, Listing, ListingExtension, Withdrawal, Repair, Objection,
    Rating, AnnualReport, Commitment, Arrears, CourtJudgment, Award, SocialReport, DeliveryReceipt, MeasureFeedback, EarlyWarning, PseudonymChange,
    Notice, Rejection, StandingChange, InternalMessage, LedgerEntry, AccessEntry, WindowPart, WindowCount,
)  # fmt: skip
RECORDS: Mapping[str, type[AnyRecord]] = {slug(one.__name__): one for one in _TYPES}
"""The class of each record type."""

_Make = Callable[[Any], Any]


def record_type_of(record: AnyRecord) -> str:
    """The slug of a record's type, as `Codec.encode` and the publisher take it."""
    return slug(type(record).__name__)


def to_avro(record: AnyRecord) -> dict[str, Any]:
    """The fields of a record, as `Codec.encode` takes them."""
    return {field.name: _to_avro(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _to_avro(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_avro(one) for one in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _to_avro(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def from_avro(record_type: str, value: Mapping[str, Any]) -> AnyRecord:
    """The record of a value that `Codec.decode` gave.

    Raises:
        RequestError: `unknown_record_type`.
        TypeError: a field is missing or unknown; the codec gives neither.
    """
    kind: Any = RECORDS.get(record_type)
    if kind is None:
        raise RequestError(
            f"there is no record type {record_type!r}",
            code="unknown_record_type",
            remedy=f"use one of {', '.join(RECORDS)}",
        )
    record: AnyRecord = _maker(kind)(value)
    return record


@cache
def _maker(kind: Hashable) -> _Make:
    """A function that makes a value of a Python type from what the codec gives."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        makers = {name: _maker(hint) for name, hint in get_type_hints(kind).items()}
        return lambda value: kind(**{name: makers[name](one) if name in makers else one for name, one in value.items()})
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    if get_origin(kind) is tuple:
        make = _maker(get_args(kind)[0])
        return lambda value: tuple(make(one) for one in value)
    if get_origin(kind) in (Union, UnionType):
        inner = _maker(get_args(kind)[0])
        return lambda value: None if value is None else inner(value)
    return lambda value: value
