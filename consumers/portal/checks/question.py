"""Questions of checks: the body of a request becomes a matter and subjects, each good or with what is wrong with it."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from consumers.portal.checks.answers import Fault
from exchange.domain.codes import looks_like_citizen_id, normalise_code
from exchange.domain.identity import IdentityError, alias_subject, is_series
from exchange.domain.policy import Policy
from exchange.domain.uscc import check_uscc
from exchange.errors import Reason, RejectedError
from exchange.http.problems import RefusedError

SUBJECTS = 10_000
"""Subjects of one request or file, at most."""
_KINDS_BY_LENGTH = {9: ("ORGANISATION_CODE",), 15: ("REGISTRATION_NUMBER", "TAX_REGISTRATION")}
HIDDEN = "（已隐去 hidden）"
"""In place of a value that may be a citizen ID."""
Read = Callable[[str], str | None]
"""What subject a text names for the visitor, such as `PortalKeys.subject_of`; None when it names none that he may name."""


class _Body(msgspec.Struct, kw_only=True):
    matter: str
    subject: str | None = None
    uscc: str | None = None
    subjects: list[object] | None = None


class Question(NamedTuple):
    """What is asked: `subjects` in the order of the request, a fault where one names nobody; `is_batch` as it was asked."""

    matter: str
    subjects: tuple[str | Fault, ...]
    is_batch: bool


_decode = msgspec.json.Decoder(_Body).decode


def read_question(raw: bytes, policy: Policy, read: Read) -> Question:
    """The question of a request.

    Args:
        raw: its body, JSON.
        policy: whose matters may be asked about.
        read: see `Read`.

    Raises:
        RefusedError: 400 `bad_body`, 422 `unknown_matter`, 413 `too_many_subjects`.
    """
    try:
        body = _decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise _bad_body(str(error)) from error
    check_matter(body.matter, policy)
    given = [one for one in (body.subject, body.uscc, body.subjects) if one is not None]
    if len(given) != 1:
        raise _bad_body("exactly one of subject, uscc and subjects")
    if body.subjects is not None:
        if not 0 < len(body.subjects) <= SUBJECTS:
            raise RefusedError(
                413 if body.subjects else 400, f"{len(body.subjects)} subjects; 1 to {SUBJECTS}", code="too_many_subjects",
                remedy="分批核查 ask in parts",
            )  # fmt: skip
        return Question(
            body.matter, tuple([subject_or_fault(one, "subjects", read) for one in body.subjects]), is_batch=True
        )
    field = "subject" if body.subject is not None else "uscc"
    return Question(body.matter, (subject_or_fault(body.subject or body.uscc or "", field, read),), is_batch=False)


def check_matter(matter: str, policy: Policy) -> None:
    """Refuse a matter that the policy does not have.

    Raises:
        RefusedError: 422 `unknown_matter`.
    """
    if matter not in policy.matters:
        raise RefusedError(
            422, f"没有此事项 no matter {matter[:64]!r}", code="unknown_matter", remedy="one of " + ", ".join(policy.matters)
        )  # fmt: skip


def subject_or_fault(given: object, field: str, read: Read) -> str | Fault:
    """The subject that a text names, or what is wrong with it; a bare code is a USCC, however it is written."""
    if not isinstance(given, str):
        return Fault(code="wrong_type", field=field, value=str(given)[:64], rule="代码为文本 a code is a text")
    try:
        if ":" not in given and not given.startswith("person-"):
            code = normalise_code(given)
            check_uscc(code)
            return f"org:{code}"
        found = read(given)
    except IdentityError as error:
        return Fault(code=error.code, field=field, value=shown(given), rule=error.rule)
    if found is None:
        return Fault(
            code="person_shape", field=field, value=shown(given),
            rule="自然人须用本部门的标识 a person is named by the pseudonym that this department knows",
        )  # fmt: skip
    if is_series(found):
        rule = "核查针对组织或自然人 a check is of an organisation or a person"
        return Fault(code="subject_kind", field=field, value=shown(given), rule=rule)
    return found


def shown(given: str) -> str:
    """A value as an error may repeat it: nothing that may be a citizen ID."""
    return HIDDEN if looks_like_citizen_id(normalise_code(given)) else given[:64]


def digest_of(question: Question) -> str:
    """A name of the question that says whether two are the same."""
    return hashlib.sha256(msgspec.msgpack.encode(question)).hexdigest()


def _bad_body(rule: str) -> RefusedError:
    return RefusedError(400, f"正文有误 the body is wrong: {rule}", code="bad_body", remedy="see /docs for an example")


def typed_subject(text: str, read: Read) -> str:
    """The subject that an officer types in: a USCC, an older code by its length, a subject id, or his department's pseudonym of a person.

    Raises:
        RejectedError: the code names nobody; nothing that may be a citizen ID is repeated.
    """
    code = normalise_code(text)
    if not code:
        raise RejectedError((Reason(code="empty_field", field="code", rule="不能为空 not empty"),))
    if looks_like_citizen_id(code):
        rule = "自然人请用“核查自然人” a person is checked by the form for persons"
        raise RejectedError((Reason(code="not_a_code", field="code", value=HIDDEN, rule=rule),))
    for kind in _KINDS_BY_LENGTH.get(len(code), ()) if ":" not in text else ():
        with suppress(IdentityError):
            return alias_subject(kind, code)
    found = subject_or_fault(text.strip(), "code", read)
    if isinstance(found, Fault):
        raise RejectedError((found.as_reason(),))
    return found
