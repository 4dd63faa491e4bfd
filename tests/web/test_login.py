"""Ways in without a script: the set-up link, signing in, entry cards, and the public's plain forms."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path

import httpx2
import pytest

from tests.contract.test_people import PASSWORD, Serving, did, make_county, serving
from tests.running import Running
from web.pages.login.context import landing, local_path

SETUP = {
    "office": "云澜市依法治市办", "level": "city", "login": "root", "name": "系统员",
    "password": PASSWORD, "again": PASSWORD,
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Serving]:
    """A server that nobody has set up yet."""
    with serving(tmp_path / "data") as found:
        yield found


@pytest.fixture
def stranger(shared_demo: Running) -> Iterator[httpx2.Client]:
    """A browser that the demonstration has never seen."""
    with httpx2.Client(base_url=shared_demo.url, timeout=30, trust_env=False) as browser:
        yield browser


# ── set-up ──


def test_the_first_administrator_sets_up_once(house: Serving) -> None:
    browser = house.browser()
    assert browser.get("/setup/ABCDEFGH23456789").status_code == 404
    for _ in range(2):  # Looking uses nothing up.
        assert browser.get(house.setup).status_code == 200
    for wrong, field in (
        ({"again": "another password"}, "again"),
        ({"password": "short", "again": "short"}, "password"),
        ({"login": "Bad Login"}, "login"),
        ({"office": "  "}, "office"),
    ):
        answer = browser.post(house.setup, data={**SETUP, **wrong})
        assert answer.status_code == 422
        assert f'id="{field}-told" role="alert"' in answer.text
        assert PASSWORD not in answer.text
        assert "系统员" in answer.text  # What was typed is kept.
    answer = browser.post(house.setup, data=SETUP)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/office?seat=account-")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert browser.get(answer.headers["location"]).status_code == 200
    for again in (browser.get(house.setup), browser.post(house.setup, data=SETUP)):
        assert again.status_code == 409
        assert "已经设置过管理员" in again.text


def test_an_expired_setup_link_is_refused_with_its_sentence(house: Serving) -> None:
    with sqlite3.connect(house.data / "pingyi.db") as database:
        database.execute("UPDATE cards SET expires_at = 1")
    database.close()
    answer = house.browser().get(house.setup)
    assert answer.status_code == 409
    assert "已过期" in answer.text


# ── signing in ──


def test_signing_in_and_out(house: Serving) -> None:
    house.set_up()
    browser = house.browser()
    page = browser.get("/office/people")
    assert page.status_code == 303
    assert page.headers["location"].startswith("/login?next=/office/people")
    wrong = browser.post("/login", data={"login": "root", "password": "not the password"})
    assert wrong.status_code == 401
    assert "账号或密码不对" in wrong.text
    assert 'value="root"' in wrong.text
    assert "not the password" not in wrong.text
    right = browser.post(
        "/login", data={"login": "root", "password": PASSWORD, "next": "/office/people"}
    )
    assert right.status_code == 303
    assert right.headers["location"].startswith("/office/people?seat=account-1&")
    assert browser.get(right.headers["location"]).status_code == 200
    kept = dict(browser.cookies)
    assert "本机已登录" in browser.get("/login").text
    assert browser.get("/logout?seat=account-1").status_code in {404, 405}  # Never by a GET.
    out = browser.post("/logout?seat=account-1")
    assert out.status_code == 303
    assert not dict(browser.cookies)
    again = httpx2.get(f"{house.url}/office", cookies=kept, trust_env=False)
    assert again.status_code == 303  # The session is gone, not only its cookie.


def test_guessing_is_slowed_down_and_signing_in_is_not(house: Serving) -> None:
    house.set_up()
    browser = house.browser()
    right = {"login": "root", "password": PASSWORD}
    assert [browser.post("/login", data=right).status_code for _ in range(7)] == [303] * 7
    wrong = {"login": "root", "password": "guess guess guess"}
    seen = [browser.post("/login", data=wrong).status_code for _ in range(5)]
    assert seen == [401] * 5
    for data in (wrong, right):  # Nobody is told any more which of the two it was.
        last = browser.post("/login", data=data)
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) > 0
        assert "太频繁" in last.text
        assert 'value="root"' in last.text
    api = browser.post("/api/v1/sessions", json=right)
    assert api.status_code == 429
    other = browser.post("/login", data={"login": "somebody", "password": "x"})
    assert other.status_code == 401


def test_a_form_from_another_site_is_refused(house: Serving) -> None:
    house.set_up()
    answer = house.browser().post(
        "/login",
        data={"login": "root", "password": PASSWORD},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example",
     "javascript:alert(1)", "evil", "", "/a\nb", " /office"],
)  # fmt: skip
def test_only_addresses_of_this_site_are_gone_to(wanted: str) -> None:
    assert local_path(wanted) == ""
    assert landing(wanted, "account-1", "zh") == "/office?seat=account-1&lang=zh"


def test_a_wanted_page_opens_as_the_person_who_signed_in() -> None:
    assert landing("/h/x/host?seat=old&a=1", "account-7", "en") == (
        "/h/x/host?seat=account-7&a=1&lang=en"
    )


# ── entry cards ──


def test_a_card_seats_a_tablet_once(demo: Running) -> None:
    office = demo.as_("office")
    card = office.do("POST", f"{demo.here}/cards", {"seat": 3})
    with httpx2.Client(base_url=demo.url, trust_env=False) as browser:
        path = f"/join/{card['code']}"
        for _ in range(2):
            shown = browser.get(path)
            assert shown.status_code == 200
            assert "3 号席" in shown.text
            assert "确认入场" in shown.text
            assert not browser.cookies
        used = browser.post(path)
        assert used.status_code == 303
        assert used.headers["location"].startswith(f"/h/{demo.slug}/panel?seat=panel-03")
        assert browser.get(used.headers["location"]).status_code == 200
        for again in (browser.get(path), browser.post(path)):
            assert "已经用过" in again.text
            assert "确认入场" not in again.text
        assert browser.post(path).status_code == 409
        unknown = browser.get("/join/WRONGCARD2")
        assert unknown.status_code == 404
        assert "没有这张入场卡" in unknown.text


def test_a_card_printed_the_evening_before_opens_and_one_of_last_week_does_not(
    shared_demo: Running, stranger: httpx2.Client
) -> None:
    card = shared_demo.as_("office").do("POST", f"{shared_demo.here}/cards", {"seat": 9})
    path = f"/join/{card['code']}"
    hours_pass(shared_demo, 15)
    assert "确认入场" in stranger.get(path).text
    hours_pass(shared_demo, 60)
    for answer in (stranger.get(path), stranger.post(path)):
        assert "已过期，请向现场工作人员换取新卡" in answer.text
        assert "确认入场" not in answer.text
    assert stranger.post(path).status_code == 409
    again = shared_demo.as_("office").do("POST", f"{shared_demo.here}/cards", {"seat": 9})
    assert stranger.post(f"/join/{again['code']}").status_code == 303


def hours_pass(demo: Running, hours: int) -> None:
    """To every card it is so much later; the server's own clock goes on as it is."""
    with sqlite3.connect(demo.data / "pingyi.db", timeout=10) as database:
        database.execute("UPDATE cards SET expires_at = expires_at - ?", (hours * 3_600_000,))
    database.close()


