"""The desk as moderators share it: groups, one question from many orders, bulk acts, claims, the duty
person. Real browsers against a real server."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.contract.right_calls import office_of, sent_brief
from tests.journeys.browser import DESKTOP, PHONE, open_page, violations
from tests.running import Client, Running, new_key, wait_until
from tests.web.test_desk_in_use import chosen, desk

expect.set_options(timeout=20_000)
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
SECRET = "有人扬言今晚八点去市政府广场聚集，我很害怕"


def opened(browser: Browser, demo: Running, link: str = "desk") -> tuple[Page, list[str]]:
    page, errors = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"][link])
    page.wait_for_selector('#link[data-state="up"]')
    return page, errors


def test_the_desk_opens_on_what_several_ask_and_writes_one_question_of_it(
    browser: Browser, demo: Running
) -> None:
    api, here = demo.as_("moderator"), demo.here
    wait_until(lambda: api.get(f"{here}/desk/groups")["items"])
    page, errors = opened(browser, demo)
    group = page.locator("#list [data-group]").first
    expect(group).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    form = page.locator("#write")
    expect(form).to_be_visible()
    orders = form.locator('[name="order"]').count()
    assert orders >= 2
    assert page.locator("#list [data-row]").count() == orders
    assert violations(page) == []
    page.locator("#write-text").fill("请问此类审批依据哪一条规定，多久办结？")
    page.keyboard.press("Control+Enter")
    expect(page.locator('.pane[data-status="approved"]')).to_be_visible()
    question = api.get(f"{here}/desk/questions/{chosen(page)}")
    assert (question["source"], question["askers"]) == ("desk", orders)
    page.locator("[data-into]").click()
    expect(page.locator('#list [data-status="merged"]')).to_have_count(orders)
    page.keyboard.press("b")
    expect(page.locator("#list [data-group]").first).to_be_visible()
    assert not errors


def test_the_row_is_marked_of_the_group_that_the_pane_shows(
    browser: Browser, demo: Running
) -> None:
    api, here = demo.as_("moderator"), demo.here
    wait_until(lambda: len(api.get(f"{here}/desk/groups")["items"]) > 1)
    page, errors = opened(browser, demo)
    row = page.locator("#list [data-group]").nth(1)
    group, of = row.get_attribute("data-group"), row.get_attribute("data-of")
    row.click()
    expect(page.locator(f'.pane[data-group-id="{group}"]')).to_be_visible()
    page.keyboard.press("b")
    marked = page.locator('#list [aria-current="true"]')
    expect(page.locator("#list .official").first).to_be_visible()
    expect(marked).to_have_count(1)
    expect(marked).to_have_attribute("data-group", group or "")
    page.keyboard.press("g")
    page.wait_for_timeout(500)
    expect(marked).to_have_attribute("data-group", group or "")
    expect(marked).to_have_attribute("data-of", of or "")
    assert not errors


def test_many_are_decided_at_once_and_the_whole_is_taken_back(
    browser: Browser, demo: Running
) -> None:
    api, here = demo.as_("moderator"), demo.here
    page = desk(browser, demo)
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("Space")
    expect(page.locator('#many [data-part="picked"]')).to_contain_text("3")
    ids = page.locator("[data-pick]:checked").evaluate_all("all => all.map(x => x.dataset.pick)")
    assert violations(page) == []
    page.keyboard.press("r")
    page.keyboard.press("5")
    expect(page.locator("#undo")).to_contain_text("3")
    assert {api.get(f"{here}/desk/questions/{id_}")["reason"] for id_ in ids} == {"unclear"}
    page.keyboard.press("z")
    expect(page.locator("#undo")).to_contain_text("已撤销")
    assert {api.get(f"{here}/desk/questions/{id_}")["status"] for id_ in ids} == {"screened"}
    page.keyboard.press("Shift+Space")
    all_ = page.locator("[data-pick]").count()
    expect(page.locator('#many [data-part="picked"]')).to_contain_text(f"{all_} 条")
    assert all_ > 3
    page.keyboard.press("Escape")
    assert page.locator("#many").is_hidden()


def test_two_moderators_see_who_works_on_what(browser: Browser, demo: Running) -> None:
    mine = desk(browser, demo)
    mine.keyboard.press("j")
    mine.wait_for_selector(".pane")
    id_ = chosen(mine)
    mine.keyboard.press("e")
    expect(mine.locator(f"#row-{id_} .held.mine")).to_be_visible()
    # Somebody else: the token's own account, at the API and, with its name, on this page.
    other, here = demo.as_("moderator"), f"{demo.here}/desk/questions"
    mine.keyboard.press("Escape")
    mine.keyboard.press("c")  # from having it open to a firm claim
    expect(mine.locator('[data-part="claim"] button')).to_contain_text("放手")
    refused = other.call("POST", f"{here}/{id_}/approval")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "question_claimed")
    mine.keyboard.press("Escape")
    mine.keyboard.press("j")  # He moves on: it is free.
    expect(mine.locator(f"#row-{id_} .held")).to_be_hidden()
    second = chosen(mine)
    other.do("PUT", f"{here}/{second}/claim", {})
    expect(mine.locator(f"#row-{second} .held")).to_be_visible()
    expect(mine.locator('[data-part="claimant"]')).to_be_visible()
    mine.keyboard.press("a")
    expect(mine.locator("#toast")).to_contain_text("正在处理")
    assert other.get(f"{here}/{second}")["status"] == "screened"
    mine.keyboard.press("c")
    expect(mine.locator(f"#row-{second} .held.mine")).to_be_visible()
    mine.keyboard.press("a")
    expect(mine.locator(f"#row-{second}.left")).to_contain_text("已通过")


def test_a_claim_holds_however_wrong_the_clock_of_a_desk_is(
    browser: Browser, demo: Running
) -> None:
    other, here = demo.as_("moderator"), f"{demo.here}/desk/questions"
    wait_until(lambda: not other.get(f"{here}?status=received")["items"])
    id_ = other.get(f"{here}?status=screened")["items"][0]["id"]
    context = browser.new_context(viewport=DESKTOP)
    context.add_init_script("const real = Date.now; Date.now = () => real() + 20 * 60_000")
    page, errors = open_page(context, demo.line["links"]["desk"])
    page.wait_for_selector('#link[data-state="up"]')
    page.wait_for_selector("#list li")
    page.locator('[data-states="received,screened"]').click()
    other.do("PUT", f"{here}/{id_}/claim", {})
    expect(page.locator(f"#row-{id_} .held")).to_be_visible()
    page.locator(f"#row-{id_} .row-button").click()
    expect(page.locator('[data-part="claimant"]')).to_be_visible()
    assert not errors


def test_what_was_rewritten_stands_beside_its_original_with_its_history(
    browser: Browser, demo: Running
) -> None:
    page = desk(browser, demo)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    page.keyboard.press("e")
    text = page.locator("#edit-text").input_value()
    page.locator("#edit-text").fill(text + "请说明时限。")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sides ins")).to_have_text("请说明时限。")
    assert page.locator(".sides del").count() == 0
    page.locator("[data-history] summary").click()
    expect(page.locator(".past")).to_contain_text("改写")
    assert violations(page) == []


def test_what_is_escalated_stands_before_the_duty_person_until_he_has_seen_it(
    browser: Browser, demo: Running
) -> None:
    asked = demo.viewer().do("POST", f"{demo.here}/questions", {"text": SECRET}, new_key())
    duty, errors = opened(browser, demo, "duty")
    assert duty.locator("#duty").inner_text() == ""
    page, said = opened(browser, demo)
    page.locator('[data-lane="live"]').click()
    row = page.locator("[data-row]", has_text="聚集")
    row.locator(".row-button").click()
    page.wait_for_selector(".pane")
    page.keyboard.press("d")
    expect(page.locator("#escalate")).to_be_visible()
    expect(row.locator(".held.mine")).to_be_visible()
    page.keyboard.press("2")
    banner = duty.locator("#duty .unseen")
    expect(banner).to_contain_text("聚集")
    expect(page.locator(f"#row-{chosen(page)}")).not_to_contain_text("聚集")
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    page.wait_for_timeout(500)
    assert said == []  # Nothing is asked of a question that is out of his sight.
    page.reload()
    page.wait_for_selector("#list li")
    page.locator('[data-states=""]').click()
    page.locator("#f-q").fill("聚集")
    expect(page.locator("#list .empty")).to_be_visible()
    for who in ("moderator", "office", "host"):
        found = demo.as_(who).call("GET", f"{demo.here}/desk/questions?q={asked['code']}")
        assert SECRET not in found.text
    duty.reload()
    expect(banner).to_contain_text("聚集")  # until it is acknowledged
    assert violations(duty) == []
    back = duty.locator("#duty [data-act$=outcome]", has_text="退回")
    stood = back.bounding_box()
    duty.locator("#duty [data-act$=acknowledgement]").click()
    expect(duty.locator("#duty .duty:not(.unseen)")).to_be_attached()
    assert back.bounding_box() == stood  # Where it was, to go on with.
    duty.locator("#duty [data-act$=outcome]", has_text="退回").click()
    expect(duty.locator("#duty .duty")).to_have_count(0)
    assert not errors


def rising(demo: Running, text: str) -> tuple[int, list[int]]:
    """(group, ids) of three questions of the public that ask alike."""
    api, here = demo.as_("moderator"), demo.here
    ids = []
    for ending in ("请马上处理", "请快点处理", "请尽早处理"):
        body = {"text": f"{text}，{ending}。"}
        asked = demo.viewer().do("POST", f"{here}/questions", body, new_key())
        ids.append(api.get(f"{here}/desk/questions?q={asked['code']}")["items"][0]["id"])

    def grouped() -> int | None:
        labels = {api.get(f"{here}/desk/questions/{id_}")["cluster"] for id_ in ids}
        return labels.pop() if len(labels) == 1 else None

    wait_until(grouped)
    label = grouped()
    assert label is not None
    return label, ids


def test_what_is_escalated_leaves_every_place_on_the_screens_of_all_others(
    browser: Browser, demo: Running
) -> None:
    api, here = demo.as_("moderator"), f"{demo.here}/desk/questions"
    group, ids = rising(demo, SECRET)
    queued = api.get(f"{demo.here}/queue")["ids"][0]
    words = api.get(f"{here}/{queued}")["text"]
    # Groups and a pane that was opened from the queue; the form of a group; a pane with its twins; a list
    # by heat, with a question that is being rewritten.
    groups, errors = opened(browser, demo)
    missing: list[str] = []
    groups.on("response", lambda one: missing.append(one.url) if one.status == 404 else None)
    groups.locator(f"#queued-{queued} [data-question]").click()
    expect(groups.locator(f'.pane[data-id="{queued}"]')).to_contain_text(words)
    expect(groups.locator("#list [data-group]", has_text="聚集")).to_be_visible()
    form, _ = opened(browser, demo)
    form.locator(f'#list [data-group="{group}"]').click()
    expect(form.locator("#write .order", has_text="聚集")).to_have_count(3)
    form.locator("#write-text").fill("有人问到聚集的事，怎样处置？")
    twins = desk(browser, demo)
    twins.locator(f"#row-{ids[1]} .row-button").click()
    expect(twins.locator(f'.twins [data-shows="{ids[0]}"]')).to_contain_text("聚集")
    heat = desk(browser, demo)
    heat.locator("#f-sort").select_option("heat")
    row = heat.locator(f"#row-{ids[0]}")
    expect(row).to_contain_text("聚集")
    heat.locator('#list [data-status="screened"]').filter(has_not_text="聚集").first.click()
    heat.wait_for_selector(".pane")
    heat.keyboard.press("e")
    typed = heat.locator("#edit-text")
    typed.fill("正在改写的文字不会丢")
    duty, _ = opened(browser, demo, "duty")
    duty.locator('[data-states="received,screened"]').click()
    duty.locator(f"#row-{ids[0]} .row-button").click()
    expect(duty.locator(".pane")).to_contain_text("聚集")
    api.do("POST", f"{here}/{queued}/escalation", {"kind": "unrest"}, new_key())
    expect(groups.locator("#chosen")).not_to_contain_text(words)
    expect(groups.locator("#main")).not_to_contain_text(words)
    for id_ in ids:
        if id_ != ids[1]:
            api.do("POST", f"{here}/{id_}/escalation", {"kind": "unrest"}, new_key())
    expect(twins.locator(f'.twins [data-shows="{ids[0]}"]')).not_to_contain_text("聚集")
    expect(twins.locator(".pane")).to_contain_text("聚集")  # The one that is open stays.
    expect(row).not_to_contain_text("聚集")
    assert typed.input_value() == "正在改写的文字不会丢"
    expect(groups.locator("#list")).not_to_contain_text("聚集")
    expect(form.locator("#write .order", has_text="聚集")).to_have_count(1)
    assert form.locator('#write [name="order"]:checked').count() == 1
    assert form.locator("#write-text").input_value() == "有人问到聚集的事，怎样处置？"
    for page in (groups, form, twins, heat):
        assert violations(page) == []
    expect(duty.locator(".pane")).to_contain_text("聚集")
    expect(duty.locator(f"#row-{ids[0]}")).to_contain_text("聚集")
    # Only what asks for the very question, in the moment in which it goes, is told that it is not there.
    assert len(errors) == len(missing)
    assert [url for url in missing if f"/{queued}" not in url] == []


def test_the_desk_is_usable_on_a_phone(browser: Browser, demo: Running) -> None:
    page, _ = open_page(browser.new_context(viewport=PHONE), demo.line["links"]["desk"])
    page.wait_for_selector("#list li")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    assert violations(page) == []
    expect(page.locator("#chosen .below")).to_be_visible()
    expect(page.locator("#chosen .beside")).to_be_hidden()
    page.locator('[data-states="approved"]').click()
    expect(page.locator("#list-title")).to_have_text("已通过")
    row = page.locator("#list [data-row]").nth(1)
    row.locator(".row-button").click()
    title = page.locator("#pane-title")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()
    expect(page.locator(".pane .acts")).to_be_in_viewport()
    assert violations(page) == []
    page.locator("[data-to-list]").click()
    expect(row.locator(".row-button")).to_be_focused()
    expect(row).to_be_in_viewport()
    page.locator("[data-groups]").click()
    page.locator("#list [data-group]").first.click()
    expect(page.locator("#write-text")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_console_gives_its_reason_for_what_nobody_has_seconded(
    browser: Browser, demo: Running
) -> None:
    office, desk_, here = demo.as_("office"), demo.as_("moderator"), demo.here
    office.do("PUT", f"{here}/reviews", {"second": True, "verification": False})
    page, _ = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["host"])
    page.wait_for_selector("#queue [data-act*='/stage']")
    first = desk_.get(f"{here}/queue")["ids"][0]
    page.locator(f"#queue [data-body='{{\"question\":{first}}}']").click()
    dialog = page.locator("#override-dialog")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    dialog.locator("#override-reason").fill("台上追问，来不及复核")
    dialog.locator("button.danger").click()
    expect(dialog).to_be_hidden()
    assert demo.state()["stage"] is not None
    entries = office.get(f"{here}/journal?after=0")["entries"]
    taken = [one for one in entries if one["event"] == "question_taken"][-1]
    assert taken["body"]["override"] == "台上追问，来不及复核"


def test_the_office_names_units_and_what_the_stage_asks_for(
    browser: Browser, demo: Running
) -> None:
    page, errors = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["office"])
    page.goto(f"{demo.url}/office/hearings/{demo.slug}?seat=office")
    page.locator("#names-1").fill("市住建局、住建委")
    page.locator("form[data-act$=aliases] button").first.click()
    expect(page.locator("#toast")).to_contain_text("已保存")
    page.locator("[data-act$=reviews]").first.click()
    expect(page.locator("section[aria-labelledby=reviews-title] .chip").first).to_have_text("要求")
    page.reload()
    assert page.locator("#names-1").input_value() == "市住建局、住建委"
    assert violations(page) == []
    assert not errors


def test_an_original_is_read_with_a_reason_and_is_gone_with_the_pane(
    browser: Browser, demo: Running
) -> None:
    told = "请致电13912345678，东街的路灯坏了两个月"
    demo.viewer().do("POST", f"{demo.here}/questions", {"text": told}, new_key())
    page, errors = opened(browser, demo)
    page.locator('[data-lane="live"]').click()
    page.locator("[data-row]", has_text="东街的路灯").locator(".row-button").click()
    page.wait_for_selector(".pane")
    assert "13912345678" not in page.content()
    page.keyboard.press("y")
    page.locator("#unmask-reason").fill("需要回访诉求人")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-part="unmasked"]')).to_have_text(told)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator('[data-part="unmasked"]')).to_have_text("")
    entries = demo.as_("office").get(f"{demo.here}/journal?after=0")["entries"]
    (read,) = [one for one in entries if one["event"] == "question_unmasked"]
    assert "13912345678" not in str(read)
    assert not errors


def test_an_appeal_reaches_every_desk_and_is_answered_by_keys(
    browser: Browser, demo: Running
) -> None:
    api, at = demo.as_("moderator"), f"{demo.here}/desk/questions"

    def asked(text: str) -> tuple[int, str, str]:
        sent = demo.viewer().do("POST", f"{demo.here}/questions", {"text": text}, new_key())
        id_ = api.get(f"{at}?q={sent['code']}")["items"][0]["id"]
        api.do("POST", f"{at}/{id_}/rejection", {"reason": "unclear"})
        return id_, sent["code"], sent["secret"]

    def appeal(code: str, secret: str) -> None:
        words = {"secret": secret, "text": "请再看一次。"}
        demo.anyone().do("POST", f"/questions/{code}/appeal", words)

    (first, *one), (second, *other) = asked("桥上的路灯何时修好？"), asked("公厕何时开放？")
    page, errors = opened(browser, demo)
    lane = page.locator('#counts [data-lane="appealed"]')
    expect(lane).to_have_count(0)
    page.locator('#counts [data-states="rejected"]').click()
    page.locator(f"#row-{first} .row-button").click()
    expect(page.locator(".pane")).to_have_attribute("data-id", str(first))
    appeal(*one)
    expect(lane).to_contain_text("1")
    expect(page.locator('[data-part="moved"]')).to_contain_text("申诉")
    expect(page.locator(f"#row-{first}")).to_contain_text("有申诉")
    lane.click()
    expect(page.locator("#list [data-row]")).to_have_count(1)
    appeal(*other)
    expect(lane).to_contain_text("2")
    expect(page.locator("#pill")).to_contain_text("1")
    page.locator('[data-part="moved"] [data-do="reload"]').click()
    expect(page.locator(".pane")).to_contain_text("请再看一次。")
    page.keyboard.press("h")
    assert violations(page) == []
    page.fill("#uphold-note", "请写明是哪座桥。")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"#row-{first}.left")).to_be_visible()
    expect(lane).to_contain_text("1")
    told = demo.anyone().get(f"/questions/{one[0]}")
    assert (told["appeal_outcome"], told["appeal_note"]) == ("upheld", "请写明是哪座桥。")
    page.keyboard.press("n")
    page.locator(f"#row-{second} .row-button").click()
    expect(page.locator(".pane")).to_have_attribute("data-id", str(second))
    page.keyboard.press("u")
    expect(page.locator('.pane[data-status="screened"]')).to_be_visible()
    expect(lane).to_have_count(0)
    assert demo.anyone().get(f"/questions/{other[0]}")["appeal_outcome"] == "granted"
    assert not errors


def test_a_reply_that_an_office_drafted_is_met_at_its_question(
    browser: Browser, demo: Running
) -> None:
    api, here = demo.as_("moderator"), demo.here
    subject = demo.state()["slot"]["subject"]
    approved = api.get(f"{here}/desk/questions?status=approved")["items"]
    for one in approved[:2]:
        path = f"{here}/desk/questions/{one['id']}/shortlisting"
        api.do("POST", path, {"subject": subject})
    sent_brief(demo, subject)
    office = Client(demo.url, cookie=office_of(demo, subject))
    page, errors = opened(browser, demo)
    count = page.locator("#drafts")
    expect(count).to_be_hidden()
    office.do("PUT", f"{here}/brief/replies/1", {"text": "已列入下月计划。"})
    expect(count).to_have_text("1 份答复稿")  # It has come in meanwhile.
    drafts = page.evaluate(
        "fetch(`${location.pathname}/drafts?seat=${document.body.dataset.seat}`).then(a => a.json())"
    )
    first = drafts["items"][0]["id"]
    sent = api.get(f"{here}/desk/questions?subject={subject}&status=shortlisted,queued")["items"]
    assert len(sent) > 1
    other = next(one["id"] for one in sent if one["id"] != first)
    page.locator('[data-states=""]').click()
    expect(page.locator("#list-title")).to_have_text("全部")
    page.select_option("#f-subject", subject)
    field, mark = page.locator("#reply-text"), page.locator('[data-part="draft-waits"]')
    page.locator(f"#row-{first} .row-button").click()
    expect(mark).to_have_text("有书面答复稿")
    page.keyboard.press("w")
    expect(field).to_have_value("已列入下月计划。")
    assert violations(page) == []
    # The other one: his own words stay, whatever the office writes while he does.
    page.locator(f"#row-{other} .row-button").click()
    expect(page.locator(f'.pane[data-id="{other}"]')).to_be_visible()
    expect(mark).to_be_hidden()
    page.keyboard.press("w")
    field.fill("本月公布。")
    for number in range(1, len(sent) + 1):
        office.do("PUT", f"{here}/brief/replies/{number}", {"text": "已经公布。"})
    expect(mark).to_be_visible()
    assert field.input_value() == "本月公布。"
    expect(page.locator('[data-part="proposed"]')).to_contain_text("已经公布。")
    expect(count).to_have_text(f"{len(sent)} 份答复稿")
    assert violations(page) == []
    page.locator("#reply button.primary").click()
    expect(count).to_have_text(f"{len(sent) - 1} 份答复稿")
    assert api.get(f"{here}/desk/questions/{other}")["status"] == "replied_in_writing"
    assert not errors
