"""Panel, host and desk render in every sample case and both languages, whole and without inline code."""

from __future__ import annotations

import dataclasses
import re

import pytest

from server.domain.events import EVENTS
from tests.web.staff import LANGUAGES, PAGES, frozen, html
from tests.web.test_pages import FORBIDDEN, WEB, Reader, catalogues, sentences
from tests.web.views import CASES, full


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", PAGES)
def test_page_renders_whole_and_without_inline_code(name: str, case: str, lang: str) -> None:
    text = html(name, case, lang)
    reader = Reader()
    reader.feed(text)
    assert reader.wrong == []
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    for word in FORBIDDEN:
        assert word not in text
    if case == "rehearsal":
        assert ("Rehearsal" if lang == "en" else "演练") in text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_fragments_have_one_root_with_their_id_and_frozen_contexts(name: str, lang: str) -> None:
    page = PAGES[name]
    for case in CASES:
        view = CASES[case]()
        for fragment, build in page.fragments.items():
            context = build(view, lang)
            assert dataclasses.is_dataclass(context)
            assert frozen(context), fragment
            text = str(page.fragment(fragment, view, lang))
            assert re.match(rf'<[a-z]+ id="{fragment}"[ >]', text), text[:80]
            reader = Reader()
            reader.feed(text)
            assert reader.open == []


@pytest.mark.parametrize("name", PAGES)
def test_every_event_of_the_room_gives_content(name: str) -> None:
    for event, row in EVENTS.items():
        if name in row.rooms:
            PAGES[name].content(event, full(), "zh", ("Q0001",))


@pytest.mark.parametrize("name", PAGES)
def test_forms_with_input_stand_outside_every_fragment(name: str) -> None:
    """Law 7: an update may redraw a button, never a field."""
    for case in CASES:
        for fragment in PAGES[name].fragments:
            text = str(PAGES[name].fragment(fragment, CASES[case](), "zh"))
            assert not re.search(r"<(input|textarea|select|form|details|dialog)\b", text), fragment


@pytest.mark.parametrize("name", PAGES)
def test_every_sentence_has_english_and_none_is_left_over(name: str) -> None:
    po = catalogues()
    used = sentences(WEB / "pages" / name)
    known = {**po["shared"], **po["layout"], **po[name]}
    assert used - set(known) == set()
    assert set(po[name]) - used == set()


def test_a_sentence_has_one_english_in_all_catalogues() -> None:
    """They are merged into one: a second translation would win by the name of its file."""
    po = catalogues()
    for name in PAGES:
        for chinese, english in po[name].items():
            assert {c[chinese] for c in po.values() if chinese in c} == {english}, chinese
