"""Pseudonyms of an audience: stable, its own, read back by the portal alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.access import Role, Visitor
from exchange.domain.codes import IdentityError
from exchange.errors import FatalError
from exchange.known_as import DEVELOPMENT_KEY, PREFIX, PortalKeys, load_portal_keys
from exchange.settings import Settings

FIN = Visitor(role=Role.OFFICER, department="gd.fin")
TAX = Visitor(role=Role.OFFICER, department="gd.tax")
AUDITOR = Visitor(role=Role.AUDITOR)
KEYS = PortalKeys(keys=(("k1", b"1" * 32),))
persons = st.builds(
    lambda key, digest: f"person:{key}.{digest.hex()}",
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=16),
    st.binary(min_size=16, max_size=16),
)


@given(persons, persons)
def test_each_audience_has_its_own_and_reads_back_its_own_alone(subject: str, other: str) -> None:
    known = [KEYS.known_as(subject, visitor) for visitor in (FIN, TAX, AUDITOR)]
    assert len(set(known)) == 3
    assert all(subject.partition(".")[2] not in one and one.startswith(PREFIX) for one in known)
    assert KEYS.known_as(subject, FIN) == known[0]
    assert KEYS.subject_of(known[0], FIN) == subject
    assert KEYS.subject_of(known[0], TAX) is None
    assert (KEYS.known_as(other, FIN) == known[0]) is (other == subject)


def test_a_colleague_knows_a_person_by_the_same_pseudonym() -> None:
    person = "person:k1." + "ab" * 16
    assert KEYS.known_as(person, FIN) == KEYS.known_as(
        person, Visitor(role=Role.OFFICER, department="gd.fin", account="b")
    )


@pytest.mark.parametrize(
    "text", ["person-", "person-AAAA", "person-" + "A" * 47, "person-密", "person:k1." + "ab" * 16]
)
def test_what_the_portal_did_not_make_names_nobody(text: str) -> None:
    assert KEYS.subject_of(text, FIN) is None


def test_organisations_are_known_by_their_subject_id() -> None:
    subject = "org:91440300PDY00001X3"
    assert KEYS.known_as(subject, FIN) == KEYS.subject_of(subject, FIN) == subject
    with pytest.raises(IdentityError, match="uscc_check_digit"):
        KEYS.subject_of("org:91440300PDY00001X4", FIN)


def test_a_key_can_be_changed_and_old_links_lead_on() -> None:
    person = "person:k1." + "ab" * 16
    changed = PortalKeys(keys=(("k2", b"2" * 32), *KEYS.keys))
    old = KEYS.known_as(person, FIN)
    assert changed.subject_of(old, FIN) == person
    assert changed.known_as(person, FIN) != old


def test_outside_the_embedded_stack_a_key_must_be_given() -> None:
    assert load_portal_keys(Settings(), embedded=True)
    with pytest.raises(FatalError, match="no portal key"):
        load_portal_keys(Settings(), embedded=False)
    with pytest.raises(FatalError, match="is public"):
        load_portal_keys(Settings(portal_keys=f"k1:{DEVELOPMENT_KEY}"), embedded=False)
