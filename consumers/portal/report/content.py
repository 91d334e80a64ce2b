"""What a credit report says: the public picture of a subject at one moment, as plain values that are signed and printed alike."""

from datetime import UTC, datetime
from typing import Any

from consumers.portal.pages import code_of, write_day, write_moment
from consumers.portal.query.fields import fields_of
from consumers.portal.query.picture import Picture
from consumers.portal.query.showing import Showing, verdict_of
from consumers.portal.query.words import AMENDMENTS, KINDS, ROLES
from exchange.catalogue import Catalogue
from exchange.labels import Label

FORMAT = "creditbus-report/1"
Content = dict[str, Any]
"""JSON values: texts, lists, objects."""


class ContentMaker:
    """Writes reports in Chinese, which is what they are used in.

    Args:
        showing: puts pictures into words.
        catalogue: names of departments.
    """

    def __init__(self, showing: Showing, catalogue: Catalogue) -> None:
        self._showing = showing
        self._catalogue = catalogue

    def content(self, picture: Picture, issued_at: datetime) -> Content:
        """The report.

        Args:
            picture: narrowed to what the public may see.
            issued_at: aware.
        """
        registration, day = picture.registration, picture.as_of
        verdict = verdict_of(picture, _chinese)

        def department(slug: str) -> str:
            return self._catalogue.name_of(slug, day)

        return {
            "format": FORMAT,
            "subject": picture.subject,
            "code": code_of(picture.subject),
            "name": registration.name if registration and registration.name else code_of(picture.subject),
            "issued_at": issued_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "issued_at_local": write_moment(issued_at.timestamp()),
            "overall": picture.overall.value,
            "verdict": [verdict.title, verdict.text],
            "as_of": write_day(day),
            "policy_version": picture.policy_version,
            "registration": [
                [field.label.zh, field.value.zh]
                for field in fields_of(self._showing.labels, "registration", picture.text)
            ],
            "lists": [
                {
                    "list": one.rule.name_zh if one.rule else one.holding.list_code,
                    "authority": department(one.holding.department),
                    "document": one.holding.document,
                    "grounds": one.grounds[1] or one.grounds[0],
                    "since": write_day(one.holding.decided_on),
                    "until": write_day(one.holding.until),
                    "repairable_from": write_day(one.repairable_from),
                    "role": ROLES[one.holding.role].zh if one.holding.role else "",
                }
                for one in picture.lists
            ],
            "measures": [
                {
                    "measure": one.supports[0].rule.name_zh,
                    "departments": [department(slug) for slug in one.departments],
                    "basis": sorted({f"{s.rule.basis} {s.rule.memorandum} {s.rule.article}".strip() for s in one.supports}),
                }
                for one in picture.follows
            ],
            "records": [
                {"kind": self._showing.labels.record(kind).zh, "documents": documents}
                for kind in KINDS
                if (documents := [self._document(one, department) for one in picture.of_type(kind)])
            ],
            "sources": [[department(slug), write_moment(at)] for slug, at in picture.sources.items()],
        }  # fmt: skip

    def _document(self, one: Any, department: Any) -> dict[str, Any]:
        return {
            "document": one.number,
            "decided_on": write_day(one.version.decided_on),
            "department": department(one.department),
            "fields": [[f.label.zh, f.value.zh] for f in fields_of(self._showing.labels, one.type, one.fields)],
            "later": [
                f"{write_day(step.decided_on)} {AMENDMENTS.get((step.type, step.state), Label(step.type, step.type)).zh}"
                for step in one.amendments
            ],
        }


def _chinese(chinese: str, _english: str) -> str:
    return chinese
