"""The last step of a row: what each record type needs beyond its cells, and the further records that a state implies."""

import re
from datetime import date
from typing import Any

from exchange.answers import complete_feedback, today_in_china
from exchange.domain.identity import Uscc, is_person
from producers.importer.penalties import grade_severity, is_on_the_spot
from producers.importer.subjects import KINDS

_KIND_OF_CATEGORY = {
    "11": "GOVERNMENT_BODY",
    "12": "INSTITUTION",
    "51": "SOCIAL_ORGANISATION",
    "52": "SOCIAL_ORGANISATION",
    "53": "SOCIAL_ORGANISATION",
    "91": "ENTERPRISE",
    "92": "SELF_EMPLOYED",
    "93": "COOPERATIVE",
    "N1": "RURAL_COLLECTIVE",
    "N2": "RURAL_COLLECTIVE",
    "N3": "RURAL_COLLECTIVE",
}
_HEADER = ("subject", "subject_name", "revision", "decided_on", "classification", "division")

Record = tuple[str, dict[str, Any]]
"""Record type and fields."""


def finish(record_type: str, fields: dict[str, Any], roles: dict[str, Any]) -> list[Record]:
    """The records of a row, in the order in which they are to be sent.

    Args:
        record_type: of the layout.
        fields: what the cells say, by field of the record; may be completed in place.
        roles: what the other cells say, by role: `state`, `removed_on`, `publicity_years`, `aliases`.
    """
    if record_type in ("penalty", "licence"):
        _state_subject(fields, roles)
    if record_type == "penalty":
        _finish_penalty(fields, roles)
    elif record_type == "licence" and roles.get("state") == "revoked":
        fields["state"] = "INVALID"
    elif record_type == "abnormal_entry":
        _finish_abnormal_entry(fields, roles)
    elif record_type == "registration":
        _finish_registration(fields, roles)
    elif record_type == "measure_feedback":
        fields = complete_feedback(fields, revision=fields["revision"], today=today_in_china())
    return [(record_type, fields), *_amend(record_type, fields, roles.get("state", ""))]


def _state_subject(fields: dict[str, Any], roles: dict[str, Any]) -> None:
    """What the 双公示 layouts say about the subject beside its id."""
    fields["aliases"] = roles.get("aliases", [])
    fields["subject_category"] = KINDS.get(roles.get("subject_kind", ""), "UNSTATED")
    if is_person(fields["subject"]):
        fields["identity_document_type"] = roles.get("person_id_type", "")


def _finish_penalty(fields: dict[str, Any], roles: dict[str, Any]) -> None:
    texts = (fields.get("content", ""), fields.get("remark", ""))
    fields["severity"] = grade_severity(fields["categories"], *texts)
    fields["simple_procedure"] = is_on_the_spot(*texts)
    years = re.match(r"\d+", roles.get("publicity_years", ""))  # GSQX: 1 or 3, with or without 年
    if years and "publicity_until" not in fields:
        fields["publicity_until"] = _years_after(fields["decided_on"], int(years[0]))


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _finish_abnormal_entry(fields: dict[str, Any], roles: dict[str, Any]) -> None:
    removed_on = roles.get("removed_on")
    fields["state"] = "REMOVED" if removed_on else "ENTERED"
    fields["removed_on"] = removed_on
    if removed_on and not roles.get("revision"):
        fields["revision"] = 2  # a removal is known later than its entry, whichever file comes first


def _finish_registration(fields: dict[str, Any], roles: dict[str, Any]) -> None:
    fields["aliases"] = roles.get("aliases", [])
    if "kind" not in fields:
        subject = fields["subject"]
        category = Uscc.parse(subject.removeprefix("org:")).category if subject.startswith("org:") else ""
        fields["kind"] = _KIND_OF_CATEGORY.get(category, "OTHER")


def _amend(record_type: str, fields: dict[str, Any], state: str) -> list[Record]:
    """The withdrawal or objection that a row's state (当前状态) implies."""
    target = {"target_department": "", "target_type": record_type, "target_document": fields["document"]}
    header = {name: fields[name] for name in _HEADER if name in fields}
    if state == "revoked":
        return [("withdrawal", {**header, **target, "document": f"{fields['document']}撤销", "reason": "REVOKED"})]
    if state == "objected":
        return [("objection", {**header, **target, "document": f"{fields['document']}异议", "state": "RAISED"})]
    return []
