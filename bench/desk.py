"""The moderators' desk: its lists at a hundred thousand questions, and a scripted moderator who makes forty
candidates out of four thousand orders.

`python -m bench.desk [lists] [moderator]` prints a table and exits 1 where a reach is missed. It needs the
real data beside the repository, prints no word of it, and uses the demonstration's server and Chromium.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
from playwright.sync_api import Page, sync_playwright

from bench.matching import many
from tests.journeys.browser import ARGUMENTS, CHROMIUM, DESKTOP
from tests.real_data import SHARED
from tests.running import PINGYI, Running, running, wait_until

MANY = 100_000
ROUNDS = 20
LIST_MS = 200.0
"""A page of any list at `MANY` questions takes no longer: the reach."""
ORDERS, CANDIDATES = 4_000, 40
WORDS = "请问此类问题由哪个部门负责，依据是什么，多久能够解决？"
"""What the scripted moderator types: a person's words are his own."""


# ── lists ──


def fill(demo: Running) -> None:
    """A hundred thousand screened questions beside those of the demonstration, in groups of up to fifty."""
    waiting = f"{demo.here}/desk/questions?status=screened"
    wait_until(lambda: demo.as_("moderator").get(waiting)["items"])
    book = sqlite3.connect(demo.data / "pingyi.db", timeout=60)
    book.row_factory = sqlite3.Row
    like = dict(
        book.execute("SELECT * FROM questions WHERE status = 'screened' LIMIT 1").fetchone()
    )
    del like["id"]
    subjects = [row[0] for row in book.execute("SELECT key FROM subjects")]
    names = list(like)
    rows = []
    for n, (_, title, text) in enumerate(many()):
        changed = {
            **like, "code": f"B{n:07d}", "title": title, "text": text, "first_text": text,
            "source": "hotline", "source_key": "bench", "external_id": f"B-{n}", "subject": None,
            "asker": f"p.{n * 7919 % 60_000}", "district": f"第{n % 9}区", "agency": "",
            "solved": ("", "solved", "unsolved")[n % 3], "proposed": subjects[n % len(subjects)],
            "cluster": n % 20_000 if n % 4 else n + 1_000_000, "indexed": 1,
            "created_at": like["created_at"] - n * 1000, "flags": '["bench:x"]' if n % 50 == 0 else "[]",
            "tags": '["道路"]' if n % 20 == 0 else "[]",
        }  # fmt: skip
        rows.append([changed[name] for name in names])
    with book:
        book.executemany(
            f"INSERT INTO questions ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            rows,
        )
    book.execute("ANALYZE")
    book.close()


def lists(demo: Running) -> dict[str, float]:
    """Milliseconds of each page as the browser asks for it: the median, and the slowest."""
    here = f"/h/{demo.slug}/desk"
    wanted = {
        "to review": "list?status=received,screened",
        "all": "list?",
        "oldest": "list?status=screened&sort=oldest",
        "most people": "list?status=screened&sort=heat",
        "of an official": "list?status=screened&subject=" + "housing",
        "a district": "list?status=screened&district=第3区",
        "unsolved": "list?status=screened&unsolved=true",
        "flagged": "list?status=screened&flagged=true",
        "a tag": "list?status=screened&tag=道路",
        "nobody's tag": "list?status=screened&tag=没有",
        "two characters": "list?q=路灯",
        "words that stand nowhere": "list?q=此句无处可寻",
        "mine": "list?mine=true",
        "old": "list?status=screened&old=24",
        "a group": "list?cluster=7&status=received,screened,approved,shortlisted,queued",
        "groups": "groups?",
        "one question": f"question/{newest(demo)}?",
    }
    found = {}
    headers = {"Authorization": f"Bearer {demo.line['tokens']['moderator']}"}
    with httpx2.Client(base_url=demo.url, headers=headers, timeout=60, trust_env=False) as client:
        for name, address in wanted.items():
            took = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                answer = client.get(f"{here}/{address}")
                took.append(1000 * (time.perf_counter() - began))
                assert answer.status_code == 200, (name, answer.status_code)
            found[name] = round(statistics.median(took), 1)
            print(f"  {name:26} {found[name]:8.1f} ms, slowest {max(took):8.1f}", flush=True)
    return found


