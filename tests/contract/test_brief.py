"""What leaves the desk for an official's office cannot hurt a citizen, and is exactly what was previewed.

Two hundred details stand in the letters behind the shortlisted questions: names, numbers, times, places below
the district, attachments, in fields, titles, texts and earlier wordings. None is found in anything that the
office reads: its page, the API, the workbook, the frames of its screen.
"""

from __future__ import annotations

import io
import json
import re
import sqlite3
from typing import Any

import httpx2
import openpyxl
import pytest

from tests.contract.right_calls import office_of
from tests.running import Client, Running, frames_until

SUBJECT, OTHER = "housing", "city"
DETAILS = 200
WORDINGS = (
    "电梯停运的时间怎样向住户公开？",
    "维修资金的使用情况多久公布一次？",
    "物业更换的表决怎样监督？",
    "老旧管道改造怎样排出先后？",
)


def planted(demo: Running) -> list[str]:
    """Details in every place of a letter: four shortlisted questions, each with many merged into it."""
    details: list[str] = []

    def detail(kind: str) -> str:
        details.append(f"{kind}{len(details):03d}")
        return details[-1]

    with sqlite3.connect(demo.data / "pingyi.db", timeout=20) as database:
        hearing, office, run = database.execute(
            "SELECT id, office_id, run_id FROM hearings"
        ).fetchone()
        database.execute(
            "UPDATE questions SET subject = ? WHERE subject = ? AND status IN ('shortlisted','queued')",
            (OTHER, SUBJECT),
        )
        n = 0
        while len(details) < DETAILS or n % 5:
            root = f"ROOT{n // 5:04d}"
            of_root = n % 5 == 0
            phone = f"1380000{n:04d}"
            fields = {
                "district": f"云澜市芦照区{detail('街道')}",
                "location": detail("路"),
                "community": detail("社区"),
                "requester_name": detail("人"),
                "requester_phone": phone,
                "accepted_at": f"2026-03-{1 + n % 28:02d}T09:12:00+08:00",
                "attachments": detail("照片") + ".jpg",
                "extra": {"备注": detail("备注")},
            }
            details.append(phone)
            row: dict[str, Any] = {
                "office_id": office,
                "hearing_id": hearing,
                "run_id": run,
                "code": root if of_root else f"PART{n:04d}",
                "status": "shortlisted" if of_root else "merged",
                "before_merge": None if of_root else "screened",
                "merged_into": None if of_root else root,
                "subject": SUBJECT,
                "text": WORDINGS[n // 5 % 4] if of_root else f"{detail('原话')}一直没有解决。",
                "first_text": f"{detail('原文')}一直没有解决。",
                "title": detail("标题"),
                "external_id": detail("FZ"),
                "fields": json.dumps(fields, ensure_ascii=False),
                "source": "hotline",
                "source_key": "hotline-12345",
                "tags": json.dumps([detail("标签")]),
                "flags": "[]",
                "askers": 5 if of_root else 1,
                "carried_askers": 0 if of_root else 1,
                "approved_at": 9_000_000_000_000 + n if of_root else None,
                **dict.fromkeys(("support", "likes", "carried_likes", "off_cuff"), 0),
                **{"asker": "", "secret_hash": "", "indexed": 1, "version": 1, "created_at": 1},
            }
            names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            id_ = database.execute(
                f"INSERT INTO questions ({names}) VALUES ({marks})", row
            ).lastrowid
            database.execute(
                "INSERT INTO question_texts (office_id, question_id, version, text, actor, at)"
                " VALUES (?, ?, 1, ?, 'x', 1)",
                (office, id_, detail("旧稿")),
            )
            n += 1
    return details


@pytest.fixture
def office(demo: Running) -> Client:
    """The official's office, which came by its card."""
    return Client(demo.url, cookie=office_of(demo, SUBJECT))


def page_of(demo: Running, cookie: str | None, path: str) -> str:
    """A page as this browser reads it."""
    headers = {"Cookie": cookie} if cookie else {}
    answer = httpx2.get(demo.url + path, headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def desk_page(demo: Running) -> str:
    """The desk's preview."""
    with httpx2.Client(trust_env=False, timeout=30, follow_redirects=True) as browser:
        browser.get(demo.line["links"]["desk"])
        answer = browser.get(f"{demo.url}/h/{demo.slug}/desk/brief/{SUBJECT}")
    assert answer.status_code == 200
    return answer.text


def table_in(page: str) -> str:
    """The lines as the page holds them."""
    found = re.search(r'<div class="brief-lines".*?</div>', page, re.DOTALL)
    assert found
    return found[0]


def test_nothing_of_two_hundred_details_is_read_at_the_office(
    demo: Running, office: Client
) -> None:
    details = planted(demo)
    assert len(details) >= DETAILS
    desk, here = demo.as_("moderator"), f"{demo.here}/brief/{SUBJECT}"
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    preview = desk.get(here)
    assert preview["kept_back"] == []
    assert len(preview["lines"]) == len(WORDINGS)
    before = table_in(desk_page(demo))
    workbook = desk.call("GET", f"{here}/workbook.xlsx").content
    token = demo.line["tokens"]["host"]
    with demo.socket("podium", token=token, **{"as": "html"}) as podium:
        podium.recv()
        desk.do("POST", here, {"hash": preview["hash"]})
        demo.as_("host").do("POST", f"{demo.here}/notices", {"text": "请准备"})
        frames = frames_until(podium, lambda frame: frame.get("event") == "notice")
    page = page_of(demo, office.cookie, f"/h/{demo.slug}/brief")
    told = office.get(f"{demo.here}/brief")
    cells = [
        [one.value for one in row] for row in openpyxl.load_workbook(io.BytesIO(workbook)).active
    ]
    read = {
        "preview": before,
        "page": page,
        "page in English": page_of(demo, office.cookie, f"/h/{demo.slug}/brief?lang=en"),
        "api": json.dumps(told, ensure_ascii=False),
        "workbook": json.dumps(cells, ensure_ascii=False),
        "podium": json.dumps(frames, ensure_ascii=False),
        "podium page": page_of(demo, office.cookie, f"/h/{demo.slug}/podium"),
    }
    found = [(where, one) for where, text in read.items() for one in details if one in text]
    assert found == []
    assert "ROOT" not in "".join(read[name] for name in ("preview", "page", "api", "workbook"))
    # What was previewed, what was sent, what is read and what is downloaded is one and the same.
    assert table_in(page) == before
    lines = [{k: v for k, v in one.items() if k != "reply"} for one in told["sent"]["lines"]]
    assert lines == preview["lines"]
    assert lines[0] == {"number": 1, "wording": WORDINGS[0], "district": "芦照区", "people": 5}
    assert [row[:4] for row in cells[2:]] == [
        [one["number"], one["wording"], one["district"], one["people"]] for one in lines
    ]


def shortlisted(demo: Running, text: str | None) -> Any:
    """An approved question shortlisted for the subject, rewritten when a text is given."""
    desk = demo.as_("moderator")
    one = desk.get(f"{demo.here}/desk/questions?status=approved")["items"][0]
    path = f"{demo.here}/desk/questions/{one['id']}"
    desk.do("POST", f"{path}/shortlisting", {"subject": SUBJECT})
    if text is not None:
        desk.do("PATCH", path, {"version": desk.get(path)["version"], "text": text})
    return desk.get(path)


@pytest.fixture
def clean(demo: Running) -> Running:
    """Nothing waits for the subject."""
    with sqlite3.connect(demo.data / "pingyi.db", timeout=20) as database:
        database.execute("UPDATE questions SET subject = ? WHERE subject = ?", (OTHER, SUBJECT))
    return demo


def test_a_citizens_own_words_are_never_sent(clean: Running, office: Client) -> None:
    demo, desk, here = clean, clean.as_("moderator"), f"{clean.here}/brief/{SUBJECT}"
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    assert desk.refused("POST", here, {"hash": desk.get(here)["hash"]}) == (409, "brief_empty")
    own = shortlisted(demo, None)
    shortlisted(demo, WORDINGS[0])
    preview = desk.get(here)
    assert preview["kept_back"] == [{"id": own["id"], "code": own["code"], "why": "not_neutral"}]
    assert own["text"] not in json.dumps(preview, ensure_ascii=False)
    assert own["text"][:12] not in desk_page(demo)
    assert desk.refused("POST", here, {"hash": preview["hash"]}) == (409, "not_neutral")
    path = f"{demo.here}/desk/questions/{own['id']}"
    told = f"关于{own['text'][:20]}，怎样处理？"
    desk.do("PATCH", path, {"version": own["version"], "text": told})
    preview = desk.get(here)
    assert [one["why"] for one in preview["kept_back"]] == ["tells_source"]
    assert desk.refused("POST", here, {"hash": preview["hash"]}) == (409, "tells_source")
    assert office.get(f"{demo.here}/brief")["sent"] is None


CARELESS = (
    "翠湖苑小区的电梯停运怎样公开？",
    "湖东的电梯停运怎样公开？",
    "石桥村维修资金怎样公布？",
    "翠湖路12号院的物业怎样监督？",
    "翠湖路的管道怎样排出先后？",
    "3号楼的电梯由谁检修？",
    "十一月三日停水为何不通知？",
    "上周三晚上八点的施工由谁批准？",
    "一直没人来修水管怎么处理？",
)
"""What a moderator copies out of a letter without a thought: places and days that are sealed and stand in no
field, one that stands in a field without its ending, and the greater part of a short text."""


def test_a_careless_moderators_wording_leaves_no_desk(clean: Running, office: Client) -> None:
    demo, desk, here = clean, clean.as_("moderator"), f"{clean.here}/brief/{SUBJECT}"
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    one = shortlisted(demo, WORDINGS[0])
    with sqlite3.connect(demo.data / "pingyi.db", timeout=20) as database:
        database.execute(
            "UPDATE questions SET first_text = ?, title = '', fields = ? WHERE id = ?",
            ("一直没人来修水管", json.dumps({"community": "湖东社区"}), one["id"]),
        )
    path = f"{demo.here}/desk/questions/{one['id']}"
    for wording in (*CARELESS, "一直没人来修水管？"):
        desk.do("PATCH", path, {"version": desk.get(path)["version"], "text": wording})
        preview = desk.get(here)
        assert (wording, preview["lines"]) == (wording, [])
        assert desk.refused("POST", here, {"hash": preview["hash"]})[0] == 409
    desk.do("PATCH", path, {"version": desk.get(path)["version"], "text": WORDINGS[1]})
    desk.do("POST", here, {"hash": desk.get(here)["hash"]})
    assert office.get(f"{demo.here}/brief")["sent"]["lines"][0]["wording"] == WORDINGS[1]


def test_what_was_sent_is_what_was_previewed_and_stays(clean: Running, office: Client) -> None:
    demo, desk, here = clean, clean.as_("moderator"), f"{clean.here}/brief/{SUBJECT}"
    one = shortlisted(demo, WORDINGS[0])
    preview = desk.get(here)
    assert desk.refused("POST", here, {"hash": preview["hash"]}) == (409, "brief_off")
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    path = f"{demo.here}/desk/questions/{one['id']}"
    desk.do("PATCH", path, {"version": one["version"], "text": WORDINGS[1]})
    stale = desk.call("POST", here, {"hash": preview["hash"]})
    assert stale.status_code == 409
    assert stale.json()["error"]["code"] == "version_stale"
    assert stale.json()["error"]["detail"]["current"]["hash"] == desk.get(here)["hash"]
    desk.do("POST", here, {"hash": desk.get(here)["hash"]})

    def read() -> Any:
        sent = office.get(f"{demo.here}/brief")["sent"]
        return sent and [line["wording"] for line in sent["lines"]]

    assert read() == [WORDINGS[1]]
    desk.do("PATCH", path, {"version": desk.get(path)["version"], "text": WORDINGS[2]})
    assert read() == [WORDINGS[1]]
    desk.do("DELETE", f"{path}/shortlisting")
    assert read() == [WORDINGS[1]]
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": False})
    assert read() is None
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    desk.do("DELETE", here)
    assert read() is None
    entries = demo.as_("office").get(f"{demo.here}/journal")["entries"]
    events = [one for one in entries if one["event"].startswith("brief_")]
    assert [one["event"] for one in events] == [
        "brief_switched",
        "brief_sent",
        "brief_switched",
        "brief_switched",
        "brief_taken_back",
    ]
    assert all(one["actor"] and one["role"] == "moderator" for one in events)


def test_an_office_reads_its_own_alone_and_nobody_else_reads_it(
    clean: Running, office: Client
) -> None:
    demo, desk = clean, clean.as_("moderator")
    shortlisted(demo, WORDINGS[0])
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    here = f"{demo.here}/brief/{SUBJECT}"
    desk.do("POST", here, {"hash": desk.get(here)["hash"]})
    other = Client(demo.url, cookie=office_of(demo, OTHER))
    assert other.get(f"{demo.here}/brief") == {"subject": OTHER, "sent": None}
    assert WORDINGS[0] not in page_of(demo, other.cookie, f"/h/{demo.slug}/brief")
    assert WORDINGS[0] in page_of(demo, office.cookie, f"/h/{demo.slug}/brief")
    assert other.refused("PUT", f"{demo.here}/brief/replies/1", {"text": "甲乙"}) == (
        404,
        "not_found",
    )
    for method, path, body in (
        ("GET", here, None),
        ("POST", here, {"hash": "x"}),
        ("DELETE", here, {}),
        ("PUT", f"{demo.here}/brief", {"in_advance": False}),
    ):
        assert office.refused(method, path, body) == (403, "not_allowed")
    for role in ("host", "moderator", "teller"):
        assert demo.as_(role).refused("GET", f"{demo.here}/brief") == (403, "not_allowed")
    plain = demo.as_("office").do("POST", f"{demo.here}/cards", {"role": "subject"})["code"]
    used = httpx2.post(
        f"{demo.url}/join/{plain}", trust_env=False, timeout=30, follow_redirects=False
    )
    screen = Client(demo.url, cookie=used.headers["set-cookie"].partition(";")[0])
    assert screen.refused("GET", f"{demo.here}/brief") == (404, "not_found")
    wrong = {"role": "subject", "subject": "nobody"}
    assert demo.as_("office").refused("POST", f"{demo.here}/cards", wrong)[1] == "subject_unknown"


def test_a_proposed_reply_reaches_its_author_by_a_moderator_alone(
    clean: Running, office: Client
) -> None:
    demo, desk = clean, clean.as_("moderator")
    one = shortlisted(demo, WORDINGS[0])
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    here = f"{demo.here}/brief/{SUBJECT}"
    desk.do("POST", here, {"hash": desk.get(here)["hash"]})
    words = "停运时间已在楼道和公众号公布。"
    office.do("PUT", f"{demo.here}/brief/replies/1", {"text": words})
    anyone = demo.anyone()
    assert "reply" not in anyone.get(f"/questions/{one['code']}")
    assert words in desk_page(demo)
    assert desk.get(here)["sent"]["lines"][0]["reply"] == words
    assert office.refused("PUT", f"{demo.here}/brief/replies/2", {"text": words})[0] == 404
    assert office.refused("PUT", f"{demo.here}/brief/replies/1", {"text": "短" * 2001})[0] == 422
    accepted = {"reply": f"{words}请留意。"}
    desk.do("POST", f"{demo.here}/desk/questions/{one['id']}/reply", accepted)
    assert anyone.get(f"/questions/{one['code']}")["reply"] == accepted["reply"]
    assert "作为书面答复" not in desk_page(demo)
