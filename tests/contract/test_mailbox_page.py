"""What an office reads of its mailboxes: what is wrong in words, what was kept apart and why."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any

import httpx2
import pytest

from server.domain.refusals import CATALOGUE
from tests.contract.kept_apart import keep_apart
from tests.mail_services import MailServer, outbox
from tests.moderation.letters import HOSTILE, letter
from tests.running import Running, wait_until

pytestmark = pytest.mark.system


class Box:
    """A mailbox and its source."""

    def __init__(self, demo: Running, server: MailServer, **told: Any) -> None:
        self.demo, self.office = demo, demo.as_("office")
        self.user = f"u{secrets.token_hex(4)}"
        self.key = f"letters-{self.user}"
        self.right = server.settings(self.user)
        new = {"key": self.key, "name": "市长信箱", "connector": "imap", "channel": "mailbox",
               "settings": {**self.right, **told}}  # fmt: skip
        self.office.do("POST", f"{demo.here}/sources", new)

    def state(self) -> Any:
        found = self.office.get(f"{self.demo.here}/sources")["items"]
        return next(one for one in found if one["key"] == self.key)

    def change(self, **what: Any) -> None:
        path = f"{self.demo.here}/sources/{self.key}"
        self.office.do("PATCH", path, {"version": self.state()["version"], **what})

    def page(self, lang: str) -> str:
        here = f"{self.demo.url}/office/hearings/{self.demo.slug}/sources"
        with httpx2.Client(trust_env=False, follow_redirects=True) as browser:
            entered = browser.get(self.demo.line["links"]["office"])
            seat = {k: v for k, v in entered.url.params.items() if k == "seat"}
            text = browser.get(here, params={**seat, "lang": lang}).text
        return text.split(f'id="source-{self.key}"')[1].split("</section>")[0]


def test_an_office_reads_what_is_wrong_and_mends_it(
    shared_demo: Running, mail_server: MailServer
) -> None:
    box = Box(shared_demo, mail_server, password="wrong")
    mail_server.put(box.user, HOSTILE["a bounce"][0], letter(), HOSTILE["a thousand parts"][0])
    wait_until(lambda: box.state()["error"] == "mailbox_login")
    row = CATALOGUE["mailbox_login"]
    assert row.zh in box.page("zh")
    assert row.en in box.page("en")
    box.change(settings={"password": box.right["password"]})
    wait_until(lambda: box.state()["last_at"])
    state = box.state()
    assert state["error"] is None
    assert state["totals"] == {"new": 1, "updated": 0, "unchanged": 0, "quarantined": 2}
    page = box.page("zh")
    assert "2 封没有收入" in page
    assert "退信通知，不是来信" in page
    assert "a notice about an undelivered message" in box.page("en")
    assert "wrong" not in page
    desk = shared_demo.as_("moderator")
    path = f"{shared_demo.here}/desk/questions?source={box.key}"
    (question,) = desk.get(path)["items"]
    assert question["source"] == "mailbox"
    assert "13912345678" not in str(question)


def journal(demo: Running) -> list[Any]:
    """What was done to sources: (actor, what)."""
    entries = demo.as_("office").get(f"{demo.here}/journal?after=0")["entries"]
    return [(one["actor"], one["body"]) for one in entries if one["event"] == "source_changed"]


def test_what_was_kept_apart_is_read_again_or_thrown_away(shared_demo: Running) -> None:
    """One comes in with today's program, one does not, one goes; each by whom stands in the journal."""
    demo, key = shared_demo, f"letters-{secrets.token_hex(4)}"
    office, settings = demo.as_("office"), {"host": "127.0.0.9", "user": "m", "password": "x"}
    new = {"key": key, "name": "市长信箱", "connector": "imap", "channel": "mailbox"}
    office.do("POST", f"{demo.here}/sources", {**new, "settings": settings})
    large = letter(b"x" * 3_000_000)
    keep_apart(
        demo,
        key,
        {
            "M-good": (letter(), "letter_unreadable"),
            "M-bounce": (HOSTILE["a bounce"][0], "letter_bounce"),
            "M-gone": (letter(b"poison"), "letter_unreadable"),
        },
    )
    here = f"{demo.here}/sources/{key}/quarantine"
    assert demo.as_("moderator").refused("POST", f"{here}/M-good/reading")[0] == 403
    assert demo.as_("moderator").refused("DELETE", f"{here}/M-good")[0] == 403
    code = office.do("POST", f"{here}/M-good/reading")["code"]
    path = f"{demo.here}/desk/questions?source={key}"
    wait_until(lambda: demo.as_("moderator").get(path)["items"][0]["status"] == "screened")
    (question,) = demo.as_("moderator").get(path)["items"]
    assert question["code"] == code
    assert "13912345678" not in str(question)
    assert office.refused("POST", f"{here}/M-good/reading") == (404, "not_found")
    answer = office.call("POST", f"{here}/M-bounce/reading", {}).json()["error"]
    assert answer["code"] == "letter_refused"
    assert "退信通知" in answer["message"]
    assert office.do("DELETE", f"{here}/M-gone") == {"name": "M-gone"}
    assert office.refused("DELETE", f"{here}/M-gone") == (404, "not_found")
    told = [body for _, body in journal(demo) if body["source"] == key]
    assert [one.get("released") or one.get("discarded") for one in told[1:]] == ["M-good", "M-gone"]
    assert all(actor for actor, _ in journal(demo))
    keep_apart(demo, key, {"M-large": (large, "letter_unreadable")})
    assert office.do("POST", f"{here}/M-large/reading")["code"]


