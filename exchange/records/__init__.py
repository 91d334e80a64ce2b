"""Records as Python types, for programs of departments: one frozen class for each schema, with the same fields and defaults.

>>> from datetime import UTC, date, datetime
>>> from exchange.domain.identity import organisation_subject
>>> record = Repair(
...     subject=organisation_subject("91440300PDY00001X3"), department="gd.tax", document="信修〔2026〕1号", revision=1,
...     decided_on=date(2026, 10, 12), published_at=datetime(2026, 10, 12, 2, tzinfo=UTC), target_type="listing",
...     target_document="粤税失信〔2026〕3号", state=RepairState.GRANTED,
... )
>>> record_type_of(record), to_avro(record)["state"]
('repair', <RepairState.GRANTED: 'GRANTED'>)
>>> from_avro("repair", to_avro(record)) == record
True
"""

from exchange.records.access import AccessEntry
from exchange.records.conduct import Arrears, Award, CourtJudgment, SocialReport
from exchange.records.convert import RECORDS, AnyRecord, from_avro, record_type_of, to_avro
from exchange.records.double_publicity import Licence, Penalty
from exchange.records.header import Record
from exchange.records.ledger import LedgerEntry
from exchange.records.listings import AbnormalEntry, Listing, ListingExtension, Objection, Repair, Withdrawal
from exchange.records.notices import (
    Cause,
    InternalMessage,
    LiftedMeasure,
    MeasureChange,
    MeasureInForce,
    Notice,
    OverdueResponse,
    Rejection,
    StandingChange,
    SupportingListing,
)
from exchange.records.pseudonyms import PseudonymChange
from exchange.records.registration import Alias, Officer, Registration
from exchange.records.response import DeliveryReceipt, MeasureFeedback
from exchange.records.supervision import AnnualReport, Commitment, InspectionResult, Rating
from exchange.records.warning import EarlyWarning
from exchange.records.windows import PartCount, WindowCount, WindowPart
from exchange.records.words import (
    AbnormalState,
    AliasKind,
    ArrearsKind,
    AwardLevel,
    CaseKind,
    Classification,
    CommitmentKind,
    CommitmentState,
    DeliveryChannel,
    FeedbackState,
    InspectionKind,
    InspectionOutcome,
    LedgerKind,
    LicenceState,
    MeasureAction,
    ObjectionState,
    OfficerRole,
    PartyRole,
    RatingScheme,
    RepairState,
    ReportState,
    Severity,
    SocialOrigin,
    SubjectCategory,
    SubjectKind,
    SubjectStatus,
    WarningDomain,
    WarningLevel,
    WarningSignal,
    WarningState,
    WithdrawalReason,
)

__all__ = [
    "RECORDS", "AbnormalEntry", "AbnormalState", "AccessEntry", "Alias", "AliasKind", "AnnualReport", "AnyRecord", "Arrears", "ArrearsKind",
    "Award", "AwardLevel", "CaseKind", "Cause", "Classification", "Commitment", "CommitmentKind", "CommitmentState",
    "CourtJudgment", "DeliveryChannel", "DeliveryReceipt", "EarlyWarning", "FeedbackState", "InspectionKind", "InspectionOutcome",
    "InspectionResult", "InternalMessage", "LedgerEntry", "LedgerKind", "Licence", "LicenceState", "LiftedMeasure", "Listing", "ListingExtension", "MeasureAction",
    "MeasureChange", "MeasureFeedback", "MeasureInForce", "Notice", "Objection", "ObjectionState", "Officer", "OfficerRole", "OverdueResponse", "PartCount",
    "PartyRole", "Penalty", "PseudonymChange", "Rating", "RatingScheme", "Record", "Registration", "Rejection", "Repair", "RepairState",
    "ReportState", "Severity", "SocialOrigin", "SocialReport", "StandingChange", "SubjectCategory", "SubjectKind",
    "SubjectStatus", "SupportingListing", "WarningDomain", "WarningLevel", "WarningSignal", "WarningState", "WindowCount", "WindowPart", "Withdrawal", "WithdrawalReason", "from_avro", "record_type_of", "to_avro",
]  # fmt: skip
