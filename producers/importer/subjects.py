"""Who a row is about: the six codes of the 双公示 layouts, or a natural person's ID, become one subject id.

The USCC wins; else the first older code that is right makes an alias subject; a person's ID becomes a pseudonym here and goes
no further. A wrong older code beside a good USCC is only a warning: the row's subject is certain.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from exchange.domain.identity import (
    IdentityError,
    SubjectId,
    alias_subject,
    is_person,
    normalise_code,
    organisation_subject,
    parse_subject,
)
from exchange.errors import Reason
from producers.importer.persons import mask_value

Pseudonymise = Callable[[str], SubjectId]
"""Turns a citizen ID into the person's subject id; raises `IdentityError` when it is not valid."""

KINDS = {
    "法人及非法人组织": "ORGANISATION",
    "法人和非法人组织": "ORGANISATION",
    "法人": "ORGANISATION",
    "法人或其他组织": "ORGANISATION",
    "其他组织": "ORGANISATION",
    "企业": "ORGANISATION",
    "企业法人": "ORGANISATION",
    "个体工商户": "SELF_EMPLOYED",
    "个体": "SELF_EMPLOYED",
    "自然人": "INDIVIDUAL",
    "个人": "INDIVIDUAL",
}
"""行政相对人类别, as files write it, in the words of the schema's enum SubjectCategory."""

PARTY = "[当事人]"
"""What stands in a text where a natural person's name stood."""

_CITIZEN_ID_TYPES = frozenset({"", "身份证", "居民身份证", "公民身份号码", "身份证号", "二代身份证", "1", "111"})
_OLDER = {
    "registration_number": "REGISTRATION_NUMBER",
    "organisation_code": "ORGANISATION_CODE",
    "tax_registration": "TAX_REGISTRATION",
    "institution_certificate": "INSTITUTION_CERTIFICATE",
    "social_organisation_certificate": "SOCIAL_ORGANISATION_CERTIFICATE",
}


class Identified(NamedTuple):
    """A row's subject and its other codes; `problems` names the role of the cell at fault, `doubts` likewise."""

    subject: str
    aliases: tuple[tuple[str, str], ...]
    problems: tuple[tuple[str, Reason], ...] = ()
    doubts: tuple[tuple[str, Reason], ...] = ()


def identify(codes: Mapping[str, str], kind: str, id_type: str, pseudonymise: Pseudonymise) -> Identified:
    """Who a row is about.

    Args:
        codes: role to code, empty ones left out; roles are those of `layouts.SUBJECT_ROLES`.
        kind: 行政相对人类别, "" when the file does not say.
        id_type: 证件类型 of a natural person.
        pseudonymise: for a natural person's citizen ID.
    """
    if "subject_id" in codes:
        return _take_subject(codes["subject_id"])
    codes = _sort_out(codes)
    if kind and kind not in KINDS:
        rule = f"one of {', '.join(KINDS)}"
        return Identified("", (), (("subject_kind", Reason(code="unknown_value", value=kind, rule=rule)),))
    organisation = [role for role in codes if role != "person_id"]
    if KINDS.get(kind) == "INDIVIDUAL" or (not kind and not organisation and "person_id" in codes):
        return _identify_person(codes, id_type, pseudonymise)
    if not organisation:
        rule = "an organisation needs a unified social credit code or an older code"
        return Identified("", (), (("uscc", Reason(code="no_identifier", rule=rule)),))
    return _identify_organisation(codes)


def _take_subject(text: str) -> Identified:
    """A subject id as the bus itself wrote it; a bare USCC is taken for one."""
    try:
        return Identified(parse_subject(text if ":" in text else f"org:{text}"), ())
    except IdentityError as error:
        return Identified("", (), (("subject_id", _reason(error, text)),))


def _sort_out(codes: Mapping[str, str]) -> dict[str, str]:
    """The codes with `any_code` put where it belongs, by its shape; 18 characters are a USCC or a citizen ID."""
    sorted_out = dict(codes)
    code = normalise_code(sorted_out.pop("any_code", ""))
    if "*" in code or (re.fullmatch(r"\d{6}(18|19|20)\d{9}[\dX]", code) and not _is_organisation(code)):
        sorted_out.setdefault("person_id", code)
    elif len(code) == 15 and code.isdigit():  # GS 15-2006
        sorted_out.setdefault("registration_number", code)
    elif len(code) == 15:  # division and organisation code
        sorted_out.setdefault("tax_registration", code)
    elif len(code) == 9:  # GB 11714
        sorted_out.setdefault("organisation_code", code)
    elif code:
        sorted_out.setdefault("uscc", code)
    return sorted_out


def _is_organisation(code: str) -> bool:
    try:
        organisation_subject(code)
    except IdentityError:
        return False
    return True


def _identify_person(codes: Mapping[str, str], id_type: str, pseudonymise: Pseudonymise) -> Identified:
    if id_type not in _CITIZEN_ID_TYPES:
        rule = (
            "persons are known by their citizen ID (居民身份证); other documents cannot be matched across departments"
        )
        return Identified("", (), (("person_id_type", Reason(code="person_id_type", value=id_type, rule=rule)),))
    code = codes.get("person_id", "")
    if not code:
        rule = "a natural person needs 证件号码"
        return Identified("", (), (("person_id", Reason(code="no_identifier", rule=rule)),))
    try:
        return Identified(pseudonymise(code), ())
    except IdentityError as error:
        reason = Reason(code=error.code, value=mask_value(code), rule=error.rule)
        return Identified("", (), (("person_id", reason),))


def _identify_organisation(codes: Mapping[str, str]) -> Identified:
    subject = ""
    aliases: list[tuple[str, str]] = []
    wrong: list[tuple[str, Reason]] = []
    if "uscc" in codes:
        try:
            subject = organisation_subject(codes["uscc"])
        except IdentityError as error:
            # a wrong USCC is never papered over with an older code: one of the two names somebody else
            return Identified("", (), (("uscc", _reason(error, codes["uscc"])),))
    for role, alias_kind in _OLDER.items():
        if role not in codes:
            continue
        if normalise_code(codes[role]) == subject.removeprefix("org:"):
            continue  # many files repeat the USCC where the older code stood
        try:
            found = alias_subject(alias_kind, codes[role])
        except IdentityError as error:
            wrong.append((role, _reason(error, codes[role])))
            continue
        if (
            role == "organisation_code"
            and subject.startswith("org:")
            and not subject.endswith(found.partition(":")[2], 12, 21)
        ):
            rule = "characters 9 to 17 of the USCC are the organisation code; this one is another's"
            wrong.append((role, Reason(code="code_contradiction", value=codes[role], rule=rule)))
        else:
            subject = subject or found
            if found != subject:
                aliases.append((alias_kind, found.partition(":")[2]))
    if not subject:
        return Identified("", (), tuple(wrong))
    return Identified(subject, tuple(aliases), (), tuple(wrong))


def _reason(error: IdentityError, value: str) -> Reason:
    return Reason(code=error.code, value=value[:200], rule=error.rule)


def name_subject(fields: dict[str, Any], name: str) -> None:
    """Put an organisation's name into a record; a person's is kept out of every field, the texts too."""
    if not is_person(fields["subject"]):
        fields["subject_name"] = name
        return
    fields["subject_name"] = ""
    fields.pop("legal_representative_name", None)
    for field, text in fields.items():
        if isinstance(text, str) and len(name) > 1:
            fields[field] = text.replace(name, PARTY)