@pytest.mark.parametrize(
    ("role", "page"), [("screen", "stage"), ("card", "card"), ("subject", "podium")]
)
def test_a_device_card_opens_the_first_page_of_its_role(
    shared_demo: Running, stranger: httpx2.Client, role: str, page: str
) -> None:
    card = shared_demo.as_("office").do("POST", f"{shared_demo.here}/cards", {"role": role})
    used = stranger.post(f"/join/{card['code']}")
    assert used.headers["location"].startswith(f"/h/{shared_demo.slug}/{page}?seat={role}")
    assert stranger.get(used.headers["location"]).status_code == 200


def test_a_card_before_check_in_stays_whole(house: Serving) -> None:
    county = make_county(house, house.set_up(), "北湾", "bw")
    staff, slug = county.browser, county.announced
    card = did(staff, "POST", f"/hearings/{slug}/cards", {"seat": 2})
    tablet = house.browser()
    early = tablet.post(f"/join/{card['code']}")
    assert early.status_code == 409
    assert "签到还没有开始" in early.text
    did(staff, "POST", f"/hearings/{slug}/runs", {"kind": "real"})
    assert tablet.post(f"/join/{card['code']}").status_code == 303
    seats = did(staff, "GET", f"/hearings/{slug}/people")["seats"]
    assert [s["present"] for s in seats] == [False, True]


