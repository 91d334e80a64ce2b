"""The table of grants: departments have their own three topics only, processes what they need, and both lists follow from it."""

from functools import partial

import pytest

from deploy.processes import PROCESSES
from exchange.catalogue import load_catalogue
from exchange.grants import REGISTRY_TOPICS, grants_of, principal_of
from exchange.kafka_acl import Allowed, allowed, is_ours
from exchange.paths import SCHEMAS
from exchange.redis_acl import acl_file, users
from exchange.settings import Settings
from exchange.topics import Topics

DEPARTMENTS = sorted(load_catalogue(SCHEMAS).departments)
GRANTS = grants_of(Settings(), DEPARTMENTS)
ALLOWED = allowed(GRANTS)
TOPICS = Topics("credit")


def of(name: str) -> set[tuple[str, str, bool, str]]:
    """A principal's entries: resource, name, prefixed, operation."""
    user = f"User:{principal_of('credit', name)}"
    return {(one.resource, one.name, one.prefixed, one.operation) for one in ALLOWED if one.principal == user}


@pytest.mark.parametrize("slug", DEPARTMENTS)
def test_a_department_writes_its_own_topic_and_reads_its_own_notices(slug: str) -> None:
    assert {one for one in of(slug) if one[0] == "TOPIC"} == {
        ("TOPIC", TOPICS.into(slug), False, "WRITE"),
        ("TOPIC", TOPICS.out_of(slug), False, "READ"),
        ("TOPIC", TOPICS.rejected_of(slug), False, "READ"),
    }
    assert {one[0] for one in of(slug)} == {"TOPIC", "GROUP"}
    assert not GRANTS[principal_of("credit", slug)].keys


@pytest.mark.parametrize("slug", DEPARTMENTS)
def test_no_department_may_join_the_group_of_another_or_of_a_process(slug: str) -> None:
    for resource, name, prefixed, _ in of(slug):
        if resource == "GROUP":
            others = [one for one in DEPARTMENTS if one != slug]
            strange = [
                *others,
                *(f"{one}.x" for one in others),
                "credit.standing",
                "credit.ledger",
                "credit.standing.read-back.x",
            ]
            assert not [one for one in strange if one == name or (prefixed and one.startswith(name))]


def test_every_process_that_is_deployed_has_its_own_principal() -> None:
    deployed = {one.name for one in PROCESSES}
    assert not deployed - {name.removeprefix("credit.") for name in GRANTS}


def test_only_the_operator_governs_and_only_three_make_topics() -> None:
    assert {one.principal for one in ALLOWED if one.resource == "BROKER"} == {"User:credit.operator"}
    assert {one.principal for one in ALLOWED if one.operation == "CREATE"} == {
        "User:credit.operator",
        "User:credit.early-warning",
        "User:credit.registry",
    }


def test_the_registry_has_topics_of_its_own_and_no_other_rights() -> None:
    assert {name for resource, name, _, _ in of("registry") if resource == "TOPIC"} == set(REGISTRY_TOPICS)
    assert {(resource, name) for resource, name, _, _ in of("registry") if resource != "TOPIC"} == {
        ("GROUP", "apicurio-")
    }
    assert {
        one.principal for one in ALLOWED if one.resource == "TOPIC" and any(map(partial(covers, one), REGISTRY_TOPICS))
    } == {"User:credit.registry"}


def covers(entry: Allowed, topic: str) -> bool:
    return topic == entry.name or (entry.prefixed and topic.startswith(entry.name))


def test_nobody_is_everybody() -> None:
    assert all(one.principal != "User:*" and one.host == "*" and one.name not in ("*", "") for one in ALLOWED)


def test_who_writes_in_the_name_of_departments_is_known() -> None:
    writers = {
        one.principal
        for one in ALLOWED
        if one.resource == "TOPIC" and one.operation == "WRITE" and one.name == "credit.in." and one.prefixed
    }
    assert writers == {"User:credit.gateway", "User:credit.inbox", "User:credit.portal"}
    judges = {one.principal for one in ALLOWED if one.operation == "WRITE" and one.name == "credit.out."}
    assert judges == {"User:credit.standing"}, "only the processor tells departments anything"


@pytest.mark.parametrize(
    ("principal", "ours"),
    [
        ("User:credit.gd.tax", True), ("User:credit.ext.bank", True), ("User:credit.standing", True), ("User:credit.gone-process", True),
        ("User:administrator", False), ("User:creditX.standing", False), ("User:credit.test.gd.tax", False), ("User:*", False),
        ("Group:credit.standing", False),
    ],
)  # fmt: skip
def test_only_principals_of_this_bus_are_its_own(principal: str, ours: bool) -> None:
    assert is_ours(principal, "credit") is ours


def test_an_entry_reads_as_a_sentence() -> None:
    assert str(Allowed("User:u", "TOPIC", "credit.in.", True, "READ")) == "User:u may READ TOPIC credit.in.*"


def test_redis_knows_processes_only_and_no_password_in_clear() -> None:
    passwords = dict.fromkeys(("administrator", *users(GRANTS)), ("old-one", "new-one"))
    text = acl_file(GRANTS, passwords, "administrator")
    assert text.startswith("user default off")
    assert "old-one" not in text
    assert [line.count(" #") for line in text.splitlines()[1:]] == [2] * len(passwords)
    assert not [name for name in users(GRANTS) if ".gd." in name or ".ext." in name]
    assert all("-@dangerous" in rules for rules in users(GRANTS).values())
