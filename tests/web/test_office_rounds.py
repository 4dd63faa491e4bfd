"""The page of a hearing's rounds: teller, scrutineer and approver each do their part there, and
whoever supervises takes the files away and recomputes the result."""

from __future__ import annotations

import io
import itertools
import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import openpyxl
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from server.domain.rounds import may_see_ballots
from tests.contract.test_people import PASSWORD, Serving, did, make_county, serving
from tests.journeys.browser import DESKTOP, PHONE, look_as, open_page, violations
from tests.nursery import ROOT
from tests.running import PINGYI
from tests.web.test_office import press
from tests.web.views import full, panel_round, public_round
from web.pages.office import rounds_context

WHO = ("teller", "scrutineer", "approver", "leader")


@dataclass
class Hearing:
    """A county's real hearing, default signers and publishers, its panel round tallied."""

    house: Serving
    slug: str
    panel: str
    people: dict[str, httpx2.Client]

    @property
    def page(self) -> str:
        return f"/office/hearings/{self.slug}/rounds"

    def entered(self, browser: Browser, who: str, **how: object) -> BrowserContext:
        context = browser.new_context(**how)  # type: ignore[arg-type]
        for name, value in self.people[who].cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": self.house.url}])
        return context


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hearing]:
    """北湾, live, with a sheet from each of the two seats."""
    with serving(tmp_path_factory.mktemp("rounds") / "data") as house:
        county = make_county(house, house.set_up(), "北湾", "bw")
        slug, staff = county.announced, county.browser
        people = {"office": staff}
        for role in WHO:
            who = {
                "office": county.office, "login": f"bw-{role}", "name": "北湾某人",
                "password": PASSWORD,
            }  # fmt: skip
            account = did(staff, "POST", "/accounts", who)["id"]
            grant = {"account": account, "role": role, "office": county.office}
            did(staff, "POST", "/grants", grant)
            people[role] = house.signed_in(f"bw-{role}")
        did(staff, "POST", f"/hearings/{slug}/runs", {"kind": "real"})
        text = staff.post(f"/office/hearings/{slug}/cards", data={"all": "yes"}).text
        tablets = [house.browser() for _ in range(2)]
        for tablet, code in zip(tablets, re.findall(r"/join/(\w{10})<", text), strict=True):
            assert tablet.post(f"/join/{code}").status_code == 303
        state = did_get(staff, f"/hearings/{slug}")["state"]
        version = {"version": state["hearing"]["version"], "status": "live"}
        did(staff, "PUT", f"/hearings/{slug}/status", version)
        panel = next(r["id"] for r in state["rounds"] if r["audience"] == "panel")
        did(staff, "POST", f"/rounds/{panel}/opening")
        for number, tablet in enumerate(tablets):
            answer = tablet.put(
                f"/api/v1/rounds/{panel}/ballot",
                json={"marks": {"housing": {"personally": str(17 + number)}}},
                headers={"Idempotency-Key": f"sheet-of-seat-{number}-0001"},
            )
            assert answer.status_code == 200, answer.text
        did(staff, "POST", f"/rounds/{panel}/closing")
        for _ in range(200):
            if did_get(staff, f"/rounds/{panel}")["status"] == "tallied":
                break
            time.sleep(0.05)
        yield Hearing(house, slug, panel, people)


def did_get(browser: httpx2.Client, path: str) -> Any:
    answer = browser.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def card(hearing: Hearing, who: str, lang: str = "zh") -> str:
    """The panel round as this person's page shows it."""
    answer = hearing.people[who].get(f"{hearing.page}?lang={lang}")
    assert answer.status_code == 200, answer.text
    found = re.search(rf'<article[^>]*id="round-{hearing.panel}".*?</article>', answer.text, re.S)
    assert found
    return found[0]


# ── what is shown to whom, from the rules alone ──


def line(status: str, *roles: str, lang: str = "zh", **more: Any) -> rounds_context.RoundCard:
    view = replace(full(), rounds=(panel_round(status, **more),))
    return rounds_context.rounds_page(view, roles, lang).lines[0]


def test_a_signer_is_offered_to_sign_once_and_in_time() -> None:
    show: dict[str, Any] = {"signers": ("teller", "host")}
    assert line("tallied", "teller", **show).sign
    assert not line("closed", "teller", **show).sign
    assert not line("certified", "teller", **show).sign
    assert not line("tallied", "scrutineer", **show).sign
    signed = line("tallied", "teller", signed=("teller",), **show)
    assert (signed.sign, signed.awaited) == (False, ("主持台操作员",))


