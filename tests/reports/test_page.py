"""`verify.html` in Chromium, from the disk: it and `verify.py` say the same of every bundle."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Page, Request

from server.domain.tally import TallyRefused
from server.reports import tools, verify
from server.reports.bundle import document, zip_of
from tests.journeys.browser import DESKTOP, PHONE, chromium, look_as, violations
from tests.reports.documents import ballots, composite
from tests.reports.documents import document as rule_document
from tests.reports.making import bundle, panel_material, rooted
from tests.reports.mutations import KINDS, mutated, rechained
from tests.reports.rounds import EDITIONS, ROUNDS, bundle_of, material_of
from tests.reports.test_differences import FAULTS, members_of, replaced
from tests.reports.test_second_tally import settled

HTML = Path(verify.__file__).with_name("verify.html")
SAYS = """async packed => {
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  try {
    const report = await verify(bytes);
    return {root: report.root, figures: flat(report.figures)};
  } catch (error) {
    return {check: error.check || String(error), member: error.member};
  }
}"""


def by_file(data: bytes) -> dict[str, Any]:
    """What `verify.py` says."""
    try:
        report = verify.verify(io.BytesIO(data))
    except verify.Difference as difference:
        return {"check": difference.check, "member": difference.member}
    return {"root": report.root, "figures": report.figures}


def drawn_bundles(n: int) -> Iterator[tuple[str, bytes]]:
    """Bundles of drawn rounds."""
    for seed in range(n):
        r = Random(seed)
        rules = settled(composite(r)) if seed % 5 == 0 else rule_document(r)
        rows = ballots(r, rules, r.choice((9, 30)))
        try:
            made = bundle(panel_material(r, rules, rows, r.choice(("named", "secret"))), seed)
        except TallyRefused:
            continue
        for edition in EDITIONS:
            yield f"drawn {seed} {edition}", made.zipped(edition)


def damaged_bundles() -> Iterator[tuple[str, bytes]]:
    """Bundles with a fault, under a new root, and with random mutations of every kind."""
    for fault, (name, edition, damage, *_) in FAULTS.items():
        yield fault, zip_of(damage(members_of(name, edition)))
    for seed in range(60):
        r, kind = Random(seed), sorted(KINDS)[seed % len(KINDS)]
        name, edition = r.choice(ROUNDS), r.choice(EDITIONS)
        yield f"{kind} {seed}", zip_of(mutated(r, members_of(name, edition), kind))


def strange_bundles(n: int) -> Iterator[tuple[str, bytes]]:
    """A place of a document is something else, and all hashes are made new."""
    junk = [None, True, -1, 10**15, "", "x", "1/0", [], {}, [[]], {"key": 1}, "__proto__"]
    for seed in range(n):
        r = Random(seed)
        members = members_of(r.choice(ROUNDS), r.choice(EDITIONS))
        names = [one for one in sorted(members) if one.endswith(".json") and "manif" not in one]
        name = r.choice(names)
        value = replaced(r, json.loads(members[name]), r.choice(junk))
        made = {**members, name: document(value)}
        try:
            made = rechained(made)
        except (TypeError, KeyError, AttributeError, ValueError):
            made = rooted(made)
        yield f"strange {seed}", zip_of(made)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """The page, opened from the disk."""
    with chromium() as browser:
        opened = browser.new_page(viewport=PHONE)
        opened.errors = []  # type: ignore[attr-defined, call-overload, method-assign, assignment]
        opened.requests = []  # type: ignore[attr-defined, call-overload, method-assign, assignment]
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))  # type: ignore[attr-defined, call-overload, method-assign, assignment]

        def asked(request: Request) -> None:
            opened.requests.append(request.url)  # type: ignore[attr-defined, call-overload, method-assign, assignment]

        opened.on("request", asked)
        opened.goto(HTML.as_uri())
        yield opened


@pytest.mark.system
def test_the_page_says_what_the_file_says_of_every_bundle(page: Page) -> None:
    whole = [
        (f"{name} {edition}", bundle_of(name).zipped(edition))
        for name in ROUNDS
        for edition in EDITIONS
    ]
    differing, outcomes = [], set()
    for name, data in [*whole, *drawn_bundles(50), *damaged_bundles()]:
        by_page = page.evaluate(SAYS, base64.b64encode(data).decode())
        own = by_file(data)
        outcomes.add(own.get("check"))
        if by_page != own:
            differing.append((name, own, by_page))
    for name, data in strange_bundles(100):
        by_page = page.evaluate(SAYS, base64.b64encode(data).decode())
        if ("root" in by_page) != ("root" in by_file(data)) or by_page.get("check") not in (
            None,
            *verify.CHECKS,
        ):
            differing.append((name, by_file(data), by_page))
    assert not differing
    assert outcomes == {None, *verify.CHECKS} - {"zip", "root"}


@pytest.mark.system
def test_a_person_chooses_a_file_and_reads_what_holds(page: Page, tmp_path: Path) -> None:
    made = bundle(material_of("grouped", tools()))
    file, other = tmp_path / "bundle.zip", tmp_path / "other.zip"
    file.write_bytes(made.zipped("public"))
    damage = FAULTS["a place changed"][2]
    other.write_bytes(zip_of(damage(members_of("plain", "public"))))
    page.reload()
    if page.locator("html").get_attribute("lang") == "en":
        page.click("#lang")
    page.set_input_files("#file", file)
    page.wait_for_selector("html[data-outcome=holds]")
    said = page.inner_text("main")
    for words in ("全部通过", "公开版", "15 张票", "可重算", "仅承诺", "通过", "周局长"):
        assert words in said
    assert made.root in said.replace(" ", "")
    page.fill("#root", made.root[:40] + " " + made.root[40:].upper())
    page.dispatch_event("#root", "change")
    page.wait_for_selector(".said.ok")
    assert "根值相同" in page.inner_text("#said")
    for theme in ("light", "dark"):
        for size in (PHONE, DESKTOP):
            look_as(page, size, theme)
            assert not violations(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#root", "0" * 64)
    page.dispatch_event("#root", "change")
    page.wait_for_selector("html[data-outcome=root]")
    page.fill("#root", "")
    page.set_input_files("#file", other)
    page.wait_for_selector("html[data-outcome=result]")
    assert "不符" in page.inner_text("#checks")
    page.click("#lang")
    assert "differs" in page.inner_text("#checks")
    assert "result.json" in page.inner_text("#said")
    assert not page.errors  # type: ignore[attr-defined, call-overload, method-assign, assignment]
    assert all(url.startswith("file:") for url in page.requests)  # type: ignore[attr-defined, call-overload, method-assign, assignment]


def test_the_page_asks_nobody_and_is_old_enough() -> None:
    """Nothing is fetched, and nothing is written that Chromium 86 or iOS 15 cannot read."""
    source = HTML.read_text(encoding="utf-8")
    assert "default-src 'none'" in source
    assert not re.search(r"(?:src|href)=|url\(|@import|https?:|fetch\(|XMLHttp|WebSocket", source)
    late = (r"\(\?<[=!]", r"\.at\(", r"hasOwn\(", r"structuredClone", r"findLast", r"toSorted",
            r"\bstatic\b", r":has\(", r":is\(", r"\binset:",
            r"aspect-ratio", r"DecompressionStream", r"crypto\.subtle\.", r"await import")  # fmt: skip
    assert [one for one in late if re.search(one, source)] == []
