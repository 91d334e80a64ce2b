"""A department's own submissions: what became of them, rejects with reasons, correction in the page; uploads with a report of every row."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import producers.samples
from consumers.portal.workspace.uploads import Uploads
from deploy.portal_imports import FileImporter
from deploy.portal_workspace import UPLOADS
from exchange.domain.access import Role, Visitor
from exchange.domain.synthetic import synthetic_uscc
from tests.e2e.bus import LiveBus, live_bus
from tests.waiting import wait_until
from tests.working import FIN, TAX, TODAY, Workspace, feed_done, filled, officer, workspace_on
from tests.worlds import FIRM

pytestmark = pytest.mark.servers
ROOM = f"/workspace/{TAX}"
HEADER = "名单代码,认定文号,主体名称,统一社会信用代码,列入日期\n"
SAMPLES = Path(producers.samples.__file__).parent / "files"


class Office(NamedTuple):
    """An officer of gd.tax at the workspace of a live bus, and its home folder."""

    bus: LiveBus
    workspace: Workspace
    home: Path


@pytest.fixture(scope="module")
def office(new_bus: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder: Path = tmp_path_factory.mktemp("office")
    with live_bus(new_bus(), folder, TODAY) as bus, workspace_on(bus.settings, folder, officer(TAX)) as workspace:
        yield Office(bus, workspace, folder)


@pytest.fixture(autouse=True)
def _officer(office: Office) -> None:
    office.workspace.as_visitor(officer(TAX))


def reject(office: Office, document: str, **changes: Any) -> None:
    """A listing that breaks a rule lies on the department's topic, as an own Kafka client may have put it there."""
    record = office.bus.record(FIRM, document, list_code="TAX", department=TAX) | changes
    office.bus.feed([(TAX, "listing", record)])
    office.bus.settle()


def link_of(page: str, document: str) -> str:
    """The address of a rejection in the list."""
    line = next(line for line in page.splitlines() if document in line and "href" in line)
    return line.split('href="')[1].split('"')[0]


def test_what_was_published_shows_what_became_of_it(office: Office) -> None:
    office.bus.listing(TAX, "TAX", FIRM, "粤税失信〔2026〕10号", grounds="1")
    reject(office, "粤税失信〔2026〕11号", division="44")
    page = office.workspace.page(f"{ROOM}/submissions")
    good, bad = page.index("粤税失信〔2026〕10号"), page.index("粤税失信〔2026〕11号")
    assert bad < good, "the newest first"
    assert "已接收" in page[good:]
    assert "行政区划错误" in page[bad:good]


def test_a_rejected_record_is_mended_in_the_page(office: Office) -> None:
    reject(office, "粤税失信〔2026〕12号", division="44", list_code="税")
    place = link_of(office.workspace.page(f"{ROOM}/rejections"), "粤税失信〔2026〕12号")
    page = office.workspace.page(place)
    assert "行政区划错误" in page
    assert "名单代码格式错误" in page
    typed = filled(page)
    assert typed["document"] == "粤税失信〔2026〕12号"
    still = office.workspace.send(place, typed | {"division": "440000", "step": "as_is"}, 422)
    assert "行政区划错误" not in still
    assert "名单代码格式错误" in still
    mended = typed | {"division": "440000", "list_code": "TAX", "step": "next"}
    for _ in range(2):
        assert "已重新报送" in office.workspace.send(place, mended)
    feed_done(office.bus, 2)
    _, _, entries, _ = office.bus.picture(FIRM)
    assert entries[f"listing/{TAX}/粤税失信〔2026〕12号"].versions[""].revision == 2
    page = office.workspace.page(f"{ROOM}/rejections")
    assert "已更正" in page[page.index("粤税失信〔2026〕12号") :]


