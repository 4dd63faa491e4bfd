"""What keeps documents, words, templates and vendored files true to the code."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from server.domain.events import EVENTS, ROOMS
from server.domain.refusals import CATALOGUE, Refusal
from tools.make_docs import PAGES

ROOT = Path(__file__).parent.parent.parent
CODE = [p for folder in ("server", "web", "moderation") for p in (ROOT / folder).rglob("*.py")]
FORBIDDEN = ("听证会", "官员", "版主", "投票", "评委")


@pytest.mark.parametrize("name", PAGES)
def test_documents_are_what_the_code_says(name: str) -> None:
    kept = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert kept == PAGES[name](), "run: python tools/make_docs.py"


def test_every_refusal_that_is_raised_stands_in_the_catalogue() -> None:
    raised = set()
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r'Refusal\(\s*"([a-z_]+)"', text))
    assert raised <= set(CATALOGUE)
    assert len(raised) > 40


def test_refusals_have_both_languages_and_fill_their_names() -> None:
    for code, row in CATALOGUE.items():
        assert row.zh
        assert row.en
        assert 400 <= row.status < 600
        names = set(re.findall(r"{(\w+)}", row.zh)) | set(re.findall(r"{(\w+)}", row.en))
        filled = Refusal(code, **dict.fromkeys(names, "§"))
        for lang in ("zh", "en"):
            assert "…" not in filled.message(lang)


def test_every_event_names_known_rooms_and_is_recorded_somewhere() -> None:
    text = "\n".join(p.read_text(encoding="utf-8") for p in CODE)
    for name, event in EVENTS.items():
        assert set(event.rooms) <= set(ROOMS)
        assert f'"{name}"' in text


def test_forbidden_words_stand_nowhere_that_people_read() -> None:
    found = []
    for path in [
        *(ROOT / "web").rglob("*.html"),
        *(ROOT / "web").rglob("*.po"),
        *(ROOT / "web").rglob("*.js"),
        *(ROOT / "server").rglob("*.yaml"),
        *CODE,
        ROOT / "README.zh-CN.md",
    ]:
        if "vendor" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word in text]
    assert not found


def test_vendored_files_are_the_ones_in_the_lock() -> None:
    vendor = ROOT / "web" / "static" / "vendor"
    lock = json.loads((vendor / "vendor.lock.json").read_text())
    names = set()
    for row in lock:
        path = ROOT / row["file"] if row["file"].startswith("tests/") else vendor / row["file"]
        digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        assert row["integrity"] == f"sha512-{digest}"
        assert row["version"]
        assert row["licence"]
        names.add(path.name)
    assert {p.name for p in vendor.glob("*.js")} <= names


def test_pages_have_nothing_inline() -> None:
    wrong = []
    for path in (ROOT / "web").rglob("*.html"):
        text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.S)
        for pattern in (
            r"\sstyle=",
            r"\son[a-z]+=",
            r"<script(?![^>]*\ssrc=)",
            r"<style",
            r"\|\s*safe",
        ):
            if re.search(pattern, text):
                wrong.append(f"{path.relative_to(ROOT)}: {pattern}")
    assert not wrong


def test_the_house_names_no_machine_and_no_third_party_origin() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in tracked:
        path = ROOT / name
        if not path.is_file() or path.suffix not in {".html", ".js", ".css"} or "vendor" in name:
            continue
        urls = re.findall(r"https?://[^\s\"'`<)]+", path.read_text(encoding="utf-8"))
        assert not [u for u in urls if "www.w3.org" not in u], name


def test_live_js_stays_short() -> None:
    assert len((ROOT / "web/static/live.js").read_text().splitlines()) <= 200


def test_requirements_are_the_pins_of_the_project() -> None:
    """Every direct dependency is pinned with hashes, in both files, and no registry is named."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = (ROOT / "requirements.txt").read_text()
    dev = (ROOT / "requirements-dev.txt").read_text()
    for one in project["dependencies"]:
        name = re.split(r"[\[<>=; ]", one)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", runtime, re.M), name
        assert re.search(rf"^{re.escape(name)}==", dev, re.M), name
    for text in (runtime, dev):
        assert "://" not in text
        assert text.count("--hash=sha256:") > 50