# ── the list, the public's forms ──


def test_home_lists_what_was_announced(house: Serving) -> None:
    county = make_county(house, house.set_up(), "北湾", "bw")
    page = house.browser().get("/")
    assert page.status_code == 200
    assert county.announced in page.text
    assert county.draft not in page.text
    assert "set-cookie" not in page.headers
    sign_in = re.search(r'href="(/login[^"]*)"', page.text)
    assert sign_in is not None
    assert house.browser().get(sign_in[1]).status_code == 200
    assert house.browser().get(f"/h/{county.announced}").status_code == 200


def fresh_minute() -> None:
    """Two presses must fall into one minute."""
    if time.time() % 60 > 55:
        time.sleep(6)


def test_asking_without_a_script(shared_demo: Running, stranger: httpx2.Client) -> None:
    path = f"/h/{shared_demo.slug}/questions"
    refused_with_what_was_typed(stranger, path)
    fresh_minute()
    text = "请问小区消防通道被占，应该由谁来管？"
    sent = stranger.post(path, data={"text": text, "subject": ""})
    assert sent.status_code == 303
    fate = stranger.get(sent.headers["location"])
    assert fate.status_code == 200
    assert "凭证" in fate.text
    assert text not in fate.text
    assert fate.headers["cache-control"] == "no-store"
    again = stranger.post(path, data={"text": text, "subject": ""})
    assert again.headers["location"] == sent.headers["location"]
    other = stranger.post(path, data={"text": text + "谢谢。", "subject": ""})
    assert other.headers["location"] != sent.headers["location"]


def refused_with_what_was_typed(stranger: httpx2.Client, path: str) -> None:
    """Too short, too long, to nobody, from a draft: the form stands there as it was sent."""
    long = "<b>依法</b>&" * 100
    for text, subject, sentence in (
        ("嗯", "city", "至少 2 个字"),
        (long, "city", "最多 500 个字"),
        ("请问谁来管这件事？", "nobody", "没有这位述法人"),
    ):
        answer = stranger.post(path, data={"text": text, "subject": subject})
        assert answer.status_code == 422
        assert answer.headers["cache-control"] == "no-store"
        assert f"{escape(text)}</textarea>" in answer.text
        assert ('value="city" selected' in answer.text) == (subject == "city")
        assert sentence in answer.text
        assert "data-socket" not in answer.text
        assert "<script" not in answer.text  # Plain it began, plain it goes on.
        assert 'name="minute" value="' in answer.text
    plain = stranger.get(path.removesuffix("/questions")).text
    assert '<p class="error" data-error role="alert" hidden></p>' in plain
    assert 'name="minute"' not in plain


