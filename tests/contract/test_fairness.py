"""Fairness that can be seen gives numbers and fates away, and nobody's words.

Two hundred details are planted in questions of every state, in places that nobody outside the desk may
read; then all that the public can ask for, and the host's chart, is searched for each of them.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import httpx2

from server.domain.questions import PUBLIC, STATES
from tests.running import Running, frames_until, new_key, wait_until

HIDDEN = tuple(state for state in STATES if state not in PUBLIC)
DETAILS = 200


def planted(demo: Running) -> tuple[dict[str, str], dict[str, str]]:
    """(detail → where it stands, code → state). The text of a question that is public is public: in
    those the details stand in the title, the sender's number and fields, the first wording and the
    appeal; in all others in the text as well."""
    where: dict[str, str] = {}
    codes: dict[str, str] = {}

    def detail(place: str) -> str:
        word = f"密{len(where):03d}语"
        where[word] = place
        return word

    with sqlite3.connect(demo.data / "pingyi.db", timeout=20) as database:
        hearing, office, run = database.execute(
            "SELECT id, office_id, run_id FROM hearings"
        ).fetchone()
        n = 0
        while len(where) < DETAILS:
            state = STATES[n % len(STATES)]
            if state == "on_stage":
                state = "queued"
            hidden = state in HIDDEN
            code = f"FAIR{n:04d}"
            codes[code] = state
            row = {
                "office_id": office,
                "hearing_id": hearing,
                "run_id": run,
                "code": code,
                "status": state,
                "text": detail(f"{state} text") if hidden else "路灯不亮，何时修好？",
                "first_text": detail(f"{state} first wording"),
                "title": detail(f"{state} title"),
                "external_id": detail(f"{state} number"),
                "appeal": detail(f"{state} appeal"),
                "fields": json.dumps(
                    {"location": detail(f"{state} place"), "district": f"{n % 4}区"}
                ),
                "source": "hotline",
                "source_key": "hotline-12345",
                "reason": "unclear" if state == "rejected" else None,
                "merged_into": "FAIR0000" if state == "merged" else None,
                "tags": "[]",
                "flags": "[]",
                "version": 1,
                "created_at": 1,
                "approved_at": None if hidden else 9_000_000_000_000 + n,
                **dict.fromkeys(("support", "likes", "carried_askers", "carried_likes"), 0),
                **{"askers": 1, "asker": "", "secret_hash": "", "off_cuff": 0, "indexed": 1},
            }
            names = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            database.execute(f"INSERT INTO questions ({names}) VALUES ({marks})", row)
            n += 1
    return where, codes


def everything(demo: Running, codes: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(where, what) of all that the public can read, and of the host's chart."""
    anyone = demo.anyone()
    paths = [demo.here, f"{demo.here}/agenda", *(f"/questions/{code}" for code in codes)]
    for path in paths:
        yield path, anyone.call("GET", path).text
    cursor: Any = ""
    while cursor is not None:
        page = anyone.get(f"{demo.here}/questions" + (f"?cursor={cursor}" if cursor else ""))
        yield "the list", json.dumps(page, ensure_ascii=False)
        cursor = page["cursor"]
    similar = {"text": "路灯不亮，何时修好？"}
    yield "similar", anyone.call("POST", f"{demo.here}/questions/similar", similar).text
    pages = [f"/h/{demo.slug}?lang={lang}" for lang in ("zh", "en")]
    pages += [f"/q/{code}?lang={lang}" for code in codes for lang in ("zh", "en")]
    pages += ["/open311/v2/requests.json?jurisdiction_id=" + demo.slug]
    for path in pages:
        yield path, httpx2.get(demo.url + path, trust_env=False, timeout=30).text
    with httpx2.Client(trust_env=False, timeout=30, follow_redirects=True) as browser:
        browser.get(demo.line["links"]["host"])
        for lang in ("zh", "en"):
            chart = browser.get(f"{demo.url}/h/{demo.slug}/host/fairness?lang={lang}")
            assert chart.status_code == 200
            assert "</table>" in chart.text
            yield f"the chart {lang}", chart.text
    for form in ("json", "html"):
        with demo.socket(**{"as": form}) as socket:
            screened = next(code for code, state in codes.items() if state == "screened")
            desk = demo.as_("moderator")
            asked = demo.viewer().do(
                "POST", f"{demo.here}/questions", {"text": f"{form}：多久？"}, new_key()
            )
            id_ = desk.get(f"{demo.here}/desk/questions?q={asked['code']}")["items"][0]["id"]
            desk.do("POST", f"{demo.here}/desk/questions/{id_}/approval")
            hidden = desk.get(f"{demo.here}/desk/questions?q={screened}")["items"][0]["id"]
            desk.do(
                "POST", f"{demo.here}/desk/questions/{hidden}/rejection", {"reason": "insulting"}
            )
            desk.do("DELETE", f"{demo.here}/desk/questions/{hidden}/rejection")
            desk.do("POST", f"{demo.here}/desk/questions/{hidden}/merging", {"into": id_})
            desk.do("DELETE", f"{demo.here}/desk/questions/{hidden}/merging")
            told: list[Any] = []
            frames_until(
                socket, lambda f, told=told: told.append(f) or ("fates" in f and len(told) > 3)
            )
            yield f"frames {form}", json.dumps(told, ensure_ascii=False)