def test_one_that_was_mended_elsewhere_is_marked_too(office: Office) -> None:
    reject(office, "粤税失信〔2026〕13号", division="44")
    office.bus.listing(TAX, "TAX", FIRM, "粤税失信〔2026〕13号", grounds="1", revision=2)
    office.bus.settle()
    page = office.workspace.page(f"{ROOM}/rejections")
    assert "已更正" in page[page.index("粤税失信〔2026〕13号") :].split("</h2>")[0]


def test_persons_are_known_by_the_departments_own_pseudonym(office: Office) -> None:
    """Neither the bus's pseudonym nor a citizen ID stands on a page; what is sent from the form names the same person again."""
    person, clear = "person:t1.0123456789abcdef0123456789abcdef", "440000190001010019"
    reject(office, "粤税失信〔2026〕15号", subject=person, division="44", remark=f"当事人{clear}")
    reject(office, "粤税失信〔2026〕16号", subject="person:nobody")
    for page in (office.workspace.page(f"{ROOM}/{room}") for room in ("submissions", "rejections")):
        assert "粤税失信〔2026〕15号" in page
        assert clear not in page
        assert "person:t1" not in page
        assert "person:nobody" not in page
    place = link_of(office.workspace.page(f"{ROOM}/rejections"), "粤税失信〔2026〕15号")
    typed = filled(office.workspace.page(place))
    assert typed["subject"].startswith("person-")
    office.workspace.send(place, typed | {"division": "", "remark": "", "step": "as_is"})
    feed_done(office.bus)
    assert f"listing/{TAX}/粤税失信〔2026〕15号" in office.bus.picture(person)[2]


def test_bytes_that_are_no_record_say_so(office: Office) -> None:
    office.bus.feed_raw(TAX, FIRM.encode(), b"\x00\x00\x00\x00\x01 no record")
    office.bus._producer.flush(30)
    office.bus.settle()
    page = office.workspace.page(f"{ROOM}/rejections")
    place = link_of(page, "无法读取的信息")
    assert "请从业务系统重新报送" in office.workspace.page(place)
    office.workspace.send(place, {"document": "x"}, 400)


@pytest.mark.parametrize("place", ["0-999999", "99-0", "x-1", "1", "0--1"])
def test_a_place_where_nothing_lies(office: Office, place: str) -> None:
    assert office.workspace.client.get(f"{ROOM}/rejections/{place}").status_code in (400, 404)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def bring(office: Office, name: str, raw: bytes) -> str:
    """Upload a file and wait until it is dealt with; the address of its page."""
    answer = office.workspace.client.post(f"{ROOM}/uploads", files={"file": (name, raw)}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    place = str(answer.headers["location"])
    wait_until(lambda: 'http-equiv="refresh"' not in office.workspace.page(place))
    return place


def line(number: int, document: str, code: str = "") -> str:
    return f"TAX,{document},合成第{number:05d}号有限公司,{code or synthetic_uscc(number)},2026-03-05\n"


def test_a_file_goes_onto_the_bus_with_a_report_of_every_row(office: Office) -> None:
    raw = (HEADER + line(21, "上传1号") + line(22, "=1+1", "91440300PDY00001X4") + line(23, "上传3号")).encode()
    place = bring(office, "名单.csv", raw)
    page = office.workspace.page(place)
    assert "已完成" in page
    rows = rows_of(office.workspace.page(f"{place}/report.csv"))
    assert [(row["line"], row["result"]) for row in rows] == [("2", "good"), ("3", "bad"), ("4", "good")]
    assert rows[0]["document"] == "上传1号"
    assert "uscc" in rows[1]["code"]
    feed_done(office.bus, 2)
    assert f"listing/{TAX}/上传3号" in office.bus.picture(f"org:{synthetic_uscc(23)}")[2]
    again = office.workspace.page(bring(office, "名单.csv", raw))
    assert "没有重复报送" in again
    assert not list((office.home / UPLOADS).glob("*/file*")), "what may name persons does not stay"


def test_a_spreadsheet_goes_onto_the_bus(office: Office) -> None:
    place = bring(office, "licences.xlsx", (SAMPLES / "licences-2018.xlsx").read_bytes())
    page = office.workspace.page(place)
    assert "已完成" in page
    assert {row["result"] for row in rows_of(office.workspace.page(f"{place}/report.csv"))} == {"good", "bad"}
    feed_done(office.bus, office.workspace.parts.uploads.of(TAX)[0].records)


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("a.csv", b"", "文件为空"),
        ("a.exe", b"MZ", "只接受"),
        ("a.xlsx", b"PK\x03\x04 broken", "已损坏"),
    ],
)
def test_what_is_no_table_is_refused_beside_the_field(office: Office, name: str, raw: bytes, says: str) -> None:
    answer = office.workspace.client.post(f"{ROOM}/uploads", files={"file": (name, raw)})
    assert answer.status_code == 422
    assert says in answer.text