def test_a_publisher_is_offered_to_publish_what_is_certified() -> None:
    assert line("certified", "approver").publish
    assert line("published", "approver").publish
    assert not line("tallied", "approver").publish
    assert not line("certified", "office").publish
    assert line("certified", "office", publishers=("office",)).publish


def test_a_result_is_shown_to_whom_it_is_for() -> None:
    for roles, published, seen in (
        (("teller",), (), False),  # Neither signer nor publisher of this show.
        (("host",), (), True),
        (("approver",), (), True),
        (("leader",), (), False),
        (("leader",), ("internal",), True),
        (("leader",), ("hall",), True),
    ):
        one = line("published", *roles, published_to=published)
        shown = bool(one.round.subjects), "result.json" in one.files, bool(one.ballots_hash)
        assert shown == (seen, seen, seen), (roles, published)
    ranks = {one.key: one.rank for one in line("certified", "host").round.subjects}
    assert ranks == {"city": 1, "housing": 2, "market": 3}


@pytest.mark.parametrize("status", ["ready", "open", "closing"])
def test_no_ballots_are_given_while_they_are_taken(status: str) -> None:
    assert not may_see_ballots(panel_round(status), ("scrutineer",))
    assert "ballots.csv" not in line(status, "scrutineer").files
    assert "ballots.csv" in line("closed", "scrutineer").files
    assert "ballots.csv" not in line("closed", "approver").files


def test_counts_of_a_public_round_are_for_signers_before_the_public() -> None:
    view = replace(full(), rounds=(public_round("certified", show_live=False),))
    for role, shown in (("host", True), ("leader", False)):
        (one,) = rounds_context.rounds_page(view, (role,), "zh").lines
        assert (one.round.choices[0].count is not None) is shown
        assert "rules.json" not in one.files


# ── on a running server, in this order ──


def test_who_has_no_part_in_it_does_not_come_in(hearing: Hearing) -> None:
    staff = hearing.people["office"]
    who = {"office": 2, "login": "bw-verifier", "name": "北湾核查", "password": PASSWORD}
    account = did(staff, "POST", "/accounts", who)["id"]
    did(staff, "POST", "/grants", {"account": account, "role": "verifier", "office": 2})
    other = hearing.house.signed_in("bw-verifier")
    assert other.get(hearing.page).status_code == 403
    assert f'href="{hearing.page}' not in other.get("/office").text
    assert hearing.house.browser().get(hearing.page).status_code == 303
    for who_ in (*WHO, "office"):
        assert f'href="{hearing.page}' in hearing.people[who_].get("/office").text
        assert hearing.people[who_].get("/office/hearings/nowhere/rounds").status_code == 404
    assert f'href="{hearing.page}' in staff.get(f"/office/hearings/{hearing.slug}").text


def test_figures_are_for_signers_before_publication(hearing: Hearing) -> None:
    for who in ("teller", "scrutineer", "approver"):
        assert "17.50" in card(hearing, who)
        assert "票表的 SHA-256" in card(hearing, who)
    assert "17.50" not in card(hearing, "leader")
    assert "result.json" not in card(hearing, "leader")
    assert "结果尚未向您公布" in card(hearing, "leader")
    assert "实到 2 / 应到 2" in card(hearing, "teller")
    assert "实到 2 / 应到 2" not in card(hearing, "leader")
    assert "data-held" not in card(hearing, "approver")  # There is nothing to publish yet.