def test_a_letter_asked_for_by_hand_or_by_nobody_is_there(
    everywhere_shared: Running, mail_server: MailServer
) -> None:
    """In one process, and where a worker asks."""
    box = Box(everywhere_shared, mail_server, host="127.0.0.2", every_s=3_600)
    wait_until(lambda: box.state()["last_at"])
    box.change(paused=True)
    mail_server.put(box.user, letter())
    polling = f"{everywhere_shared.here}/sources/{box.key}/polling"
    assert box.office.refused("POST", polling) == (409, "source_paused")
    box.change(paused=False)
    wait_until(lambda: box.state()["totals"].get("new") == 1)
    mail_server.put(box.user, letter(message_id=b"<2@x>"))
    box.office.do("POST", polling)
    wait_until(lambda: box.state()["totals"].get("new") == 2)


def test_a_process_that_is_killed_loses_no_letter_and_answers_none_twice(
    demo: Running, mail_server: MailServer
) -> None:
    """Killed while letters come in, and again while their senders are told."""
    many = 150
    with outbox(mail_server.here) as post:
        told = {"acknowledge": True, "smtp_host": "127.0.0.1", "smtp_port": post.port,
                "smtp_tls": "none", "from": "mayor@city.example"}  # fmt: skip
        box = Box(demo, mail_server, **told)
        mail_server.put(
            box.user,
            *[
                letter(message_id=b"<%d@x>" % n, sender=b"<c%d@citizen.example>" % n)
                for n in range(many)
            ],
        )
        for so_far in (lambda: box.state()["totals"].get("new", 0) > 0, lambda: post.letters):
            wait_until(so_far)
            demo.kill()
            demo.again()
            box.office = demo.as_("office")
        wait_until(lambda: box.state()["totals"].get("new") == many)
        wait_until(lambda: len(post.letters) >= many - 2)
        assert box.state()["totals"]["new"] == many
        to = post.to()
    assert len(to) == len(set(to))
    with sqlite3.connect(demo.data / "pingyi.db") as database:
        sql = "select count(*), count(distinct external_id) from questions where source_key = ?"
        assert database.execute(sql, (box.key,)).fetchone() == (many, many)
    database.close()
