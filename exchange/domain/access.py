"""Access: who may do what. One matrix of acts and roles, and the scope within it: one's own department, no persons.

What of a record's fields a visitor then sees is `exchange.domain.projection`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from exchange.domain.identity import is_person


class Role(StrEnum):
    """What somebody is to the bus; a visitor has one."""

    PUBLIC = "public"
    OFFICER = "officer"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


class Act(StrEnum):
    """What one can do; every route names one."""

    SIGN_IN = "sign_in"
    OWN_ACCOUNT = "own_account"
    SEARCH = "search"
    PICTURE = "picture"
    REPORT = "report"
    VERIFY_REPORT = "verify_report"
    FIND_PERSON = "find_person"
    CHECK = "check"
    CHECK_FILE = "check_file"
    RECORD_DECISION = "record_decision"
    READ_INBOX = "read_inbox"
    ANSWER_NOTICES = "answer_notices"
    READ_SUBMISSIONS = "read_submissions"
    CORRECT_SUBMISSIONS = "correct_submissions"
    UPLOAD_SUBMISSIONS = "upload_submissions"
    PUBLISH_RECORDS = "publish_records"
    READ_ENDPOINTS = "read_endpoints"
    CHANGE_ENDPOINTS = "change_endpoints"
    READ_KEYS = "read_keys"
    CHANGE_KEYS = "change_keys"
    READ_DELIVERIES = "read_deliveries"
    REPLAY_DELIVERIES = "replay_deliveries"
    READ_DISCLOSURE = "read_disclosure"
    FILE_COMPLAINT = "file_complaint"
    FILE_OBJECTION = "file_objection"
    READ_CATALOGUE = "read_catalogue"
    READ_OPEN_DATA = "read_open_data"
    READ_WARNINGS = "read_warnings"
    READ_OPERATIONS = "read_operations"
    OPERATE = "operate"
    ADMINISTER_ACCOUNTS = "administer_accounts"
    READ_ACCESS_LOG = "read_access_log"


class Denied(StrEnum):
    """Why something may not be done."""

    SIGN_IN = "sign_in_required"
    ROLE = "role_forbids"
    DEPARTMENT = "other_department"
    PERSON = "person_forbidden"


class Permission(NamedTuple):
    """A row of the matrix: who may do an act.

    own: an officer only for his own department. logged: what it shows is not public to those who signed in, so it is written down.
    """

    roles: frozenset[Role]
    own: bool
    logged: bool
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks.

    Attributes:
        department: slug; an officer's own, empty for all others.
        account: name of the account, client or API key.
    """

    role: Role = Role.PUBLIC
    department: str = ""
    account: str = ""


PUBLIC = Visitor()
"""Whoever has not signed in."""

_ALL = frozenset(Role)
_OFFICER = frozenset({Role.OFFICER})
_READERS = frozenset({Role.OFFICER, Role.AUDITOR})
_OPERATOR = frozenset({Role.OPERATOR})


def _row(roles: frozenset[Role], name_zh: str, name_en: str, *, own: bool = False, logged: bool = True) -> Permission:
    return Permission(roles, own, logged, name_zh, name_en)