def test_no_file_and_oversize_are_refused(office: Office) -> None:
    assert "未选择文件" in office.workspace.send(f"{ROOM}/uploads", {"csrf_token": ""}, 422)
    limit = office.workspace.parts.portal.settings.upload_bytes
    answer = office.workspace.client.post(f"{ROOM}/uploads", files={"file": ("a.csv", b"x" * (limit + 1_100_000))})
    assert answer.status_code == 413

    def pieces() -> Iterator[bytes]:
        yield b"--b\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert office.workspace.client.post(f"{ROOM}/uploads", content=pieces(), headers=headers).status_code == 411


def test_a_file_without_a_known_header_fails_and_says_why(office: Office) -> None:
    page = office.workspace.page(bring(office, "b.csv", b"eins,zwei\n1,2\n"))
    assert 'role="alert"' in page


def test_what_was_under_way_when_the_portal_died_goes_on(office: Office) -> None:
    """A portal that stands still is a dead one: its upload is taken by the next."""
    folder = office.home / "elsewhere"
    settings = office.workspace.parts.portal.settings
    dead = Uploads(folder, FileImporter(settings, embedded=True))
    source = office.home / "list.csv"
    source.write_text(HEADER + "".join(line(number, f"续传{number}号") for number in range(100, 140)), "utf-8")
    taken = dead.take(TAX, "li", "list.csv", source)
    with Uploads(folder, FileImporter(settings, embedded=True)) as living:
        wait_until(lambda: (found := living.find(TAX, taken.id)) is not None and found.is_over)
        found = living.find(TAX, taken.id)
        assert found is not None
        assert (found.rows, found.bad, found.records) == (40, 0, 40)
    feed_done(office.bus, 40)


def test_quality_counts_what_was_published(office: Office) -> None:
    reject(office, "粤税失信〔2026〕14号", division="44")
    page = office.workspace.page(f"{ROOM}/quality")
    for what in ("退回原因", "行政区划错误", "更新周期", "图表数据", "按期公示", "完整率"):
        assert what in page


@pytest.mark.parametrize("room", ["submissions", "rejections", "rejections/0-0", "uploads", "quality"])
def test_nobody_elses(office: Office, room: str) -> None:
    office.workspace.as_visitor(officer(FIN)).page(f"{ROOM}/{room}", 403)
    office.workspace.as_visitor(Visitor()).page(f"{ROOM}/{room}", 403)
    own = office.workspace.as_visitor(officer(FIN)).page(f"/workspace/{FIN}/{room.split('/', maxsplit=1)[0]}")
    assert "粤税失信" not in own


def test_an_upload_of_another_department_is_not_found(office: Office) -> None:
    place = bring(office, "c.csv", (HEADER + line(31, "上传31号")).encode())
    feed_done(office.bus)
    office.workspace.as_visitor(officer(FIN)).page(place.replace(TAX, FIN), 404)
    office.workspace.as_visitor(Visitor(role=Role.AUDITOR, account="audit")).page(place)
    assert office.workspace.client.post(f"{ROOM}/uploads", files={"file": ("a.csv", b"x")}).status_code == 403