def test_the_files_have_names_and_give_the_same_hashes(hearing: Hearing, tmp_path: Path) -> None:
    teller = hearing.people["teller"]
    shown = card(hearing, "teller")
    for address, name in re.findall(r'href="(/api/[^"]+)" download="([^"]+)"', shown):
        answer = teller.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        (tmp_path / name).write_bytes(answer.content)
    names = {path.name.removeprefix(f"{hearing.panel}-") for path in tmp_path.iterdir()}
    assert names == {"rules.json", "ballots.csv", "result.json"}
    command = re.search(r">pingyi (tally [^<]+)<", shown)
    assert command
    again = subprocess.run(
        [*PINGYI, *command[1].split()], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    result = json.loads(again.stdout)
    for name in ("rules_hash", "ballots_hash"):
        assert result[name] in shown
    assert result == json.loads((tmp_path / f"{hearing.panel}-result.json").read_text())
    assert "ballots.csv" not in card(hearing, "approver")


def test_the_documents_are_files_for_those_who_may_see_what_is_in_them(hearing: Hearing) -> None:
    links = re.findall(r'href="(/api/[^"]+)"(?! download)', card(hearing, "teller"))
    names = [re.sub(r".*/|[?].*", "", link) for link in links]
    assert names == ["result.pdf", "result.docx", "result.xlsx", "tally-sheet.pdf"]
    for link, name in zip(links, names, strict=True):
        link = link.replace("&amp;", "&")
        answer = hearing.people["teller"].get(link)
        assert answer.content[:4] == (b"%PDF" if name.endswith("pdf") else b"PK\x03\x04")
        assert answer.headers["cache-control"] == "no-store"
        kept = answer.headers["content-disposition"]
        saved, said = f"{hearing.panel}-{name}", "北湾测评"
        if name == "result.xlsx":  # The teller's has every ballot, and its name says so.
            saved, said = f"{hearing.panel}-result-with-ballots.xlsx", "（含每张票，仅供监督）"
        assert kept.startswith(f'attachment; filename="{saved}"; filename*=UTF-8')
        assert unquote(kept).endswith(f"{said}.{name.rpartition('.')[2]}")
        for refused in (hearing.people["leader"], hearing.house.browser()):
            code = refused.get(link.partition("?")[0]).json()["error"]["code"]
            assert code == "not_published"
    sheets = {
        who: openpyxl.load_workbook(
            io.BytesIO(hearing.people[who].get(links[2].partition("?")[0]).content)
        ).sheetnames
        for who in ("teller", "approver")
    }
    assert "票" in sheets["teller"]
    assert "票" not in sheets["approver"]


def test_the_minutes_are_for_those_who_may_read_the_journal(hearing: Hearing) -> None:
    assert "minutes" not in hearing.people["teller"].get(hearing.page).text
    page = hearing.people["scrutineer"].get(f"{hearing.page}?lang=en").text
    links = re.findall(r'href="(/api/v1/hearings/[^"]+/minutes[.][^"]+)"', page)
    assert len(links) == 2
    for link, magic in zip(links, (b"PK\x03\x04", b"%PDF"), strict=True):
        link = link.replace("&amp;", "&")
        answer = hearing.people["scrutineer"].get(link)
        assert answer.content[:4] == magic
        assert "Minutes 北湾述法评议会" in unquote(answer.headers["content-disposition"])
        assert hearing.people["teller"].get(link.partition("?")[0]).status_code == 403


def test_forms_are_offered_until_the_round_is_closed() -> None:
    assert "forms.pdf" in line("ready", "teller").documents
    assert "forms.pdf" in line("open", "teller").documents
    assert "forms.pdf" not in line("closed", "teller").documents
    assert "forms.pdf" not in line("ready", "host").documents
    view = replace(full(), rounds=(public_round("ready"),))
    (one,) = rounds_context.rounds_page(view, ("teller",), "zh").lines
    assert one.documents == ()


def test_the_office_takes_the_show_file_from_the_hearings_page(hearing: Hearing) -> None:
    staff = hearing.people["office"]
    page = staff.get(f"/office/hearings/{hearing.slug}").text
    link = re.search(r'href="(/api/v1/hearings/[^"]+/show[^"]*)" download', page)
    assert link
    answer = staff.get(link[1].replace("&amp;", "&"))
    named = f'attachment; filename="{hearing.slug}.yaml"'
    assert answer.headers["content-disposition"] == named
    assert "title: 北湾述法评议会" in answer.text


@pytest.mark.system
def test_each_does_his_part_by_hand(browser: Browser, hearing: Hearing) -> None:
    title = "北湾测评"
    for who, awaited in (("teller", "监票人、主持台操作员"), ("scrutineer", "主持台操作员")):
        context = hearing.entered(browser, who)
        page, errors = open_page(context, f"{hearing.house.url}{hearing.page}")
        button = page.get_by_role("button", name=f"计票确认：{title}")
        button.click()  # A tap is not enough.
        page.wait_for_timeout(300)
        expect(button).to_be_visible()
        press(page, f"计票确认：{title}（按住一秒）")
        expect(page.get_by_text(f"等待{awaited}计票确认。")).to_be_visible()
        expect(button).to_have_count(0)
        assert not errors
        context.close()
    did(hearing.people["office"], "POST", f"/rounds/{hearing.panel}/certification")
    context = hearing.entered(browser, "approver")
    page, errors = open_page(context, f"{hearing.house.url}{hearing.page}")
    press(page, f"内部公布：{title}（按住一秒）")
    expect(page.get_by_role("button", name=f"内部公布：{title}")).to_be_disabled()
    assert "17.50" in card(hearing, "leader")
    public = hearing.house.browser().get(f"/api/v1/rounds/{hearing.panel}/result")
    assert public.json()["error"]["code"] == "not_published"
    press(page, f"向公众公布：{title}（按住一秒）")
    expect(page.get_by_role("button", name=f"向公众公布：{title}")).to_be_disabled()
    assert did_get(hearing.house.browser(), f"/rounds/{hearing.panel}/result")["valid"]
    assert not errors
    context.close()


@pytest.mark.system
@pytest.mark.alone
def test_from_closing_to_the_first_step_of_the_reveal_in_ten_seconds(
    browser: Browser, hearing: Hearing
) -> None:
    """Teller, scrutineer and approver each with one tap on a device of their own, which tells them when
    it is their turn; then the host's press."""
    staff = hearing.people["office"]
    rules = did_get(staff, f"/rounds/{hearing.panel}")["rules"]
    new = {"title": "北湾再测", "audience": "panel", "subjects": ["housing"], "rules": rules}
    id_ = did(staff, "POST", f"/hearings/{hearing.slug}/rounds", new)["id"]
    did(staff, "POST", f"/rounds/{id_}/opening")
    contexts = [hearing.entered(browser, who) for who in ("teller", "scrutineer", "approver")]
    pages = [open_page(one, f"{hearing.house.url}{hearing.page}")[0] for one in contexts]
    began = time.monotonic()
    did(staff, "POST", f"/rounds/{id_}/closing")
    for page in pages[:2]:
        expect(page.get_by_role("button", name="计票确认：北湾再测")).to_be_visible()
        press(page, "计票确认：北湾再测（按住一秒）")
    did(staff, "POST", f"/rounds/{id_}/certification")
    expect(pages[2].get_by_role("button", name="会场公布：北湾再测")).to_be_visible()
    press(pages[2], "会场公布：北湾再测（按住一秒）")
    for _ in range(100):
        answer = staff.put(f"/api/v1/rounds/{id_}/reveal", json={"step": 1})
        if answer.status_code == 200:
            break
        time.sleep(0.1)
    took = time.monotonic() - began
    for context in contexts:
        context.close()
    assert answer.status_code == 200, answer.text
    assert took <= 10, took


@pytest.mark.system
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_accessible_and_fits(browser: Browser, hearing: Hearing, lang: str) -> None:
    context = hearing.entered(browser, "scrutineer", reduced_motion="reduce")
    page, errors = open_page(context, f"{hearing.house.url}{hearing.page}?lang={lang}")
    for summary in page.locator("summary").all():
        summary.click()
    for size, theme in itertools.product((DESKTOP, PHONE), ("light", "dark")):
        look_as(page, size, theme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1, (
            size,
            theme,
        )
        assert not violations(page), (size, theme)
    if lang == "en":
        told = page.locator("main").inner_text()
        named = re.sub(
            r"北湾(依法治县办|述法评议会|网络评价|测评|再测|代表|局长)|满意|不满意", "", told
        )
        assert not re.findall(r"[\u4e00-\u9fff]+", named.replace("不", ""))
    assert not errors
    context.close()


@pytest.mark.system
def test_a_reason_that_was_typed_stays_while_the_round_changes(
    browser: Browser, hearing: Hearing
) -> None:
    staff, teller = hearing.people["office"], hearing.people["teller"]
    rules = did_get(staff, f"/rounds/{hearing.panel}")["rules"]
    new = {"title": "北湾另测", "audience": "panel", "subjects": ["housing"], "rules": rules}
    waits = did(staff, "POST", f"/hearings/{hearing.slug}/rounds", new)["id"]
    did(staff, "POST", f"/rounds/{waits}/opening")
    did(staff, "POST", f"/rounds/{waits}/closing")
    did(
        teller,
        "POST",
        f"/rounds/{hearing.panel}/contest",
        {"grounds": "计票单与公布的总分不一致。"},
    )
    context = hearing.entered(browser, "approver")
    page, errors = open_page(context, f"{hearing.house.url}{hearing.page}")
    reason = page.locator(f"#reason-{hearing.panel}")
    reason.fill("经核对计票单无误")
    page.locator("h1").click()
    assert not reason.evaluate("one => one === document.activeElement")
    for name in ("one.txt", "another.txt"):
        path = f"/api/v1/rounds/{hearing.panel}/contest/files?name={name}"
        assert teller.post(path, content="附件".encode()).status_code == 201
        page.wait_for_timeout(1500)
        assert reason.input_value() == "经核对计票单无误"
    reason.fill("")
    page.locator("h1").click()
    expect(page.get_by_role("link", name="another.txt")).to_be_visible()
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == (
        page.locator("[id]").count()
    )
    decision = {"outcome": "upheld", "reason": "经核对计票单无误"}
    did(hearing.people["approver"], "POST", f"/rounds/{hearing.panel}/contest/decision", decision)
    assert not errors
    context.close()
