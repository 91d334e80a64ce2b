"""Narrows a picture to what a visitor may see: documents by the catalogue's grants, fields by their class, persons by pseudonym."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from consumers.disclosure.documents import Document
from consumers.portal.query.picture import Picture, Relation, overall_of
from exchange.catalogue import Catalogue
from exchange.domain.access import SEE_PERSONS, Visitor
from exchange.domain.identity import is_person
from exchange.domain.projection import project
from exchange.domain.terms import Holding

ShowPerson = Callable[[str], str]
"""The pseudonym under which the visitor knows a person."""


def narrow(picture: Picture, visitor: Visitor, catalogue: Catalogue, show_person: ShowPerson) -> Picture:
    """The picture as the visitor may see it.

    Args:
        picture: the whole of it.
        visitor: who asks.
        catalogue: with the grants.
        show_person: how he knows persons.
    """

    def seen(record_type: str, department: str, fields: Mapping[str, Any], *, opened: bool) -> dict[str, Any] | None:
        record = {"department": department, "subject": picture.subject, **fields}
        return project(record, catalogue.read_grant(record_type), visitor, show_person=show_person, opened=opened)

    documents: list[Document] = []
    for one in picture.documents:
        fields = seen(one.type, one.department, one.fields, opened=one.is_public)
        if fields is not None and (visitor.role in SEE_PERSONS or one.is_public):
            documents.append(one._replace(fields=fields))

    def warned(holding: Holding) -> bool:
        return (
            holding.key.startswith("early_warning/")
            and seen("early_warning", holding.department, {}, opened=False) is None
        )

    lists = tuple(one for one in picture.lists if not warned(one.holding))
    overall = picture.overall
    if len(lists) < len(picture.lists):
        overall = overall_of({one.rule.colour for one in lists if one.rule}, known=True)
    follows = (
        one._replace(supports=tuple(s for s in one.supports if not warned(s.holding))) for one in picture.follows
    )
    text = seen("registration", picture.registered_by, picture.text, opened=True) or {}
    return replace(
        picture, overall=overall, lists=lists, follows=tuple(one for one in follows if one.supports),
        documents=tuple(documents), text=text,
        relations=tuple(_relation(one, visitor, show_person) for one in picture.relations),
    )  # fmt: skip


def _relation(one: Relation, visitor: Visitor, show_person: ShowPerson) -> Relation:
    if is_person(one.subject) and visitor.role in SEE_PERSONS:
        return one._replace(subject=show_person(one.subject))
    return one
