"""What the picture's template shows: a picture in the visitor's language, narrowed to what he may see."""

from collections.abc import Callable
from typing import Any, NamedTuple

from consumers.disclosure.documents import Document
from consumers.portal.pages import code_of
from consumers.portal.query.fields import Field, fields_of
from consumers.portal.query.picture import Listed, Overall, Picture, Relation
from consumers.portal.query.words import AMENDMENTS, COLOURS, KINDS, OVERALL, ROLES
from exchange.catalogue import Catalogue
from exchange.directory import STATUSES
from exchange.domain.calendar import to_date
from exchange.domain.identity import is_person
from exchange.known_as import PREFIX, SHORT
from exchange.labels import Label, Labels

Say = Callable[[str, str], str]
"""Of a Chinese and an English text the visitor's."""


class Kind(NamedTuple):
    """The documents of one type."""

    type: str
    label: Label
    documents: list[Document]


class Event(NamedTuple):
    """A line of the timeline; `day` since 1970-01-01."""

    day: int
    label: Label
    document: str
    department: str


class Verdict(NamedTuple):
    """The answer at a glance, in words."""

    tone: str
    title: str
    text: str


class Shown(NamedTuple):
    """A relation as the visitor may see it: `linked` where it may be followed, else `shown` says what is known."""

    subject: str
    role: str
    linked: bool
    shown: str


class Showing:
    """Puts pictures into words.

    Args:
        labels: of the contracts.
        catalogue: names of regions.
    """

    def __init__(self, labels: Labels, catalogue: Catalogue) -> None:
        self.labels = labels
        self._catalogue = catalogue

    def words(self, say: Say, day: int) -> dict[str, Any]:
        """The functions that the templates of this room call."""

        def region_name(code: str) -> str:
            region = self._catalogue.region(code, day) if code else None
            return region.name_zh if region else code

        return {
            "region_name": region_name,
            "symbol": lambda kind, field, symbol: say(*self.labels.symbol(kind, field, symbol)),
            "amendment_name": lambda kind, state: say(*AMENDMENTS.get((kind, state), Label(kind, kind))),
            "role_name": lambda role: say(*ROLES.get(role, Label(role, role))),
            "fields_of": lambda document: list(fields_of(self.labels, document.type, document.fields)),
            "colour_of": lambda one: say(*COLOURS[one.rule.colour][1]) if one.rule else "",
            "tone_of": lambda one: COLOURS[one.rule.colour][0] if one.rule else "",
        }

    def picture(self, picture: Picture, say: Say) -> dict[str, Any]:
        """What `query/picture.html` shows of a picture."""
        registration = picture.registration
        name = registration.name if registration and registration.name else code_of(picture.subject)
        status = STATUSES[registration.status] if registration else ""
        return {
            "picture": picture,
            "name": name,
            "registered": say(*self.labels.symbol("registration", "status", status)) if status else "",
            "verdict": verdict_of(picture, say),
            "registration_fields": self._registration(picture),
            "kinds": [
                Kind(kind, self.labels.record(kind), found) for kind in KINDS if (found := picture.of_type(kind))
            ],
            "relations": [_shown(one, say) for one in picture.relations],
            "timeline": self._timeline(picture),
        }

    def _registration(self, picture: Picture) -> list[Field]:
        return list(fields_of(self.labels, "registration", picture.text))

    def _timeline(self, picture: Picture) -> list[Event]:
        events = [
            Event(one.version.decided_on, self.labels.record(one.type), one.number, one.department)
            for one in picture.documents
        ]
        events += [
            Event(step.decided_on, AMENDMENTS.get((step.type, step.state), Label(step.type, step.type)), one.number, one.department)
            for one in picture.documents
            for step in one.amendments
        ]  # fmt: skip
        return sorted(events, key=lambda event: (-event.day, event.document))


def verdict_of(picture: Picture, say: Say) -> Verdict:
    """The answer at a glance: which lists, since when, what follows."""
    tone, title = OVERALL[picture.overall]
    if not picture.lists:
        text = "" if picture.overall is Overall.UNKNOWN else say(
            "没有需要部门采取惩戒或激励措施的事项。", "Nothing obliges a department to act."
        )  # fmt: skip
        return Verdict(tone, say(*title), text)
    names = say("、", ", ").join(dict.fromkeys(_list_name(one, say) for one in picture.lists))
    since = to_date(min(one.holding.decided_on for one in picture.lists)).isoformat()
    departments = len({department for one in picture.follows for department in one.departments})
    text = say(
        f"{names}；最早自 {since} 起。{departments} 个部门须采取 {len(picture.follows)} 项措施。",
        f"{names}; since {since} at the earliest. {departments} departments take {len(picture.follows)} measures.",
    )
    return Verdict(tone, say(*title), text)


def _list_name(one: Listed, say: Say) -> str:
    return say(one.rule.name_zh, one.rule.name_en) if one.rule else one.holding.list_code


def _shown(one: Relation, say: Say) -> Shown:
    person = is_person(one.subject) or one.subject.startswith(PREFIX)
    text = (
        one.subject[:SHORT]
        if one.subject.startswith(PREFIX)
        else say("自然人（不公开）", "a natural person (not public)")
    )
    return Shown(one.subject, one.role, one.subject.startswith(PREFIX) or not person, text)