def test_a_question_of_which_nobody_knows_whether_it_came_is_one_act_when_sent_again(
    shared_demo: Running, stranger: httpx2.Client
) -> None:
    """The form that comes back holds the minute of the first try, and whose it was is in a cookie."""
    path, text = f"/h/{shared_demo.slug}/questions", "公交站台被占用，执法依据在哪里？"
    fresh_minute()
    minute = str(int(time.time()) // 60)
    first = stranger.post(path, data={"text": text})
    for kept in (minute, minute):
        again = stranger.post(path, data={"text": text, "minute": kept})
        assert again.headers["location"] == first.headers["location"]
    earlier = stranger.post(path, data={"text": text, "minute": str(int(minute) - 1)})
    assert earlier.headers["location"] != first.headers["location"]


def test_appealing_without_a_script(shared_demo: Running, stranger: httpx2.Client) -> None:
    desk, here = shared_demo.as_("moderator"), shared_demo.here
    sent = stranger.post(
        f"/h/{shared_demo.slug}/questions", data={"text": "路口的信号灯坏了很久，什么时候修？"}
    )
    page = stranger.get(sent.headers["location"]).text
    code = re.search(r"/q/(\w+)", sent.headers["location"])
    secret = re.search(r"凭证：([\w-]+)", page)
    assert code is not None
    assert secret is not None
    asked = desk.get(f"{here}/desk/questions?q=信号灯坏了很久")["items"][0]
    desk.do("POST", f"{here}/desk/questions/{asked['id']}/rejection", {"reason": "off_topic"})
    address = f"/q/{code[1]}/appeal"
    long = "这与述法有关。" * 80
    for typed, status, sentence in (
        ({"secret": "wrong<", "text": "这与述法有关。"}, 403, "凭证不对"),
        ({"secret": secret[1], "text": long}, 422, "最多 500 个字"),
    ):
        wrong = stranger.post(address, data=typed)
        assert wrong.status_code == status
        assert sentence in wrong.text
        assert f"{typed['text']}</textarea>" in wrong.text
        assert f'value="{escape(typed["secret"])}"' in wrong.text
    right = stranger.post(address, data={"secret": secret[1], "text": "这与述法有关。"})
    assert right.status_code == 303
    assert "已申诉" in stranger.get(right.headers["location"]).text
    used = stranger.post(address, data={"secret": secret[1], "text": "再来一次"})
    assert used.status_code == 409
    assert "再来一次" in used.text  # There is no form any more, but what was written stands there.
    hasty = [stranger.post(address, data={"secret": "x", "text": f"第{n}次"}) for n in range(6)]
    assert hasty[-1].status_code == 429
    assert "第5次" in hasty[-1].text
    assert stranger.get("/q/NOSUCHCODE").status_code == 404


def test_answering_a_public_round_without_a_script(
    shared_demo: Running, stranger: httpx2.Client
) -> None:
    def web() -> dict[str, object]:
        rounds = shared_demo.state()["rounds"]
        return next(r for r in rounds if r["audience"] == "public" and r["status"] == "open")

    round_, before = web(), web()["cast"]
    keys = [c["key"] for c in round_["choices"]]  # type: ignore[attr-defined]
    path = f"/h/{shared_demo.slug}/rounds/{round_['id']}/vote"
    fresh_minute()
    for _ in range(2):
        sent = stranger.post(path, data={"choice": keys[0]})
        assert sent.status_code == 303
        told = stranger.get(sent.headers["location"])
        assert told.headers["cache-control"] == "no-store"
        assert "已收到您的评价" in told.text
        assert round_["choices"][0]["label"] in told.text  # type: ignore[index]
        assert f'href="/h/{shared_demo.slug}?lang=zh#round-{round_["id"]}"' in told.text
    assert web()["cast"] == before + 1  # type: ignore[operator]
    assert stranger.post(path, data={"choice": keys[1]}).status_code == 303
    now = stranger.get(f"{path}?lang=en").text
    assert "Your answer is received" in now
    assert round_["choices"][1]["label"] in now  # type: ignore[index]
    nobody = httpx2.get(shared_demo.url + path, trust_env=False)
    assert (nobody.status_code, nobody.headers["cache-control"]) == (303, "no-store")
    assert stranger.get(f"/h/another/rounds/{round_['id']}/vote").status_code == 404
    assert web()["cast"] == before + 1  # type: ignore[operator]
    wrong = stranger.post(path, data={"choice": "no-such-choice"})
    assert wrong.status_code == 422
    assert "没有这个选项" in wrong.text
    elsewhere = stranger.post(f"/h/another/rounds/{round_['id']}/vote", data={"choice": keys[0]})
    assert elsewhere.status_code == 404


def test_a_refusal_speaks_the_language_of_its_address_as_every_page(
    shared_demo: Running, stranger: httpx2.Client
) -> None:
    english_browser = {"Accept-Language": "en-GB,en;q=0.9"}
    for path in ("/nowhere", "/h/no-such-hearing", "/join/NOSUCHCARD", "/q/NOSUCH"):
        for asked, lang in (("", "zh-CN"), ("?lang=zh", "zh-CN"), ("?lang=en", "en")):
            page = stranger.get(path + asked, headers=english_browser)
            assert page.status_code == 404
            assert f'<html lang="{lang}"' in page.text, path + asked
    assert 'href="/?lang=en"' in stranger.get("/nowhere?lang=en").text  # and so does the way back
    desk = stranger.get(f"/h/{shared_demo.slug}/desk?lang=en").headers["location"]
    assert desk.endswith("&lang=en")  # and the way to sign in