def test_nobody_reads_in_it_what_is_not_public(demo: Running) -> None:
    where, codes = planted(demo)
    assert len(where) >= DETAILS
    found, read = set(), 0
    for place, text in everything(demo, codes):
        read += 1
        found |= {(place, where[word]) for word in where if word in text}
    assert read > 100
    assert found == set()


def test_a_merged_question_tells_the_fate_of_what_it_went_into(demo: Running) -> None:
    desk, viewer = demo.as_("moderator"), demo.viewer()
    anyone, host = demo.anyone(), demo.as_("host")
    asked = [
        viewer.do("POST", f"{demo.here}/questions", {"text": f"{n} 号楼何时通水？"}, new_key())
        for n in range(3)
    ]
    ids = [
        desk.get(f"{demo.here}/desk/questions?q={one['code']}")["items"][0]["id"] for one in asked
    ]
    first, second, third = (one["code"] for one in asked)
    for id_ in ids:  # The screener is a machine that comes by.
        while desk.get(f"{demo.here}/desk/questions/{id_}")["status"] == "received":
            time.sleep(0.1)
    desk.do("POST", f"{demo.here}/desk/questions/{ids[0]}/merging", {"into": ids[1]})
    desk.do("POST", f"{demo.here}/desk/questions/{ids[1]}/merging", {"into": ids[2]})

    def fate() -> Any:
        page = httpx2.get(f"{demo.url}/q/{first}", trust_env=False, timeout=30).text
        assert f'href="/q/{third}?lang=zh"' in page
        assert "何时通水" not in page
        told = anyone.get(f"/questions/{first}")
        assert told["merged_into"] == second
        return told["followed"]

    assert fate() == {"code": third, "status": "screened"}
    desk.do("POST", f"{demo.here}/desk/questions/{ids[2]}/approval")
    host.do("PUT", f"{demo.here}/stage", {"question": ids[2]})
    assert fate() == {"code": third, "status": "on_stage"}
    host.do("DELETE", f"{demo.here}/stage", {"outcome": "answered"})
    followed = fate()
    assert followed["status"] == "answered"
    assert followed["answered_at"] == anyone.get(f"/questions/{third}")["answered_at"]
    desk.do("DELETE", f"{demo.here}/desk/questions/{ids[0]}/merging")
    assert "followed" not in anyone.get(f"/questions/{first}")


def test_a_refused_one_shows_its_reason_and_takes_one_appeal(demo: Running) -> None:
    desk, anyone = demo.as_("moderator"), demo.anyone()
    asked = demo.viewer().do("POST", f"{demo.here}/questions", {"text": "何时通气？"}, new_key())
    id_ = desk.get(f"{demo.here}/desk/questions?q={asked['code']}")["items"][0]["id"]
    desk.do("POST", f"{demo.here}/desk/questions/{id_}/rejection", {"reason": "off_topic"})
    told = anyone.get(f"/questions/{asked['code']}")
    assert (told["reason"], told["reason_text"]) == ("off_topic", "与本场述法无关")
    page = httpx2.get(f"{demo.url}/q/{asked['code']}", trust_env=False, timeout=30).text
    assert "与本场述法无关" in page
    appeal = {"secret": asked["secret"], "text": "燃气归住建局管。"}
    anyone.do("POST", f"/questions/{asked['code']}/appeal", appeal)
    again = anyone.refused("POST", f"/questions/{asked['code']}/appeal", appeal)
    assert again == (409, "appeal_used")

    def page_of() -> str:
        return httpx2.get(f"{demo.url}/q/{asked['code']}", trust_env=False, timeout=30).text

    assert "燃气" not in page_of()
    assert "复核结果会显示在本页" in page_of()
    at = f"{demo.here}/desk/questions/{id_}"
    desk.do("POST", f"{at}/upholding", {"note": "请写明小区。"})
    told = anyone.get(f"/questions/{asked['code']}")
    assert (told["appeal_outcome"], told["appeal_note"]) == ("upheld", "请写明小区。")
    assert "申诉已复核：维持退回。" in page_of()
    assert "请写明小区。" in page_of()
    assert desk.refused("POST", f"{at}/upholding") == (409, "appeal_answered")
    desk.do("DELETE", f"{at}/rejection")
    told = anyone.get(f"/questions/{asked['code']}")
    assert (told["appeal_outcome"], "appeal_note" in told) == ("granted", False)
    assert "申诉成立，重新审核。" in page_of()


def test_a_browser_without_scripts_gets_the_numbers_too(demo: Running) -> None:
    """A refusal moves no version of the public's, under which the page is kept."""

    def page() -> str:
        return httpx2.get(f"{demo.url}/h/{demo.slug}", trust_env=False, timeout=30).text

    refused = '<b class="num" data-pulse="fates:refused">{}</b>'
    assert refused.format(0) in page()
    desk = demo.as_("moderator")
    waiting = f"{demo.here}/desk/questions?status=screened"
    wait_until(lambda: desk.get(waiting)["items"])
    id_ = desk.get(waiting)["items"][0]["id"]
    desk.do("POST", f"{demo.here}/desk/questions/{id_}/rejection", {"reason": "unclear"})
    assert demo.state()["reasons"]["unclear"] == 1
    deadline = time.monotonic() + 20
    while refused.format(1) not in page():
        assert time.monotonic() < deadline
        time.sleep(0.5)
