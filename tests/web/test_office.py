"""The office's pages: hearings, cards, imports, show files, people, tokens; and how they look."""

from __future__ import annotations

import base64
import contextlib
import html
import re
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from server.domain.show import Show
from server.shows.read import read_show
from tests.contract.test_people import PASSWORD, SHOW, Serving, did, make_county, serving
from tests.journeys.browser import AXE, DESKTOP, PHONE, TABLET, look_as, open_page, violations
from tests.moderation.dirty_files import PHONE as PHONE_NUMBER
from tests.moderation.dirty_files import TABLE
from tests.running import Running
from web.pages.office import files_context
from web.pages.office.uploads import Uploads

SEAT = "?seat=office&lang=zh"


@contextmanager
def signed(url: str, link: str) -> Iterator[httpx2.Client]:
    """A browser that went through one of the demonstration's links."""
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as browser:
        assert browser.get(link).status_code == 303
        yield browser


@pytest.fixture
def office(shared_demo: Running) -> Iterator[httpx2.Client]:
    """The demonstration's office."""
    with signed(shared_demo.url, shared_demo.line["links"]["office"]) as browser:
        yield browser


def csv_file(extra: int = 0) -> bytes:
    """The dirty table as a CSV; `extra` rows make it large."""
    rows = [",".join(f'"{cell}"' for cell in row) for row in TABLE]
    rows += [f'"ZZ{n:06}","","","","{"灯" * 300}","2019/3/2","0",""' for n in range(extra)]
    return "\n".join(rows).encode()


# ── who comes in ──


def test_only_people_of_an_office_come_in(shared_demo: Running, office: httpx2.Client) -> None:
    with httpx2.Client(base_url=shared_demo.url, trust_env=False) as nobody:
        for path in ("/office", "/office/people", f"/office/hearings/{shared_demo.slug}"):
            answer = nobody.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/login?next=/office")
    with signed(shared_demo.url, shared_demo.line["links"]["panel"][0]) as panelist:
        assert panelist.get("/office").status_code == 403
    listed = office.get("/office" + SEAT)
    assert listed.headers["cache-control"] == "no-store"
    assert f"/h/{shared_demo.slug}/desk?seat=office" in listed.text
    assert f"/h/{shared_demo.slug}/host?" not in listed.text  # Its roles do not open that page.
    assert office.get("/office/hearings/no-such-hearing" + SEAT).status_code == 404


def test_the_first_account_of_a_browser_is_found_without_being_named(
    shared_demo: Running, office: httpx2.Client
) -> None:
    office.get(shared_demo.line["links"]["panel"][0])  # The same browser is a panelist, too.
    assert office.get("/office").status_code == 200


def test_a_hearing_shows_its_agenda_seats_and_questions(
    shared_demo: Running, office: httpx2.Client
) -> None:
    page = office.get(f"/office/hearings/{shared_demo.slug}{SEAT}").text
    agenda = shared_demo.anyone().get(f"{shared_demo.here}/agenda")
    for item in agenda["items"]:
        assert item["title"] in page
    for subject in agenda["subjects"]:
        assert subject["unit"] in page
    assert page.count('name="seat_number"') == 21
    assert "实到 21 / 应到 21" in page
    assert "12345热线" in page


# ── cards ──