def newest(demo: Running) -> int:
    page = demo.as_("moderator").get(f"{demo.here}/desk/questions?q=B0000007")
    return int(page["items"][0]["id"])


# ── a scripted moderator ──


def orders() -> bytes:
    """Four thousand real messages as a hotline hands them over."""
    book = openpyxl.load_workbook(SHARED / "messages-zh" / "a3_messages_votes.xlsx", read_only=True)
    rows = book.worksheets[0].iter_rows(min_row=2, values_only=True)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["工单编号", "诉求人", "标题", "主要内容", "是否解决"])
    for n, row in zip(range(ORDERS), rows, strict=False):
        solved = ("未解决", "解决", "")[n % 3]
        table.writerow(
            [f"GD{row[0]}", row[1], str(row[2] or "").strip(), str(row[4] or "").strip(), solved]
        )
    return text.getvalue().encode()


class Hands:
    """A moderator's hands: every press is counted; letters of what he writes are counted apart."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys, self.letters = page, 0, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def write(self, text: str) -> None:
        self.page.keyboard.insert_text(text)
        self.letters += len(text)


def moderator(demo: Running) -> dict[str, Any]:
    """From the imported orders to forty shortlisted questions, by keys alone."""
    file = demo.data / "orders.csv"
    file.write_bytes(orders())
    began = time.perf_counter()
    subprocess.run(
        [*PINGYI, "import", str(file), "--hearing", demo.slug, "--source", "hotline-12345"],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PINGYI_DATA": str(demo.data)},
    )
    imported = time.perf_counter() - began
    book = sqlite3.connect(f"file:{demo.data / 'pingyi.db'}?mode=ro", uri=True, timeout=60)
    while book.execute("SELECT count(*) FROM questions WHERE cluster IS NULL").fetchone()[0]:
        assert time.perf_counter() - began < 900
        time.sleep(1)
    grouped = time.perf_counter() - began - imported
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport=DESKTOP).new_page()
        page.goto(demo.line["links"]["desk"])
        page.wait_for_selector("#list [data-group]")
        hands, began = Hands(page), time.perf_counter()
        done: set[str] = set()
        while len(done) < CANDIDATES:
            page.wait_for_selector("#list [data-group]")
            hands.press("j", "Enter")
            page.wait_for_selector("#write-text")
            hands.press("Tab") if page.evaluate(
                "document.activeElement.id"
            ) != "write-text" else None
            if page.evaluate("document.activeElement.id") != "write-text":
                page.locator("#write-text").focus()
                hands.keys += 1
            hands.write(WORDS)
            hands.press("Control+Enter")
            page.wait_for_selector('.pane[data-status="approved"]')
            hands.press("s")
            page.wait_for_selector('.pane[data-status="shortlisted"]')
            done.add(page.locator(".pane").get_attribute("data-id") or "")
        seconds = time.perf_counter() - began
        browser.close()
    people, messages = book.execute(
        f"SELECT sum(askers), (SELECT count(*) FROM questions WHERE status = 'merged') FROM questions "
        f"WHERE id IN ({', '.join(done)})"
    ).fetchone()
    return {
        "orders": ORDERS,
        "candidates": len(done),
        "keystrokes": hands.keys,
        "letters_written": hands.letters,
        "seconds": round(seconds, 1),
        "people_behind": people,
        "messages_merged": messages,
        "import_s": round(imported, 1),
        "grouping_s": round(grouped, 1),
    }


def main(parts: Sequence[str]) -> int:
    """Prints the figures; 1 where a list takes longer than it may."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        if "lists" in parts:
            with running(Path(folder) / "lists") as demo:
                fill(demo)
                slow = {name: ms for name, ms in lists(demo).items() if ms > LIST_MS}
            for name, ms in slow.items():
                print(f"{name}: {ms} ms, wanted <= {LIST_MS}", file=sys.stderr)
            wrong = len(slow)
        if "moderator" in parts:
            with running(Path(folder) / "moderator") as demo:
                print(json.dumps(moderator(demo), indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ("lists", "moderator")))
