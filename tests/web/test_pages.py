"""Every page renders in every sample case and both languages."""

from __future__ import annotations

import dataclasses
import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from server.domain.events import EVENTS
from server.domain.exact import percent
from tests.web.gallery import PAGES, PLAIN, html, plain
from tests.web.views import CASES, EXTREMES, RULES, full, panel_round, public_round, revealing
from web.layout.assets import assets
from web.pages import results, shared
from web.pages.problem.context import problem
from web.pages.public.live import PAGE as PUBLIC
from web.renderer import PageRenderer

WEB = Path(__file__).parents[2] / "web"
MINE = (*PAGES, *PLAIN)
LANGUAGES = ("zh", "en")
FORBIDDEN = ("听证会", "官员", "投票", "版主", "评委")
MOST_KB = 40
VOID = {"meta", "link", "input", "img", "br", "hr", "path", "rect"}


def every_page() -> Iterator[tuple[str, str]]:
    """(page, case)."""
    for name in PAGES:
        yield from ((name, case) for case in (*CASES, *EXTREMES))
    for name, cases in PLAIN.items():
        yield from ((name, case) for case in cases)


class Reader(HTMLParser):
    """Collects what must not be there, and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Inline code or style is forbidden by the content policy."""
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.wrong.append(f"{tag} {name}={value}")
            if name == "id" and value:
                self.ids.append(value)
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.wrong.append(f"inline {tag}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Tags close in order."""
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> out of order")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "case"), tuple(every_page()))
def test_page_renders_whole_and_without_inline_code(name: str, case: str, lang: str) -> None:
    text = html(name, case, lang)
    reader = Reader()
    reader.feed(text)
    assert reader.wrong == []
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert f'lang="{"en" if lang == "en" else "zh-CN"}"' in text
    for word in FORBIDDEN:
        assert word not in text
    if case == "rehearsal":
        assert ("Rehearsal" if lang == "en" else "演练") in text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_fragments_have_one_root_with_their_id(name: str, lang: str) -> None:
    for case in CASES:
        view = CASES[case]()
        for fragment in PAGES[name].fragments:
            text = str(PAGES[name].fragment(fragment, view, lang))
            assert re.match(rf'<[a-z]+ id="{fragment}"[ >]', text), text[:80]
            reader = Reader()
            reader.feed(text)
            assert reader.open == []
            assert text.endswith(">")


@pytest.mark.parametrize("name", PAGES)
def test_every_event_of_the_room_gives_content(name: str) -> None:
    page, view = PAGES[name], full()
    for event, row in EVENTS.items():
        if name in row.rooms:
            page.content(event, view, "zh", ("Q0001", "Q9999"))


def test_a_question_that_left_the_list_goes_from_the_page() -> None:
    content = PUBLIC.content("question_removed", full(), "zh", ("Q9999",))
    assert '<i id="q-Q9999" data-gone></i>' in content
    # What moves up into a full list when one leaves: the 25th most supported, the 10th newest.
    assert re.findall(r'<li id="q-(\w+)"', content) == ["Q0005"]
    kept = re.search(r'data-only="questions" data-ids="([^"]+)"', content)
    assert kept
    assert kept[1].split()[0] == "q-Q0014"
    assert len(kept[1].split()) == 14


def test_many_that_leave_at_once_make_room_for_as_many() -> None:
    renderer, view = PageRenderer(), full()
    brought = [
        re.findall(r'<li id="q-(\w+)"', renderer.content("public", event, view, "zh", (code,)))
        for event, code in (
            ("question_removed", "Q9999"),
            ("question_removed", "Q9998"),
            ("question_changed", "Q9998"),
            ("question_removed", "Q9997"),
        )
    ]
    assert brought == [["Q0005"], ["Q0006"], [], ["Q0007"]]


@pytest.mark.parametrize("name", PAGES)
def test_a_part_that_an_event_told_right_after_it_brings_is_left_to_that_one(name: str) -> None:
    renderer, view, page = PageRenderer(), full(), PAGES[name]
    told = renderer.content(name, "question_phase", view, "zh", ())
    assert bool(told) == bool(page.redraws["question_phase"])
    assert not renderer.content(name, "question_phase", view, "zh", (), {"question_phase"})
    other = next(
        e for e in page.redraws if not set(page.redraws[e]) & set(page.redraws["question_phase"])
    )
    assert renderer.content(name, "question_phase", view, "zh", (), {other}) == told


def frozen(value: Any) -> bool:
    """Whether this and everything in it is frozen or plain."""
    if dataclasses.is_dataclass(value):
        if not value.__dataclass_params__.frozen:  # type: ignore[attr-defined, union-attr]
            return False
        return all(frozen(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, tuple | frozenset):
        return all(frozen(one) for one in value)
    return value is None or isinstance(value, str | int | bool)


@pytest.mark.parametrize("case", CASES)
def test_contexts_are_frozen_dataclasses(case: str) -> None:
    view = CASES[case]()
    for page in PAGES.values():
        for build in page.fragments.values():
            context = build(view, "zh")
            assert dataclasses.is_dataclass(context)
            assert frozen(context)


@pytest.mark.parametrize("name", PAGES)
def test_what_is_typed_into_stands_outside_every_fragment(name: str) -> None:
    """Law 7: an update may redraw a button, never a field."""
    for case in CASES:
        for fragment in PAGES[name].fragments:
            text = str(PAGES[name].fragment(fragment, CASES[case](), "zh"))
            assert not re.search(r"<(input|textarea|select|details|dialog)\b", text), fragment


def test_plain_contexts_are_frozen_dataclasses() -> None:
    for name, cases in PLAIN.items():
        for case in cases:
            assert frozen(plain(name, case, "en"))


def sentences(folder: Path) -> set[str]:
    """Every sentence in the templates and the code of a folder."""
    found: set[str] = set()
    for path in sorted(folder.glob("*.py")):
        found |= set(re.findall(r'say\(\s*lang,\s*"([^"]+)"', path.read_text()))
    for path in sorted(folder.glob("*.html")):
        with path.open("rb") as file:
            for _, message, _, _ in extract(
                "jinja2.ext:babel_extract", file, {"_": None}, options={"trimmed": "true"}
            ):
                found.add(message if isinstance(message, str) else message[0])
    return found


def catalogues() -> dict[str, dict[str, str]]:
    """name → {Chinese: English}."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((WEB / "locale" / "en").glob("*.po")):
        with path.open("rb") as file:
            found[path.stem] = {str(m.id): str(m.string) for m in read_po(file) if m.id}
    return found


def test_every_sentence_has_english_and_none_is_left_over() -> None:
    po = catalogues()
    for name in MINE:
        used = sentences(WEB / "pages" / name)
        known = {**po["shared"], **po["layout"], **po.get(name, {})}
        assert used - set(known) == set(), name
        assert set(po.get(name, {})) - used == set(), name
    for name, catalogue in po.items():
        for chinese, english in catalogue.items():
            assert english, chinese
            assert set(re.findall(r"%\(\w+\)s", chinese)) == set(re.findall(r"%\(\w+\)s", english))
            assert not re.search(r"[一-鿿]", english), (name, english)


def test_a_sentence_has_one_english_in_all_catalogues() -> None:
    """They are merged into one: a second translation would win by the name of its file."""
    po = catalogues()
    for catalogue in po.values():
        for chinese, english in catalogue.items():
            assert {c[chinese] for c in po.values() if chinese in c} == {english}, chinese


def test_sentences_of_the_code_have_english() -> None:
    used = set(re.findall(r'say\(\s*lang,\s*"([^"]+)"', Path(shared.__file__).read_text()))
    assert used
    assert used <= set(catalogues()["shared"])


def test_the_public_page_is_at_most_40_kb() -> None:
    names = ["base.css", "live.js", "steady.js", "lists.js", "countdown.js", "vendor/htmx.min.js"]
    names += [n for n in assets() if n.startswith("pages/public/")]
    files = sum(len(assets()[n].gzipped) for n in names)
    for case in CASES:
        page = len(gzip.compress(html("public", case, "zh").encode(), 9))
        assert files + page <= MOST_KB * 1024, case


def test_own_modules_import_each_other_by_their_hashed_names() -> None:
    for name, asset in assets().items():
        if name.endswith(".js") and not name.startswith("vendor/"):
            assert not re.search(rb"from '\.\.?/", asset.plain), name


# ── law 11: what may be seen by whom ──


@pytest.mark.parametrize("name", ["public", "stage", "overlay", "podium", "card"])
def test_marks_are_shown_only_when_published_for_the_audience(name: str) -> None:
    # The captions lie over the programme, which the public watches.
    audience = "public" if name in {"public", "overlay"} else "hall"
    other = "hall" if audience == "public" else "internal"
    for published in ((), ("internal",), (other,)):
        if audience in published:
            continue
        panel = panel_round(
            "published" if published else "certified", published_to=published, reveal=4
        )
        votes = public_round(
            "published" if published else "certified", published_to=published, show_live=False
        )
        base = full()
        view = dataclasses.replace(
            base,
            stage=None,
            rounds=(votes, panel),
            screens=dataclasses.replace(base.screens, round=panel.id),
        )
        text = PAGES[name].html(view, "zh")
        for mark in ("86.42", "91.07", "18.10", ">742<", ">306<"):
            assert mark not in text, (published, mark)


def test_counts_of_a_public_round_are_live_only_where_the_rules_say_so() -> None:
    base = full()
    for name in ("public", "stage", "overlay", "card"):
        hidden = dataclasses.replace(base, stage=None, rounds=(public_round(show_live=False),))
        text = PAGES[name].html(hidden, "zh")
        assert not re.search(">742<|data-bar", text), name


def test_people_stand_in_the_offices_order() -> None:
    view = CASES["revealing"]()
    shown = results.reveal(view, "zh")
    assert shown is not None
    assert [s.key for s in shown.round.subjects] == ["housing", "city", "market"]


def test_the_reveal_shows_no_more_than_its_step() -> None:
    for step, seen in ((1, ()), (2, ("86.42",)), (3, ("86.42", "91.07"))):
        for name in ("stage", "overlay"):
            text = PAGES[name].html(revealing(step), "zh")
            for mark in ("86.42", "91.07", "84.95"):
                assert (mark in text) is (mark in seen), (name, step, mark)


def test_a_correction_is_shown_large_and_the_old_figure_as_superseded() -> None:
    before = revealing(3)
    old = before.rounds[1]
    told = {"reason": "录入有误。", "as": "host", "at": 1}
    figures = {
        "old": [{"name": "旧", "figure": "11.11"}],
        "new": [{"name": "新", "figure": "86.42"}],
    }
    new = dataclasses.replace(
        old, id="again", title="重测", reveal=0, replaces=old.id,
        correction={**told, "of": old.id, "title": old.title, "figures": figures["old"]},
    )  # fmt: skip
    subjects = [{**one, "total": "11.11"} for one in (old.result or {})["subjects"]]
    corrected = dataclasses.replace(
        old, status="corrected", result={**(old.result or {}), "subjects": subjects},
        correction={**told, "by": new.id, "title": new.title, "figures": figures["new"]},
    )  # fmt: skip
    view = dataclasses.replace(before, rounds=(before.rounds[0], corrected, new))
    for lang, word in (("zh", "已被取代"), ("en", "superseded")):
        text = PAGES["stage"].html(view, lang)
        # As far as the reveal had come: two of three.
        assert [mark in text for mark in ("86.42", "91.07", "84.95")] == [True, True, False]
        assert "<s>11.11</s>" in text
        assert text.count("11.11") == 1
        assert word in text
    # Kept from the hall, the new figure is not told there.
    hidden = dataclasses.replace(new, published_to=("internal",))
    view = dataclasses.replace(view, rounds=(before.rounds[0], corrected, hidden))
    assert "91.07" not in PAGES["stage"].html(view, "zh")


def test_cleared_screens_tell_nothing() -> None:
    for name in ("public", "stage", "overlay"):
        view = CASES["cleared"]()
        page = PAGES[name]
        text = "".join(
            str(page.fragment(f, view, "zh")) for f in page.fragments if f not in {"questions"}
        )
        assert "交房两年了" not in text, name
        assert "糜知屿" not in text, name


def test_public_figures_are_for_reference_only() -> None:
    for name in ("public", "stage", "overlay"):
        assert "仅供参考" in PAGES[name].html(CASES["revealed_public"](), "zh"), name


# ── small formats ──


def test_percent_rounds_half_up() -> None:
    assert [percent(*pair) for pair in ((1, 3), (2, 3), (1, 2000), (0, 0), (5, 5))] == [
        "33.3%",
        "66.7%",
        "0.1%",
        "0.0%",
        "100.0%",
    ]


def test_text_sizes_step_down() -> None:
    sizes = [shared.text_size("字" * n) for n in (1, 37, 81, 151, 261, 421, 600)]
    assert sizes == ["xxl", "xl", "l", "m", "s", "xs", "xs"]
    assert shared.text_size("a" * 60) == "xxl"


def test_a_way_back_never_leads_to_another_site() -> None:
    for bad in ("https://example.org", "//example.org", "/\\example.org", "javascript:1"):
        assert problem("…", "x", 404, bad).back == "/"
    assert problem("…", "x", 404, "/h/a").back == "/h/a"


def test_rules_name_people_by_their_names() -> None:
    view = CASES["full"]()
    who = view.subjects[0]
    veto = {"kind": "veto", "subject": who.key, "grade": "excellent", "reason": "瞒报"}
    rules = {
        **RULES,
        "grades": [{"grade": "excellent", "from": "60"}, {"grade": "poor"}],
        "after": [veto],
    }
    said = " ".join(results.rules_said(view, panel_round("ready", rules=rules), "zh"))
    assert f"“{who.name}”" in said
    assert f"“{who.key}”" not in said
