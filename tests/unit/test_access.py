"""The matrix of acts and roles cell by cell, department scope, and what of a record each visitor sees, field by field."""

import pytest

from exchange.catalogue import RECORD_TYPES, load_catalogue
from exchange.domain.access import MATRIX, PUBLIC, SEE_PERSONS, Act, Denied, Role, Visitor, denied, may
from exchange.domain.projection import FieldClass, project, visible_fields
from exchange.paths import SCHEMAS

CATALOGUE = load_catalogue(SCHEMAS)
PERSON = "person:k1." + "ab" * 16
ORGANISATION = "org:91440300PDY00001X3"
OFFICER = Visitor(role=Role.OFFICER, department="gd.fin", account="li")
VISITORS = {
    Role.PUBLIC: PUBLIC,
    Role.OFFICER: OFFICER,
    Role.AUDITOR: Visitor(role=Role.AUDITOR, account="audit"),
    Role.OPERATOR: Visitor(role=Role.OPERATOR, account="ops"),
    Role.ADMINISTRATOR: Visitor(role=Role.ADMINISTRATOR, account="admin"),
}
EVERYBODY = "public officer auditor operator administrator"
WANTED = {
    "sign_in": EVERYBODY, "own_account": "officer auditor operator administrator", "search": EVERYBODY, "picture": EVERYBODY,
    "report": EVERYBODY, "verify_report": EVERYBODY, "find_person": "officer auditor", "check": "officer", "check_file": "officer",
    "record_decision": "officer", "read_inbox": "officer auditor", "answer_notices": "officer",
    "read_submissions": "officer auditor", "correct_submissions": "officer", "upload_submissions": "officer",
    "publish_records": "officer", "read_endpoints": "officer auditor", "change_endpoints": "officer",
    "read_keys": "officer auditor", "change_keys": "officer", "read_deliveries": "officer auditor", "replay_deliveries": "officer",
    "read_disclosure": EVERYBODY, "file_complaint": "public officer operator administrator",
    "file_objection": "public officer operator administrator", "read_catalogue": EVERYBODY, "read_open_data": EVERYBODY,
    "read_operations": "operator auditor", "operate": "operator", "administer_accounts": "administrator",
    "read_access_log": "auditor", "read_warnings": "officer auditor",
}  # fmt: skip
"""Written a second time, by hand, so that a slip in the matrix is seen."""
OWN = {
    "record_decision", "read_inbox", "answer_notices", "read_submissions", "correct_submissions", "upload_submissions",
    "publish_records", "read_endpoints", "change_endpoints", "read_keys", "change_keys", "read_deliveries", "replay_deliveries",
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", Act)
def test_each_cell_of_the_matrix(act: Act, role: Role) -> None:
    allowed = role in WANTED[act].split()
    assert may(VISITORS[role], act) is allowed
    if not allowed:
        assert denied(VISITORS[role], act) is (Denied.SIGN_IN if role is Role.PUBLIC else Denied.ROLE)


@pytest.mark.parametrize("act", Act)
def test_an_officer_acts_for_his_own_department_alone(act: Act) -> None:
    if "officer" not in WANTED[act].split():
        return
    assert may(OFFICER, act, department="gd.fin")
    other = denied(OFFICER, act, department="gd.tax")
    assert other is (Denied.DEPARTMENT if act in OWN else None)
    nowhere = Visitor(role=Role.OFFICER, account="nobody")
    assert may(nowhere, act) is (act not in OWN), "an officer without a department has no scope"


def test_the_auditor_reads_every_department_and_changes_none() -> None:
    auditor = VISITORS[Role.AUDITOR]
    for act in Act:
        changes = act.startswith(
            ("change_", "answer_", "correct_", "upload_", "publish_", "replay_", "file_", "operate", "record_")
        )
        assert not (changes and may(auditor, act))
    assert may(auditor, Act.READ_INBOX, department="gd.tax")


@pytest.mark.parametrize("role", Role)
def test_persons_are_for_officers_and_auditors(role: Role) -> None:
    assert may(VISITORS[role], Act.PICTURE, subject=PERSON) is (role in {Role.OFFICER, Role.AUDITOR})
    assert may(VISITORS[role], Act.PICTURE, subject=ORGANISATION)


def test_what_is_not_public_is_written_down() -> None:
    silent = {act for act in Act if not MATRIX[act].logged}
    assert silent == {
        Act.SIGN_IN, Act.OWN_ACCOUNT, Act.VERIFY_REPORT, Act.READ_DISCLOSURE, Act.READ_CATALOGUE, Act.READ_OPEN_DATA
    }  # fmt: skip


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("record_type", sorted(RECORD_TYPES))
def test_each_field_for_each_role(record_type: str, role: Role) -> None:
    grant = CATALOGUE.read_grant(record_type)
    visitor = VISITORS[role]
    reads_all = grant.readers is None or "gd.fin" in grant.readers
    for opened in (False, True):
        seen = visible_fields(grant, visitor, provider="gd.tax", opened=opened)
        is_open = grant.opening == "open" or (grant.opening == "conditional" and opened)
        for name, one in grant.fields.items():
            wanted = {
                Role.AUDITOR: True,
                Role.OFFICER: (reads_all and one is not FieldClass.PROVIDER) or (is_open and one is FieldClass.OPEN),
            }.get(role, is_open and one is FieldClass.OPEN)
            assert (name in seen) is wanted, (record_type, name, role, opened)


def test_the_public_sees_no_person_and_no_name_of_one() -> None:
    for record_type in RECORD_TYPES:
        seen = visible_fields(CATALOGUE.read_grant(record_type), PUBLIC, opened=True)
        assert not seen & {
            "legal_representative_name", "legal_representative", "officers", "officer", "identity_document_type", "remark"
        }  # fmt: skip


def test_what_is_shared_under_a_condition_reaches_its_readers_and_its_provider() -> None:
    grant = CATALOGUE.read_grant("arrears")
    record = {"department": "gd.hrss", "subject": ORGANISATION, "amount_yuan": "1.00", "remark": "x"}
    shown = {
        slug: project(record, grant, Visitor(role=Role.OFFICER, department=slug), show_person=str)
        for slug in ("gd.hrss", "gd.fin", "gd.tour", "")
    }
    assert shown["gd.hrss"] == shown["gd.fin"] == record
    assert shown["gd.tour"] is None
    assert shown[""] is None


def test_a_persons_record_is_nothing_to_whom_persons_are_not_shown() -> None:
    grant = CATALOGUE.read_grant("penalty")
    record = {
        "department": "gd.tax",
        "subject": PERSON,
        "document": "粤税罚〔2026〕1号",
        "officers": [{"person": PERSON}],
    }
    for role in set(Role) - SEE_PERSONS:
        assert project(record, grant, VISITORS[role], show_person=str, opened=True) is None
    seen = project(record, grant, OFFICER, show_person=lambda _: "他")
    assert seen == {"department": "gd.tax", "subject": "他", "document": "粤税罚〔2026〕1号"}


def test_persons_within_a_record_are_shown_by_pseudonym() -> None:
    grant = CATALOGUE.read_grant("registration")
    record = {"subject": ORGANISATION, "department": "gd.amr", "officers": [{"role": "DIRECTOR", "person": PERSON}]}
    seen = project(record, grant, OFFICER, show_person=lambda _: "他")
    assert seen == record | {"officers": [{"role": "DIRECTOR", "person": "他"}]}
    assert project(record, grant, PUBLIC, show_person=str) == {"subject": ORGANISATION, "department": "gd.amr"}