MATRIX: Mapping[Act, Permission] = {
    Act.SIGN_IN: _row(_ALL, "登录", "sign in and out", logged=False),
    Act.OWN_ACCOUNT: _row(_ALL - {Role.PUBLIC}, "本人账号", "one's own account", logged=False),
    Act.SEARCH: _row(_ALL, "一站式查询", "search by name or code"),
    Act.PICTURE: _row(_ALL, "信用画像", "credit picture"),
    Act.REPORT: _row(_ALL, "信用报告", "credit report"),
    Act.VERIFY_REPORT: _row(_ALL, "报告验真", "verify a report", logged=False),
    Act.FIND_PERSON: _row(_READERS, "自然人查询", "look a person up by ID"),
    Act.CHECK: _row(_OFFICER, "核查", "check"),
    Act.CHECK_FILE: _row(_OFFICER, "批量核查", "check by file"),
    Act.RECORD_DECISION: _row(_OFFICER, "登记办理结果", "record the decision on a check", own=True),
    Act.READ_INBOX: _row(_READERS, "查看通知", "read notices", own=True),
    Act.ANSWER_NOTICES: _row(_OFFICER, "回执与反馈", "answer notices", own=True),
    Act.READ_SUBMISSIONS: _row(_READERS, "查看报送", "read submissions and rejects", own=True),
    Act.CORRECT_SUBMISSIONS: _row(_OFFICER, "更正报送", "correct and resubmit", own=True),
    Act.UPLOAD_SUBMISSIONS: _row(_OFFICER, "上传文件", "upload files", own=True),
    Act.PUBLISH_RECORDS: _row(_OFFICER, "接口报送", "publish by the gateway", own=True),
    Act.READ_ENDPOINTS: _row(_READERS, "查看推送端点", "read endpoints", own=True),
    Act.CHANGE_ENDPOINTS: _row(_OFFICER, "管理推送端点", "change endpoints", own=True),
    Act.READ_KEYS: _row(_READERS, "查看接口密钥", "list API keys", own=True),
    Act.CHANGE_KEYS: _row(_OFFICER, "管理接口密钥", "issue and revoke API keys", own=True),
    Act.READ_DELIVERIES: _row(_READERS, "查看送达记录", "read the delivery log", own=True),
    Act.REPLAY_DELIVERIES: _row(_OFFICER, "重新送达", "replay deliveries", own=True),
    Act.READ_DISCLOSURE: _row(_ALL, "信息公示", "public disclosure", logged=False),
    Act.FILE_COMPLAINT: _row(_ALL - {Role.AUDITOR}, "投诉举报", "file a complaint"),
    Act.FILE_OBJECTION: _row(_ALL - {Role.AUDITOR}, "异议申请", "file an objection"),
    Act.READ_CATALOGUE: _row(_ALL, "资源目录", "resource catalogue", logged=False),
    Act.READ_OPEN_DATA: _row(_ALL, "开放数据", "open data", logged=False),
    Act.READ_WARNINGS: _row(_READERS, "查看预警", "read early warnings"),
    Act.READ_OPERATIONS: _row(_OPERATOR | {Role.AUDITOR}, "运行状况", "health of the bus"),
    Act.OPERATE: _row(_OPERATOR, "运维操作", "safe operations"),
    Act.ADMINISTER_ACCOUNTS: _row(frozenset({Role.ADMINISTRATOR}), "账号管理", "administer accounts"),
    Act.READ_ACCESS_LOG: _row(frozenset({Role.AUDITOR}), "访问日志", "read the access log"),
}
"""Act to who may do it. The auditor reads everything and changes nothing; the operator sees what the public sees of subjects."""

SEE_PERSONS = _READERS
"""Roles to which a natural person is shown at all, by pseudonym."""


def denied(visitor: Visitor, act: Act, *, department: str = "", subject: str = "") -> Denied | None:
    """Why a visitor may not do something; None when he may.

    Args:
        visitor: who asks.
        act: what he wants to do.
        department: for which department, where the act concerns one; empty means his own.
        subject: about which subject, where it is about one.

    >>> officer = Visitor(role=Role.OFFICER, department="gd.tax", account="li")
    >>> denied(officer, Act.READ_INBOX, department="gd.fin")
    <Denied.DEPARTMENT: 'other_department'>
    """
    permission = MATRIX[act]
    if visitor.role not in permission.roles:
        return Denied.SIGN_IN if visitor.role is Role.PUBLIC else Denied.ROLE
    if (
        permission.own
        and visitor.role is Role.OFFICER
        and (not visitor.department or department not in ("", visitor.department))
    ):
        return Denied.DEPARTMENT
    if is_person(subject) and visitor.role not in SEE_PERSONS:
        return Denied.SIGN_IN if visitor.role is Role.PUBLIC else Denied.PERSON
    return None


def may(visitor: Visitor, act: Act, *, department: str = "", subject: str = "") -> bool:
    """Whether a visitor may do something; see `denied`."""
    return denied(visitor, act, department=department, subject=subject) is None
