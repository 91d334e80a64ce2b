import hashlib
import hmac

import pytest

from exchange.domain.identity import IdentityError, parse_subject
from exchange.errors import FatalError
from exchange.pseudonym import DEVELOPMENT_KEY, PersonKeys, load_person_keys, person_subject, person_subjects
from exchange.settings import Settings

OLD, NEW = "11" * 32, "22" * 32
ID = "440000190001010019"


def settings(keys: str) -> Settings:
    return Settings(person_keys=keys)


def test_a_pseudonym_is_the_keyed_hash_of_the_id() -> None:
    expected = hmac.new(bytes.fromhex(OLD), ID.encode(), hashlib.sha256).hexdigest()[:32]
    subject = person_subject(ID, PersonKeys.parse(f"k1:{OLD}"))
    assert subject == f"person:k1.{expected}"
    assert parse_subject(subject) == subject


def test_every_writing_of_an_id_is_one_person() -> None:
    keys = PersonKeys.parse(f"k1:{OLD}")
    writings = ("440000190001010019", "４４００００１９０００１０１００１９", "440000 19000101 0019", "440000000101001")
    assert len({person_subject(writing, keys) for writing in writings}) == 1
    assert person_subject("44000019500108001x", keys) == person_subject("44000019500108001X", keys)


def test_rotation_takes_the_newest_and_still_finds_the_old() -> None:
    before, after = PersonKeys.parse(f"k1:{OLD}"), PersonKeys.parse(f"k2:{NEW},k1:{OLD}")
    assert person_subject(ID, after).startswith("person:k2.")
    assert person_subjects(ID, after)[1] == person_subject(ID, before)


@pytest.mark.parametrize(
    "text", ["k1", "k1:zz", "k1:1234", f"K1:{OLD}", f"k1:{OLD},k1:{NEW}", f"k1:{OLD}1", f"{OLD}", f"k.1:{OLD}"]
)
def test_bad_keys_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(FatalError) as caught:
        PersonKeys.parse(text)
    assert caught.value.code == "bad_person_keys"
    assert OLD not in caught.value.line()


def test_without_keys_only_the_embedded_stack_works() -> None:
    assert person_subject(ID, load_person_keys(settings(""), embedded=True)).startswith("person:dev.")
    with pytest.raises(FatalError) as caught:
        load_person_keys(settings(""), embedded=False)
    assert caught.value.code == "no_person_keys"
    assert "CREDITBUS_PERSON_KEYS" in caught.value.line()


def test_the_development_key_is_refused_elsewhere_under_any_name() -> None:
    with pytest.raises(FatalError) as caught:
        load_person_keys(settings(f"k2:{NEW},prod:{DEVELOPMENT_KEY}"), embedded=False)
    assert caught.value.code == "development_key"


def test_a_wrong_id_is_not_repeated_in_the_error() -> None:
    with pytest.raises(IdentityError) as caught:
        person_subject("440000190001010018", PersonKeys.parse(f"k1:{OLD}"))
    assert "4400" not in str(caught.value)


def test_keys_are_not_shown() -> None:
    keys = PersonKeys.parse(f"k1:{OLD}")
    assert OLD not in repr(keys)
    assert OLD not in repr(settings(f"k1:{OLD}"))
    assert "1111" not in repr(keys)