def test_a_card_is_issued_with_its_code_and_picture(
    shared_demo: Running, office: httpx2.Client
) -> None:
    path = f"/office/hearings/{shared_demo.slug}/cards{SEAT}"
    answer = office.post(path, data={"seat_number": "5"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "5 号席" in answer.text
    link = re.search(r"/join/([2-9A-Z]{10})<", answer.text)
    picture = re.search(r'src="data:image/svg\+xml;base64,([\w+/=]+)"', answer.text)
    assert link is not None
    assert picture is not None
    assert base64.b64decode(picture[1]).lstrip().startswith((b"<?xml", b"<svg"))
    with httpx2.Client(base_url=shared_demo.url, trust_env=False) as tablet:
        assert tablet.post(f"/join/{link[1]}").status_code == 303
    page = office.get(f"/office/hearings/{shared_demo.slug}{SEAT}").text
    assert re.search(r'id="card-5"[^>]*>已入场<', page)
    assert office.post(path, data={"seat_number": "99"}).status_code == 422
    assert office.post(path, data={"role": "host"}).status_code == 422
    assert office.get(path).status_code in {404, 405}


def test_a_sheet_leaves_out_the_seats_that_are_taken(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as house:
        county = make_county(house, house.set_up(), "北湾", "bw")
        slug, staff = county.announced, county.browser
        did(staff, "POST", f"/hearings/{slug}/runs", {"kind": "real"})
        path = f"/office/hearings/{slug}/cards"
        codes = re.findall(r"/join/(\w{10})<", staff.post(path, data={"all": "yes"}).text)
        assert len(codes) == 2
        tablet = house.browser()
        assert tablet.post(f"/join/{codes[0]}").status_code == 303
        again = re.findall(r"/join/(\w{10})<", staff.post(path, data={"all": "yes"}).text)
        assert len(again) == 1
        panel = f"/h/{slug}/panel?seat=panel-01"
        assert tablet.get(panel).status_code == 200  # Nobody who sat was thrown out.
        assert tablet.get(f"/join/{codes[1]}").status_code == 404  # The older paper is void.
        staff.post(path, data={"seat_number": "1"})
        assert (
            tablet.get(panel).status_code == 401
        )  # Reissued: the newest tablet sits; this one is a spare.


def test_cards_of_unnamed_seats_bear_the_group_alone_and_are_shuffled(
    shared_demo: Running, office: httpx2.Client
) -> None:
    group = "  - {{number: {n}, group: deputies}}\n"
    show = (
        "title: 无名场次\nslug: unnamed\noffice: 办\n"
        "subjects: [{key: a, name: 甲, post: 长, unit: 局}]\n"
        "items: [{key: one, title: 开场, steps: [{key: opening}]}]\n"
        "groups: [{key: deputies, name: 人大代表, weight: '1'}]\nseats:\n"
        + "".join(group.format(n=n) for n in range(1, 31))
    )
    shared_demo.as_("office").do("POST", "/offices/1/hearings", {"text": show})
    text = office.post(f"/office/hearings/unnamed/cards{SEAT}", data={"all": "yes"}).text
    codes = re.findall(r"/join/(\w{10})<", text)
    assert len(codes) == 30
    assert "人大代表" in text
    assert "无名卡" in text
    assert "号席" not in text
    with contextlib.closing(sqlite3.connect(shared_demo.data / "pingyi.db")) as database:
        cards = database.execute(
            "SELECT seats.number FROM cards JOIN seats ON seats.id = cards.seat_id"
            " JOIN hearings ON hearings.id = cards.hearing_id"
            " WHERE hearings.slug = 'unnamed' ORDER BY cards.id"
        ).fetchall()
    issued = [number for (number,) in cards]
    assert sorted(issued) == list(range(1, 31))
    assert issued != sorted(issued)


# ── import ──


def test_an_import_is_previewed_then_done(demo: Running) -> None:
    with signed(demo.url, demo.line["links"]["office"]) as office:
        path = f"/office/hearings/{demo.slug}/import"
        # The screener goes on meanwhile: how many there are is what an import would change.
        before = sum(demo.as_("moderator").get(f"{demo.here}/desk/questions")["counts"].values())
        sent = {"source": "hotline-12345"}
        file = {"file": ("C:\\工单\\orders.csv", csv_file(), "text/csv")}
        seen = office.post(path + SEAT, data=sent, files=file)
        assert seen.status_code == 200, seen.text
        assert PHONE_NUMBER not in seen.text
        assert "柳拾遗" not in seen.text
        assert "C:" not in seen.text
        figures = re.findall(r'class="figure num[^"]*">(\d+)<', seen.text)
        assert figures == ["10", "5", "0", "1", "4"]  # rows, new, updated, unchanged, refused
        for column, meaning in (("工单编号", "external_id"), ("主要内容", "content")):
            assert re.search(rf'name="map.{column}".*?value="{meaning}" selected', seen.text)
        assert "不认识，原样保留" in seen.text
        opened = office.get(path + SEAT)  # As whoever comes back to this address does.
        assert opened.status_code == 303
        assert opened.headers["location"].startswith(f"/office/hearings/{demo.slug}?")
        assert "诉求内容为空" in seen.text
        assert "工单编号与第 8 行相同而内容不同" in seen.text
        counts = demo.as_("moderator").get(f"{demo.here}/desk/questions")["counts"]
        assert sum(counts.values()) == before  # Nothing is written yet.
        kept = list((demo.data / "uploads").iterdir())
        assert {one.suffix for one in kept} >= {".items", ".stand"}
        assert {stat.S_IMODE(one.stat().st_mode) for one in kept} == {0o600}
        for one in kept:
            if one.suffix in {".items", ".stand"}:
                assert PHONE_NUMBER.encode() not in one.read_bytes()
        second = re.search(rf"{path}/([0-9a-f]{{32}})", seen.text)
        assert second is not None
        address = f"{path}/{second[1]}{SEAT}"
        other = office.post(address, data={"source": "mayor-mailbox"})
        assert other.status_code == 409  # Not what was previewed.
        done = office.post(address, data={**sent, "name": "orders.csv"})
        assert done.status_code == 200, done.text
        assert "已导入" in done.text
        assert [one.suffix for one in (demo.data / "uploads").iterdir()] == [".stand"]
        told = office.post(address, data={**sent, "act": "refused"})
        assert len(told.content.decode("utf-8-sig").splitlines()) == 5  # Also of what is done.
        assert office.get(address).text.count("已导入") > 0  # Reloaded, it says the same.
        assert "已导入" in office.post(address, data=sent).text  # Pressed once more.
        again = office.post(path + SEAT, data=sent, files=file).text
        assert re.findall(r'class="figure num[^"]*">(\d+)<', again) == ["10", "0", "0", "6", "4"]
        found = demo.as_("moderator").get(f"{demo.here}/desk/questions?q=五楼没有水")["items"]
        assert len(found) == 1


def test_columns_are_given_their_meaning_and_the_source_remembers(
    demo: Running, tmp_path: Path
) -> None:
    file = "编号,事由,情况说明,=备注\nM-1,路灯,东街路灯不亮。,甲\nM-2,,,乙\n,噪声,夜间施工。,丙\n".encode()
    with signed(demo.url, demo.line["links"]["office"]) as office:
        path = f"/office/hearings/{demo.slug}/import"
        sent = {"source": "district-hotline", "name": "a.csv"}
        asked = office.post(path + SEAT, data=sent, files={"file": ("a.csv", file)})
        assert asked.status_code == 422
        assert "找不到诉求内容列" in asked.text
        chosen = {"map.编号": "external_id", "map.情况说明": "content", "map.=备注": ""}
        first = re.search(rf"{path}/[0-9a-f]{{32}}", asked.text)
        assert first is not None
        again = office.post(first[0] + SEAT, data={**sent, **chosen, "act": "columns"})
        assert re.findall(r'class="figure num[^"]*">(\d+)<', again.text)[:2] == ["3", "1"]
        known = file.replace("编号".encode(), "工单编号".encode(), 1).replace(
            "情况说明".encode(), "诉求内容".encode(), 1
        )
        seen = office.post(path + SEAT, data=sent, files={"file": ("a.csv", known)}).text
        address = re.search(rf"{path}/[0-9a-f]{{32}}", seen)
        assert address
        meant = {"map.工单编号": "external_id", "map.诉求内容": "content", "map.事由": "title",
                 "map.=备注": ""}  # fmt: skip
        again = office.post(address[0] + SEAT, data={**sent, **meant, "act": "columns"})
        assert re.search(r'name="map.事由".*?value="title" selected', again.text)
        counts = demo.as_("moderator").get(f"{demo.here}/desk/questions?source=district-hotline")
        assert counts["items"] == []  # Nothing is written by trying.
        told = office.post(address[0] + SEAT, data={**sent, **meant, "act": "refused"})
        assert told.headers["content-type"].startswith("text/csv")
        lines = told.content.decode("utf-8-sig").splitlines()
        assert lines[0] == "第几行,列,原因"
        assert [line.split(",")[:2] for line in lines[1:]] == [["3", "诉求内容"], ["4", "工单编号"]]
        wrong = {**meant, "map.事由": "content"}
        refused = office.post(address[0] + SEAT, data={**sent, **wrong, "act": "columns"})
        assert refused.status_code == 422
        assert "含义相同" in refused.text
        done = office.post(address[0] + SEAT, data={**sent, **meant, "act": "import"})
        assert "已导入" in done.text
        # The next file of this source is read so by itself, whatever columns it has beside.
        later = known.replace(b"M-1", b"M-9").replace("=备注".encode(), "批次".encode())
        seen = office.post(path + SEAT, data=sent, files={"file": ("b.csv", later)}).text
        assert re.search(r'name="map.事由".*?value="title" selected', seen)


def test_a_refused_row_is_no_formula() -> None:
    assert files_context.cell("=1+1") == "'=1+1"
    assert files_context.cell("＠x") == "'＠x"
    assert files_context.cell("工单编号") == "工单编号"


def test_a_file_that_cannot_be_read_is_told(shared_demo: Running, office: httpx2.Client) -> None:
    path = f"/office/hearings/{shared_demo.slug}/import{SEAT}"
    for source, content, said in (
        ("hotline-12345", b"%PDF-1.4", "不是 CSV"),
        ("hotline-12345", "甲,乙\n1,2".encode(), "找不到诉求内容列"),
        ("Hotline!", csv_file(), "来源代码有误"),
        ("hotline-12345", b"", "请选择要导入的文件"),
    ):
        answer = office.post(path, data={"source": source}, files={"file": ("a.csv", content)})
        assert answer.status_code == 422
        assert said in answer.text


def test_large_files_are_taken_here_and_nowhere_else(
    shared_demo: Running, office: httpx2.Client
) -> None:
    large = csv_file(extra=4000)
    assert len(large) > 3_000_000
    office.follow_redirects = True
    path = f"/office/hearings/{shared_demo.slug}/import{SEAT}"
    source = {"source": "hotline-12345"}
    taken = office.post(path, data=source, files={"file": ("a.csv", large)})
    for _ in range(200):  # How far it is stands on a page of its own, until it was read.
        assert taken.status_code == 200
        if 'id="moving"' not in taken.text:
            break
        time.sleep(0.2)
        taken = office.get(str(taken.url))
    assert "4010" in taken.text
    office.follow_redirects = False
    elsewhere = office.post("/office/new" + SEAT, files={"file": ("a.yaml", large)})
    assert elsewhere.status_code == 413
    too_large = office.post(path, data=source, files={"file": ("a.csv", b"," * (66 << 20))})
    assert too_large.status_code == 413


def test_an_upload_belongs_to_who_sent_it(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    id_ = uploads.keep(b"words", "me a-hearing hotline-12345")
    assert uploads.read(id_, "me a-hearing hotline-12345") == b"words"
    assert uploads.read(id_, "you a-hearing hotline-12345") is None
    assert uploads.read("../" + id_, "me a-hearing hotline-12345") is None
    uploads.drop(id_, "me a-hearing hotline-12345")
    assert uploads.read(id_, "me a-hearing hotline-12345") is None


# ── a new hearing ──


def test_a_show_file_is_checked_then_made(shared_demo: Running, office: httpx2.Client) -> None:
    path, text = "/office/new" + SEAT, SHOW.format(place="东湖", slug="donghu")
    wrong = text.replace("seconds: 300", "seconds: 5:00").replace("title: 东湖述", "titel: 东湖述")
    told = office.post(path, data={"text": wrong, "act": "create"})
    assert told.status_code == 422
    assert "items[1].steps[1].seconds" in told.text
    assert re.search(r'<td class="num">\d+</td>', told.text)
    # What was typed is kept, and the line break that a browser drops comes before it, so that
    # the lines in the text are the lines that are told.
    assert wrong.startswith("\ntitel")
    assert 'aria-describedby="text-told">\n\ntitel' in told.text
    assert "东湖代表" in told.text
    form = {"text": text, "office": "1", "slug": "donghu-2"}
    checked = office.post(path, data={**form, "act": "check"})
    assert checked.status_code == 200
    assert "检查通过" in checked.text
    assert office.get("/office/hearings/donghu-2" + SEAT).status_code == 404
    made = office.post(path, data={**form, "act": "create"})
    assert made.status_code == 303
    assert made.headers["location"].startswith("/office/hearings/donghu-2?")
    page = office.get(made.headers["location"]).text
    assert "草稿" in page
    assert "/h/donghu-2/qr.svg" not in page
    again = office.post(path, data={**form, "act": "create"})
    assert again.status_code == 409
    assert "已被使用" in again.text
    file = {"file": ("show.yaml", SHOW.format(place="西湖", slug="xihu").encode())}
    by_file = office.post(path, data={"office": "1", "act": "create"}, files=file)
    assert by_file.headers["location"].startswith("/office/hearings/xihu?")


def test_whoever_begins_a_hearing_finds_an_example_and_the_format(
    shared_demo: Running, office: httpx2.Client
) -> None:
    for lang, word in (("zh", "述法人"), ("en", "subjects")):
        page = office.get(f"/office/new?seat=office&lang={lang}").text
        link = re.search(r'href="(/office/new/example[^"]*)" download', page)
        assert link
        answer = office.get(html.unescape(link[1]))
        assert 'filename="show.yaml"' in answer.headers["content-disposition"]
        assert read_show(answer.content).language == lang
        assert word in answer.text
        told = re.findall(r'<dt class="code">([^<]+)', page)
        keys = {key for line in told for key in line.split(" · ")}
        needed = {f.name for f in fields(Show) if f.default is MISSING}
        assert needed <= keys <= {f.name for f in fields(Show)}, needed - keys
        check = {"text": answer.text, "office": "1", "act": "check"}
        assert office.post("/office/new" + SEAT, data=check).status_code == 200
    with httpx2.Client(base_url=shared_demo.url, trust_env=False) as nobody:
        assert nobody.get("/office/new/example").status_code == 303


# ── in a browser ──


@dataclass
class City:
    """A server with its people signed in (who signs in six times within minutes is slowed down)."""

    serving: Serving
    people: dict[str, httpx2.Client]

    @property
    def url(self) -> str:
        return self.serving.url


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city with a county, its people and two hearings."""
    with serving(tmp_path_factory.mktemp("office") / "data") as found:
        root = found.set_up()
        county = make_county(found, root, "北湾", "bw")
        yield City(found, {"root": root, "bw-office": county.browser})


def entered(browser: Browser, house: City, login: str, **how: object) -> BrowserContext:
    """A browser context that is signed in already."""
    context = browser.new_context(**how)  # type: ignore[arg-type]
    for name, value in house.people[login].cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": house.url}])
    return context


def press(page: Page, name: str) -> None:
    """Holds a button for the second that it wants."""
    button = page.get_by_role("button", name=name)
    button.hover()
    page.mouse.down()
    page.wait_for_timeout(1300)
    page.mouse.up()


def test_a_role_in_one_hearing_opens_that_hearing_alone(house: City) -> None:
    staff = house.people["bw-office"]
    who = {"office": 2, "login": "bw-mod", "name": "北湾审核", "password": PASSWORD}
    account = did(staff, "POST", "/accounts", who)["id"]
    grant = {"account": account, "role": "moderator", "office": 2, "hearing": "bw-draft"}
    did(staff, "POST", "/grants", grant)
    browser = house.serving.signed_in("bw-mod")
    listed = browser.get("/office").text
    assert "/office/hearings/bw-draft" in listed
    assert "bw-open" not in listed
    page = browser.get("/office/hearings/bw-draft").text
    assert "试读" in page
    assert "seat_number" not in page
    assert "data-held" not in page
    assert browser.get("/office/hearings/bw-open").status_code == 404
    for path in ("/office/people", "/office/tokens", "/office/new"):
        assert browser.get(path).status_code == 403
    cards = browser.post("/office/hearings/bw-draft/cards", data={"seat_number": "1"})
    assert cards.status_code == 403


@pytest.mark.system
def test_the_first_administrator_takes_on_the_offices_work_with_one_press(
    browser: Browser, tmp_path: Path
) -> None:
    with serving(tmp_path / "data") as fresh:
        city = City(fresh, {"root": fresh.set_up()})
        context = entered(browser, city, "root", viewport=PHONE)
        page, errors = open_page(context, f"{fresh.url}/office")
        expect(page.get_by_role("link", name="新建场次")).to_have_count(0)
        assert not violations(page)
        page.get_by_role("button", name="由我承担办公室工作").click()
        page.get_by_role("link", name="新建场次").click()
        expect(page.get_by_role("heading", name="新建场次", level=1)).to_be_visible()
        page.goto(f"{fresh.url}/office")
        expect(page.get_by_text("下一步：建立第一个场次")).to_have_count(0)
        assert not errors
        context.close()


@pytest.mark.system
def test_people_tokens_and_offices_by_hand(browser: Browser, house: City) -> None:
    context = entered(browser, house, "root")
    page, errors = open_page(context, f"{house.url}/office/people")
    page.get_by_label("上级机构").select_option(label="云澜市依法治市办")
    page.get_by_label("机构名称").fill("澜江县依法治县办")
    page.get_by_role("button", name="增设", exact=True).click()
    expect(page.get_by_role("heading", name="澜江县依法治县办")).to_be_visible()
    page.get_by_label("机构", exact=True).select_option(label="澜江县依法治县办")
    page.get_by_label("姓名").fill("祁知远")
    page.get_by_label("登录名").fill("lj-office")
    page.get_by_label("初始密码").fill("ten letters or more")
    page.get_by_role("button", name="建立账号").click()
    person = page.get_by_role("listitem").filter(has_text="lj-office")
    expect(person).to_be_visible()
    expect(page.get_by_label("姓名")).to_have_value("")
    person.get_by_text("授予角色").click()
    person.get_by_label("角色").select_option(label="办公室人员")
    person.get_by_label("范围").select_option(label="澜江县依法治县办")
    page.get_by_label("姓名").fill("没写完")
    person.get_by_role("button", name="授予", exact=True).click()
    revoke = "撤销 祁知远 的角色“办公室人员”（按住一秒）"
    expect(page.get_by_role("button", name=revoke)).to_be_visible()
    expect(page.get_by_label("姓名")).to_have_value("没写完")  # Law 7: only that person moved.
    press(page, revoke)
    expect(page.get_by_role("button", name=revoke)).to_have_count(0)
    page.goto(f"{house.url}/office/tokens")
    page.get_by_label("用途").fill("数据看板")
    page.get_by_role("button", name="建立令牌").click()
    secret = page.locator("[data-secret]")
    expect(secret).to_contain_text("pgy_")
    token = secret.inner_text()
    assert httpx2.get(
        f"{house.url}/api/v1/roles", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ).is_success
    page.reload()
    assert token not in page.content()
    press(page, "撤销令牌“数据看板”（按住一秒）")
    expect(page.get_by_text("已撤销", exact=True).first).to_be_visible()
    assert not errors
    context.close()


@pytest.mark.system
def test_a_county_prepares_its_hearing_by_hand(browser: Browser, house: City) -> None:
    context = entered(browser, house, "bw-office")
    page, errors = open_page(context, f"{house.url}/office/hearings/bw-draft")
    page.get_by_role("button", name="准备就绪").click()
    expect(page.locator("#status")).to_have_text("就绪")
    press(page, "开始演练")
    expect(page.locator("#status")).to_have_text("签到")
    expect(page.get_by_text("演练", exact=True).first).to_be_visible()
    page.get_by_role("button", name="发卡，1 号席").click()
    card = page.get_by_role("dialog")
    expect(card.get_by_text("1 号席")).to_be_visible()
    assert not violations(page)
    link = card.locator(".address").inner_text()
    tablet = house.serving.browser()
    assert tablet.post(link.removeprefix(house.url)).status_code == 303
    card.get_by_role("button", name="返回场次").click()
    expect(page.locator("#present-1")).to_have_text("实到")
    expect(page.locator("#card-1")).to_have_text("已入场")
    press(page, "开始正式场次")
    expect(page.locator("#present-1")).to_have_text("未到")
    assert not errors
    context.close()


LOOKS = {  # Every pair of a size, a theme and a language.
    "zh": ((DESKTOP, "light"), (TABLET, "dark"), (PHONE, "dark")),
    "en": ((DESKTOP, "dark"), (TABLET, "light"), (PHONE, "light")),
}
PAGES = (
    *("/", "/login", "/office", "/office/new", "/office/people", "/office/tokens"),
    *("/office/hearings/bw-open", "/setup/NOSUCHLINK", "/join/NOSUCHCARD"),
)


@pytest.mark.system
@pytest.mark.parametrize("lang", LOOKS)
def test_every_page_is_accessible_and_fits(browser: Browser, house: City, lang: str) -> None:
    context = entered(browser, house, "bw-office", reduced_motion="reduce")
    context.add_init_script(path=AXE)
    context.set_default_timeout(15_000)
    page = context.new_page()
    wrong = []
    for path in PAGES:
        page.goto(f"{house.url}{path}?lang={lang}")
        for size, theme in LOOKS[lang]:
            look_as(page, size, theme)
            seen = f"{path} {size['width']} {theme}"
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            wrong += [f"{seen}: {one}" for one in violations(page)]
            wrong += [f"{seen}: {wide} px too wide"] if wide > 1 else []
    if lang == "en":
        page.goto(f"{house.url}/office/people?lang=en")
        chrome = page.locator("nav, label, button, summary, .hint").all_inner_texts()
        told = " ".join(chrome).replace("中文", "")
        wrong += re.findall(r"[\u4e00-\u9fff]+", told.replace("北湾", "").replace("依法治县办", ""))
    assert not wrong
    context.close()
