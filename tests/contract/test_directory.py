"""One suite for the directory on disk, in PostgreSQL, and for its in-memory twin."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exchange.directory import FIRST, DirectoryKeeper, Filed, Intake
from exchange.directory_keeper import SqliteKeeper
from exchange.directory_memory import MemoryDirectory
from exchange.directory_postgres_keeper import PostgresKeeper
from exchange.errors import RequestError
from exchange.fed_folder import Bus
from exchange.records.words import SubjectKind, SubjectStatus
from tests.enrolments import amended, registered
from tests.postgres import RunningPostgres

BUS = Bus("credit", 4, "cluster")


@pytest.fixture(params=["memory", "disk", "postgres"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DirectoryKeeper]:
    keeper: DirectoryKeeper = MemoryDirectory()
    if request.param == "disk":
        keeper = SqliteKeeper(tmp_path / "directory", BUS)
    elif request.param == "postgres":
        postgres: RunningPostgres = request.getfixturevalue("postgres")
        keeper = PostgresKeeper(postgres.new_schema(), BUS)
    with closing(keeper):
        yield keeper


def found(directory: DirectoryKeeper, text: str, **among: object) -> list[str]:
    return [hit.subject for hit in directory.search(text, limit=50, **among).hits]  # type: ignore[arg-type]


def test_nothing_is_known_at_first(directory: DirectoryKeeper) -> None:
    assert directory.offsets() == {}
    assert directory.search("科技").hits == ()
    assert directory.details([("gd.tax", 0, 7)]) == {}


def test_found_by_any_two_characters_and_more(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(registered=[registered(1, "广东建明科技有限公司"), registered(2, "深圳市合成贸易商行")]))
    for text in (
        "广东",
        "科技",
        "公司",
        "建明科",
        "明科技有限",
        "广东建明科技有限公司",
        " 广东 建明",
        "（广东）建明科技",
    ):
        assert found(directory, text) == ["org:1"], text
    for text in ("东明", "贸易科技", "有限公司广东", "司广"):
        assert found(directory, text) == [], text


def test_found_by_pinyin_initials(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(registered=[registered(1, "广东建明科技有限公司"), registered(2, "重庆ABC360科技")]))
    for text in ("gd", "GDJM", "gdjmkjyxgs", "jmkj", "yxgs"):
        assert found(directory, text) == ["org:1"], text
    for text in ("cqabc", "360kj", "ABC360", "ａｂｃ"):
        assert found(directory, text) == ["org:2"], text
    assert found(directory, "kj") == ["org:1", "org:2"]


def test_found_by_codes(directory: DirectoryKeeper) -> None:
    one = registered(1, "甲公司", subject="org:91440300PDY00001X3", aliases=("reg:440301100000017", "soc:粤社证0001"))
    directory.keep(Intake(registered=[one, registered(2, "914403乙公司")]))
    for text in (
        "91440300PDY00001X3",
        "91440300pdy",
        "440301",
        "４４０３０１１００００００１７",
        "粤社证0001",
        "91440300-PDY0",
    ):
        assert found(directory, text) == ["org:91440300PDY00001X3"], text
    assert found(directory, "9144030") == ["org:91440300PDY00001X3"], "a code comes before what is in names"
    assert found(directory, "91440") == ["org:2"], "too short for a code"


def test_the_text_itself_comes_first_then_what_begins_with_it(directory: DirectoryKeeper) -> None:
    names = ["深圳华信公司", "华信公司", "华信公司深圳分公司", "广东华信公司"]
    directory.keep(Intake(registered=[registered(number, name) for number, name in enumerate(names)]))
    assert found(directory, "华信公司") == ["org:1", "org:2", "org:0", "org:3"]


def test_the_order_is_the_same_when_very_many_contain_the_text(directory: DirectoryKeeper) -> None:
    many = [registered(number, f"某{number:03}华信公司") for number in range(150)]
    best = [registered(200, "华信公司深圳分公司"), registered(201, "华信公司")]
    directory.keep(Intake(registered=[*many, *best]))
    for text, first in (("华信公司", ["org:201", "org:200"]), ("hxgs", ["org:201", "org:200"])):
        assert found(directory, text)[:2] == first
        pages = [directory.search(text, limit=40, offset=offset).hits for offset in range(0, 160, 40)]
        assert len({hit.subject for page in pages for hit in page}) == 152


def test_the_order_is_the_same_when_very_many_begin_with_the_text(directory: DirectoryKeeper) -> None:
    many = [registered(number, f"华信{number:03}公司") for number in range(100, 250)]
    others = [registered(number, f"某{number}华信公司") for number in range(300, 310)]
    directory.keep(Intake(registered=[*others, *many, registered(400, "华信")]))
    for text in ("华信", "hx"):
        pages = [directory.search(text, limit=30, offset=offset) for offset in range(0, 180, 30)]
        hits = [hit.subject for page in pages for hit in page.hits]
        assert hits == ["org:400", *(f"org:{number}" for number in [*range(100, 250), *range(300, 310)])], text
        assert [page.total_at_least for page in pages] == [31, 61, 91, 121, 151, 161]


def test_hits_say_who_it_is(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(registered=[registered(1, "甲乙公司", division="440305", kind=1, status=2)]))
    (hit,) = directory.search("甲乙").hits
    assert hit == ("org:1", "甲乙公司", "440305", SubjectKind.SELF_EMPLOYED, SubjectStatus.REVOKED)


def test_among_a_division_and_a_kind(directory: DirectoryKeeper) -> None:
    where = {1: "440305", 2: "440306", 3: "440111", 4: "110101", 5: ""}
    directory.keep(
        Intake(registered=[registered(n, "甲乙公司", subject=f"org:914400{n}", division=d, kind=n % 2) for n, d in where.items()])
    )  # fmt: skip
    for text in ("甲乙", "914400"):
        for division, numbers in {"440305": "1", "440300": "12", "440000": "123", "110000": "4", "310000": ""}.items():
            assert found(directory, text, division=division) == [f"org:914400{n}" for n in numbers], (text, division)
        assert found(directory, text, kind=SubjectKind.SELF_EMPLOYED) == ["org:9144001", "org:9144003", "org:9144005"]
        assert found(directory, text, kind=SubjectKind.ENTERPRISE, division="440300") == ["org:9144002"]
        assert found(directory, text, kind=SubjectKind.OTHER) == []


def test_pages(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(registered=[registered(n, f"甲乙{n:02}公司") for n in range(25)]))
    seen = []
    for offset, at_least in ((0, 11), (10, 21), (20, 25)):
        page = directory.search("甲乙", limit=10, offset=offset)
        assert page.total_at_least == at_least
        seen += [hit.subject for hit in page.hits]
    assert sorted(seen) == sorted(f"org:{n}" for n in range(25))
    assert directory.search("甲乙", limit=10, offset=30) == ((), 0), "beyond the last page"


def test_nobody_pages_through_the_whole_register(directory: DirectoryKeeper) -> None:
    assert directory.search("甲乙", limit=100, offset=9900) == ((), 0)
    with pytest.raises(RequestError) as refused:
        directory.search("甲乙", limit=100, offset=9901)
    assert refused.value.code == "search_too_deep"


@pytest.mark.parametrize("text", ["", "甲", " a ", "、。", "（甲）"])
def test_a_text_too_short_is_refused(directory: DirectoryKeeper, text: str) -> None:
    with pytest.raises(RequestError, match="fewer than 2") as refused:
        directory.search(text)
    assert refused.value.code == "search_text_short"


@pytest.mark.parametrize(
    "text",
    ['"甲乙', "甲乙*", "甲乙 OR 公司", "-甲乙", "甲乙' --", "{pieces}:甲乙", "NEAR(甲乙)", "\ue002k0", "\x00甲乙"],
)
def test_nothing_in_a_text_is_the_index_own_language(directory: DirectoryKeeper, text: str) -> None:
    directory.keep(Intake(registered=[registered(1, "甲乙公司"), registered(2, "丙丁公司")]))
    try:
        assert set(found(directory, text)) <= {"org:1"}
    except RequestError as error:
        assert error.code == "search_text_short"  # noqa: PT017 # either will do


def test_the_newest_revision_counts_and_former_names_are_found(directory: DirectoryKeeper) -> None:
    directory.keep(
        Intake(registered=[registered(1, "新名公司", revision=2, division="440300"), registered(1, "旧名公司")])
    )
    for text in ("新名", "旧名"):
        assert [hit.name for hit in directory.search(text).hits] == ["新名公司"], text
    directory.keep(Intake(registered=[registered(1, "后名公司", entry="变更", decided_on=9, status=3)]))
    assert [(hit.name, hit.status) for hit in directory.search("旧名").hits] == [("后名公司", SubjectStatus.CANCELLED)]
    assert found(directory, "旧名", division="440300") == []


def test_a_registration_withdrawn_or_successfully_objected_to_leaves(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(registered=[registered(1, "甲乙公司"), registered(2, "甲丙公司")], amended=[amended(1)]))
    directory.keep(Intake(amended=[amended(2, slot="objection/1", voids=False)]))
    assert (found(directory, "甲乙"), found(directory, "甲丙")) == ([], ["org:2"])
    directory.keep(Intake(amended=[amended(2, slot="objection/1", revision=2)]))
    assert found(directory, "甲丙") == found(directory, "org:2") == []
    directory.keep(Intake(amended=[amended(2, slot="objection/1", revision=3, voids=False)]))
    assert found(directory, "甲丙") == ["org:2"]


def test_persons_are_never_found(directory: DirectoryKeeper) -> None:
    directory.keep(
        Intake(registered=[registered(1, "赵钱孙", subject="person:k1.0011", aliases=("reg:440301100000017",))])
    )
    assert found(directory, "赵钱") == found(directory, "k1.0011") == found(directory, "440301100000017") == []


def test_an_older_code_leads_to_whom_it_belongs(directory: DirectoryKeeper) -> None:
    alias = "reg:440301100000017"
    directory.keep(Intake(registered=[registered(1, "早先公司", subject=alias)]))
    assert found(directory, "早先") == [alias]
    directory.keep(Intake(registered=[registered(2, "后来公司", aliases=(alias,), decided_on=5)]))
    assert found(directory, "早先") == found(directory, "440301100000017") == ["org:2"]
    directory.keep(Intake(registered=[registered(3, "更早主张", aliases=(alias,), decided_on=4)]))
    assert found(directory, "早先") == found(directory, "440301100000017") == ["org:3"]
    assert found(directory, "后来") == ["org:2"]


def test_records_by_their_place(directory: DirectoryKeeper) -> None:
    places = [("gd.tax", 0, 7), ("gd.tax", 3, 7), ("gd.fin", 0, 7), ("gd.fin", 0, 2**39)]
    directory.keep(Intake(records=[(place, repr(place).encode()) for place in places], offsets={("gd.tax", 0): 8}))
    asked = [*places, ("gd.tax", 0, 8), ("gd.court", 0, 7)]
    assert directory.details(asked) == {place: repr(place).encode() for place in places}


def test_offsets_go_on_and_never_back(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(offsets={("gd.tax", 0): 8, ("gd.tax", 1): 3}))
    directory.keep(Intake(offsets={("gd.tax", 0): 9}))
    assert {place: offset for place, offset in directory.offsets().items() if offset} == {
        ("gd.tax", 0): 9,
        ("gd.tax", 1): 3,
    }


def filed(
    number: int, *, day: int = 1, kind: str = "penalty", topic: str = "", revision: int = 1, **more: str
) -> Filed:
    given = {"department": "gd.amr", "division": "440305", "subject": f"org:{number}"} | more
    return Filed(
        kind, day, f"{kind}/{given['department']}/{number}", given["subject"], topic, given["department"], given["division"],
        revision, 0,
    )  # fmt: skip


def test_documents_are_paged_by_day_the_newest_first(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(filed=[filed(n, day=n // 2) for n in range(9)]))
    pages, after = [], FIRST
    while page := directory.recent("penalty", after=after, limit=4):
        pages.append([one.subject for one in page])
        after = (page[-1].decided_on, page[-1].entry, page[-1].subject)
    assert pages == [["org:8", "org:7", "org:6", "org:5"], ["org:4", "org:3", "org:2", "org:1"], ["org:0"]]


def test_documents_are_chosen_by_kind_list_department_and_area(directory: DirectoryKeeper) -> None:
    directory.keep(
        Intake(
            filed=[
                filed(1, topic="TAX", kind="listing"), filed(2, topic="SAFE", kind="listing"), filed(3, division="440103"),
                filed(4, department="gd.tax"),
            ]
        )
    )  # fmt: skip
    assert [one.subject for one in directory.recent("listing", topic="TAX")] == ["org:1"]
    assert [one.subject for one in directory.recent("penalty", department="gd.tax")] == ["org:4"]
    assert [one.subject for one in directory.recent("penalty", division="440100")] == ["org:3"]
    assert [one.subject for one in directory.recent("penalty", division="440000")] == ["org:4", "org:3"]


def test_of_one_document_the_newest_revision_is_filed_whatever_the_order(directory: DirectoryKeeper) -> None:
    directory.keep(Intake(filed=[filed(1, day=5, revision=2)]))
    directory.keep(Intake(filed=[filed(1, day=3, revision=1), filed(2, subject="person:k1." + "ab" * 16)]))
    assert [(one.subject, one.decided_on) for one in directory.recent("penalty")] == [("org:1", 5)]


def test_documents_are_counted_by_day(directory: DirectoryKeeper) -> None:
    directory.keep(
        Intake(filed=[filed(1, day=3), filed(2, day=3), filed(3, day=5), filed(4, day=9), filed(5, kind="licence")])
    )
    assert directory.count_by_day("penalty", 2, 8) == {3: 2, 5: 1}
