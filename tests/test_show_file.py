"""The show file: what it holds, every way to get it wrong, and the two shows that come with it."""

import re
import string
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import show as show_module
from server.domain.hearing import STEPS
from server.domain.roles import RIGHTS
from server.domain.show import (
    PUBLICATIONS,
    PUBLISHERS,
    REPLACINGS,
    REVIEWS,
    SEED_STATUSES,
    SIGNERS,
    SOURCE_KINDS,
    STEP_KEYS,
    UNSENTS,
    JsonValue,
    Show,
    ShowChoice,
    ShowGroup,
    ShowItem,
    ShowLabel,
    ShowQuestion,
    ShowRound,
    ShowSeat,
    ShowStep,
    ShowSubject,
)
from server.shows.problems import MAX_PROBLEMS, MESSAGES, ShowFileError
from server.shows.read import read_show
from server.shows.rule_presets import presets
from server.shows.tree import MAX_BYTES, MAX_VALUES
from server.shows.write import write_show

ROOT = Path(__file__).parents[1]
DEMOS = {name: ROOT / "server" / "demo" / name for name in ("show.yaml", "show.en.yaml")}


@cache
def demo(name: str) -> Show:
    return read_show(DEMOS[name].read_bytes())


# A small show in which each mistake is made by replacing one piece. Line numbers matter here.
SMALL = """\
title: 评议
slug: small-show
office: 依法治市办
subjects:
  - {key: a, name: 甲某, post: 局长, unit: 甲局}
items:
  - key: first
    title: 述法
    subject: a
    steps:
      - {key: statement, seconds: 300}
groups:
  - {key: g, name: 代表, weight: 0.5}
seats:
  - {number: 1, name: 乙某, group: g}
rounds:
  - key: web
    title: 网络评价
    audience: public
    choices: [{key: good, label: 满意}, {key: poor, label: 不满意}]
  - key: panel
    title: 测评
    audience: panel
    subjects: [a]
    item: first
    rules: {version: 1, scale: {max: "10"}, trim: {on: dimension}}
questions:
  - source: hotline
    source_key: line
    external_id: 0017
    text: 路灯不亮
"""


def problems_of(text: str | bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(ShowFileError) as raised:
        read_show(text)
    return [(problem.line, problem.key, problem.code) for problem in raised.value.problems]


def small(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


# --- What is read ---------------------------------------------------------------------------------


def test_a_small_show_is_read_with_its_defaults() -> None:
    show = read_show(SMALL)
    web, panel = show.rounds
    assert (show.language, show.publication, show.rehearsal_allowed) == ("zh", "internal", True)
    assert (show.signers, show.publishers) == (("teller", "scrutineer", "host"), ("approver",))
    assert (show.stream_url, show.note) == (None, None)
    assert (web.secrecy, web.replacing, web.rules, web.show_live) == ("named", "last", None, False)
    assert (panel.secrecy, panel.choices, panel.subjects) == ("named", (), ("a",))
    assert show.items[0].steps == (ShowStep("statement", 300),)
    assert (show.questions[0].status, show.questions[0].likes) == ("received", 0)


def test_scalars_are_taken_as_they_stand() -> None:
    """No zeros lost, no `on` turned into true, no weight through a binary fraction."""
    show = read_show(SMALL)
    assert show.questions[0].external_id == "0017"
    assert show.groups[0].weight == "0.5"
    rules = show.rounds[1].rules
    assert rules == {"version": 1, "scale": {"max": "10"}, "trim": {"on": "dimension"}}


def test_rules_of_a_round_take_the_groups_of_the_show_unless_they_name_their_own() -> None:
    show = read_show(SMALL)
    web, panel = show.rounds
    assert show.rules_of(web) is None
    rules = show.rules_of(panel)
    assert rules is not None
    assert rules["groups"] == [{"key": "g", "weight": "0.5"}]
    assert panel.rules is not None
    assert "groups" not in panel.rules
    own = read_show(small("{version: 1,", '{version: 1, groups: [{key: g, weight: "1"}],'))
    own_rules = own.rules_of(own.rounds[1])
    assert own_rules is not None
    assert own_rules["groups"] == [{"key": "g", "weight": "1"}]


def test_rules_can_be_those_of_an_earlier_round() -> None:
    again = "  - {key: again, title: 复评, audience: panel, subjects: [a], rules: panel}\n"
    show = read_show(
        small("questions:\n", again + "questions:\n").replace(
            "    item: first\n", "    item: first\n    labels: {skill: 水平}\n"
        )
    )
    _, panel, repeated = show.rounds
    assert repeated.rules == panel.rules
    assert repeated.labels == panel.labels == (ShowLabel("skill", "水平"),)
    assert "rules: panel\n" in write_show(show)


def test_bytes_may_have_a_byte_order_mark_and_windows_line_ends() -> None:
    windows = SMALL.replace("\n", "\r\n").encode("utf-8-sig")
    assert read_show(windows) == read_show(SMALL) == read_show("\ufeff" + SMALL)


def test_a_list_of_many_lines_of_text_loses_only_the_blanks_around_it() -> None:
    show = read_show(small("text: 路灯不亮", "text: |\n      第一行\n\n      第二行\n"))
    assert show.questions[0].text == "第一行\n\n第二行"


# --- What is refused ------------------------------------------------------------------------------

LONG_WORD = "长" * 121
MISTAKES: list[tuple[str, str, tuple[int, str, str]]] = [
    # old, new, (line, key, code)
    ("title: 评议\n", "titel: 评议\ntitle: 评议\n", (1, "titel", "unknown_key")),
    ("title: 评议\n", "version: 2\ntitle: 评议\n", (1, "version", "unknown_version")),
    ("title: 评议\n", "", (1, "title", "missing")),
    ("title: 评议\n", "title:\n", (1, "title", "missing")),
    ("title: 评议\n", "title: 评议\ntitle: 再评\n", (2, "title", "duplicate_key")),
    ("title: 评议\n", "[a, b]: 评议\ntitle: 评议\n", (1, "", "odd_key")),
    ("title: 评议\n", "title: [评议]\n", (1, "title", "not_text")),
    ("title: 评议\n", 'title: "  "\n', (1, "title", "blank")),
    ("title: 评议\n", f"title: {LONG_WORD}\n", (1, "title", "too_long")),
    ("title: 评议\n", 'title: "评\\n议"\n', (1, "title", "many_lines")),
    ("title: 评议\n", 'title: "评\\u202e议"\n', (1, "title", "bad_character")),
    ("title: 评议\n", "title: &t 评议\n", (1, "title", "anchor")),
    ("title: 评议\n", "title: &t 评议\nnote: *t\n", (2, "note", "alias")),
    ("title: 评议\n", "title: !!python/name:os.system ''\n", (1, "title", "tag")),
    ("title: 评议\n", "title: !!str 评议\n", (1, "title", "tag")),
    ("slug: small-show", "slug: Small_Show", (2, "slug", "bad_slug")),
    ("slug: small-show", "slug: ab", (2, "slug", "bad_slug")),
    ("slug: small-show", f"slug: {'a' * 41}", (2, "slug", "bad_slug")),
    ("office: 依法治市办", "office: 办\nlanguage: fr", (4, "language", "not_one_of")),
    ("office: 依法治市办", "office: 办\nstream_url: rtmp://x/y", (4, "stream_url", "bad_url")),
    (
        "office: 依法治市办",
        "office: 办\nrehearsal_allowed: yes",
        (4, "rehearsal_allowed", "not_boolean"),
    ),
    ("office: 依法治市办", "office: 办\nsigners: []", (4, "signers", "too_few")),
    ("office: 依法治市办", "office: 办\nsigners: host", (4, "signers", "not_list")),
    ("office: 依法治市办", "office: 办\nsigners: [mayor]", (4, "signers[1]", "not_one_of")),
    ("office: 依法治市办", "office: 办\nsigners: [host, host]", (4, "signers[2]", "duplicate")),
    ("office: 依法治市办", "office: 办\nreviews: [third]", (4, "reviews[1]", "not_one_of")),
    ("unit: 甲局}", "unit: 甲局, aliases: [乙, 乙]}", (5, "subjects[1].aliases[2]", "duplicate")),
    ("office: 依法治市办", "office: 办\npublishers: [teller]", (4, "publishers[1]", "not_one_of")),
    ("office: 依法治市办", "office: 办\npublication: all", (4, "publication", "not_one_of")),
    (
        "  - {key: a, name: 甲某,",
        "  - 甲某\n  - {key: a, name: 甲某,",
        (5, "subjects[1]", "not_mapping"),
    ),
    ("{key: a, name: 甲某,", "{key: A, name: 甲某,", (5, "subjects[1].key", "bad_key")),
    ("{key: a, name: 甲某,", "{key: a,", (5, "subjects[1].name", "missing")),
    (
        "items:\n",
        "  - {key: a, name: 丁, post: 丁, unit: 丁}\nitems:\n",
        (6, "subjects[2].key", "duplicate"),
    ),
    ("    subject: a\n", "    subject: b\n", (9, "items[1].subject", "unknown_subject")),
    ("{key: statement,", "{key: speech,", (11, "items[1].steps[1].key", "unknown_step")),
    ("seconds: 300", "seconds: 5:00", (11, "items[1].steps[1].seconds", "not_integer")),
    ("seconds: 300", "seconds: 2.5", (11, "items[1].steps[1].seconds", "not_integer")),
    ("seconds: 300", 'seconds: "300"', (11, "items[1].steps[1].seconds", "not_integer")),
    ("seconds: 300", "seconds: 86401", (11, "items[1].steps[1].seconds", "out_of_range")),
    ("seconds: 300", "minutes: 5", (11, "items[1].steps[1].minutes", "unknown_key")),
    (
        "seconds: 300}\n",
        "seconds: 300}\n      - {key: statement}\n",
        (12, "items[1].steps[2].key", "duplicate"),
    ),
    ("weight: 0.5", "weight: 1/2", (13, "groups[1].weight", "not_decimal")),
    ("weight: 0.5", "weight: -0.5", (13, "groups[1].weight", "not_decimal")),
    ("weight: 0.5", "weight: 5e-1", (13, "groups[1].weight", "not_decimal")),
    ("weight: 0.5", "weight: {}", (13, "groups[1].weight", "not_decimal")),
    ("group: g}", "group: h}", (15, "seats[1].group", "unknown_group")),
    (
        "group: g}\n",
        "group: g}\n  - {number: 1, name: 丙, group: g}\n",
        (16, "seats[2].number", "duplicate"),
    ),
    ("number: 1", "number: 0", (15, "seats[1].number", "out_of_range")),
    ("audience: public", "audience: hall", (19, "rounds[1].audience", "not_one_of")),
    (
        "audience: public",
        "audience: public\n    secrecy: secret\n    show_live: true",
        (21, "rounds[1].show_live", "secret_shown_live"),
    ),
    (", {key: poor, label: 不满意}", "", (20, "rounds[1].choices", "too_few")),
    ("{key: poor,", "{key: good,", (20, "rounds[1].choices[2].key", "duplicate")),
    ("    subjects: [a]\n", "", (21, "rounds[2].subjects", "missing")),
    ("    subjects: [a]\n", "    subjects: []\n", (24, "rounds[2].subjects", "too_few")),
    (
        "    subjects: [a]\n",
        "    subjects: [a, b]\n",
        (24, "rounds[2].subjects[2]", "unknown_subject"),
    ),
    ("    subjects: [a]\n", "    subjects: [a, a]\n", (24, "rounds[2].subjects[2]", "duplicate")),
    ("    item: first", "    item: last", (25, "rounds[2].item", "unknown_item")),
    ("audience: panel", "audience: public", (26, "rounds[2].rules", "public_rules")),
    (
        "    item: first",
        "    choices: [{key: x, label: 甲}, {key: y, label: 乙}]",
        (21, "rounds[2]", "choices_or_rules"),
    ),
    ('max: "10"', "max: 10.5", (26, "rounds[2].rules.scale.max", "decimal_not_quoted")),
    ('max: "10"', 'max: "10", max: "9"', (26, "rounds[2].rules.scale.max", "duplicate_key")),
    ('max: "10"', '"ma\\ud800x": 1', (26, "rounds[2].rules.scale.ma…x", "bad_character")),
    ("    item: first", "    labels: {skill: []}", (25, "rounds[2].labels.skill", "not_text")),
    ("source: hotline", "source: fax", (28, "questions[1].source", "not_one_of")),
    ("text: 路灯不亮", f"text: {'长' * 20_001}", (31, "questions[1].text", "too_long")),
    (
        "text: 路灯不亮",
        "text: 灯\n    asked_at: 2025-02-30 09:00",
        (32, "questions[1].asked_at", "not_time"),
    ),
    ("text: 路灯不亮", "text: 灯\n    asked_at: 昨天", (32, "questions[1].asked_at", "not_time")),
    ("text: 路灯不亮", "text: 灯\n    likes: -1", (32, "questions[1].likes", "out_of_range")),
    ("text: 路灯不亮", "text: 灯\n    status: answered", (32, "questions[1].status", "not_one_of")),
    (
        "    text: 路灯不亮\n",
        "    text: 灯\n  - {source: hotline, source_key: line, external_id: '0017', text: 灯}\n",
        (32, "questions[2].external_id", "duplicate"),
    ),
    (
        "    text: 路灯不亮\n",
        "    text: 灯\n  - {source: live, source_key: line, external_id: 18, text: 灯}\n",
        (32, "questions[2].source_key", "other_source"),
    ),
    ("questions:\n", "---\nquestions:\n", (27, "", "many_documents")),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_each_mistake_is_told_with_line_and_key(
    old: str, new: str, expected: tuple[int, str, str]
) -> None:
    """And nothing else is complained about, unless the piece holds a second mistake."""
    found = problems_of(small(old, new))
    assert expected in found
    assert [code for *_, code in found if code != expected[2]] == SECOND_MISTAKES.get(new, [])


SECOND_MISTAKES = {"title: &t 评议\nnote: *t\n": ["anchor"]}


WHOLE_FILES: list[tuple[str | bytes, tuple[int, str, str]]] = [
    ("", (1, "", "empty_file")),
    ("# nothing\n", (1, "", "empty_file")),
    ("just words", (1, "", "not_mapping")),
    ("- a\n- b\n", (1, "", "not_mapping")),
    ("title: a\n\tslug: b\n", (2, "", "not_yaml")),
    ("title: 'a\n", (2, "", "not_yaml")),
    ("title: a\nnote: \x07\n", (2, "", "bad_character")),
    ("title: 评议\nnote: 字\n".encode("gb18030"), (1, "", "not_utf8")),
    (b"title: a\nnote: \xff\n", (2, "", "not_utf8")),
    (f"note: {'x' * MAX_BYTES}", (1, "", "too_large")),
    ("a: " + "[" * 500_000, (1, "a" + "[1]" * 15, "too_deep")),
    ("a:\n" + "- b\n" * MAX_VALUES, (MAX_VALUES - 1, "", "too_many_values")),
    ('title: "\\U00110000"', (1, "", "not_yaml")),
    ("%YAML 1." + "9" * 5_000 + "\n--- a", (1, "", "not_yaml")),
    ("&a [&b [*a, *a], *b]", (1, "", "anchor")),
]


@pytest.mark.parametrize(("text", "expected"), WHOLE_FILES)
def test_a_file_that_is_no_show(text: str | bytes, expected: tuple[int, str, str]) -> None:
    assert expected in problems_of(text)


def test_rules_of_a_round_that_has_none_or_comes_later() -> None:
    document = 'rules: {version: 1, scale: {max: "10"}, trim: {on: dimension}}'
    for other in ("web", "panel", "nobody"):
        text = small(document, f"rules: {other}")
        assert problems_of(text) == [(26, "rounds[2].rules", "unknown_round")]


def test_rules_can_be_a_preset_with_its_words_in_the_shows_language() -> None:
    document = 'rules: {version: 1, scale: {max: "10"}, trim: {on: dimension}}'
    text = small(document, "rules: preset:three-grades")
    panel = read_show(text).rounds[1]
    assert panel.rules == presets()["three-grades"].rules
    assert ShowLabel("satisfied", "满意") in panel.labels
    english = read_show(text.replace("title:", "language: en\ntitle:", 1)).rounds[1]
    assert ShowLabel("satisfied", "Satisfied") in english.labels
    text = small(document, "rules: preset:nothing")
    assert problems_of(text) == [(26, "rounds[2].rules", "unknown_preset")]


def test_a_list_that_is_too_long() -> None:
    more = "  - {key: s%d, name: 丁, post: 丁, unit: 丁}\n"
    text = small("items:\n", "".join(more % n for n in range(60)) + "items:\n")
    assert problems_of(text) == [(5, "subjects", "too_many")]


def test_every_code_is_met_by_a_test() -> None:
    met = {expected[2] for *_, expected in MISTAKES} | {expected[2] for _, expected in WHOLE_FILES}
    assert met | {"unknown_round", "unknown_preset", "too_many"} == set(MESSAGES)


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = small("weight: 0.5", "weight: half").replace("slug: small-show", "slug: X")
    text = text.replace("audience: public", "audience: hall")
    assert [code for *_, code in problems_of(text)] == ["bad_slug", "not_decimal", "not_one_of"]


def test_at_most_twenty_are_shown_and_the_others_counted() -> None:
    questions = "".join(
        f"  - {{source: fax, source_key: s, external_id: {n}, text: 问}}\n" for n in range(25)
    )
    with pytest.raises(ShowFileError) as raised:
        read_show(SMALL + questions)
    assert (len(raised.value.problems), raised.value.more) == (MAX_PROBLEMS, 5)
    assert str(raised.value).endswith("还有 5 处。")


def test_the_error_speaks_the_language_asked_for_and_carries_the_first_mistake() -> None:
    with pytest.raises(ShowFileError) as raised:
        read_show(small("slug: small-show", "slug: X"), "en")
    error = raised.value
    assert str(error) == "line 2, slug: must be 3–40 of a–z, 0–9 and the hyphen"
    assert (error.line, error.key, error.code, error.more) == (2, "slug", "bad_slug", 0)
    assert error.problems[0].sentence("zh") == f"第 2 行 slug：{error.zh}"


def test_no_mistake_repeats_what_a_citizen_wrote() -> None:
    text = small("source_key: line", "source_key: 15400009999").replace(
        "    text: 路灯不亮",
        "    text: [秘密]\n    requester_phone: [15400008888]\n    15400007777: x",
    )
    with pytest.raises(ShowFileError) as raised:
        read_show(text)
    assert not re.search(r"秘密|1540000\d{4}", str(raised.value))


@given(st.text(max_size=300) | st.text(alphabet="{}[]:,-?&*!|>'\"#%@ \n\tab0", max_size=60))
def test_whatever_the_text_it_is_a_show_or_an_explained_refusal(text: str) -> None:
    with pytest.raises(ShowFileError) as raised:
        read_show(text)
    assert all(problem.line >= 1 for problem in raised.value.problems)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_demo_is_a_show_or_an_explained_refusal(data: st.DataObject) -> None:
    text = DEMOS["show.en.yaml"].read_text("utf-8")
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 80)))
    patch = data.draw(st.text(alphabet=string.printable, max_size=12))
    try:
        read_show(text[:start] + patch + text[end:])
    except ShowFileError as error:
        assert error.problems


# --- Written and read again -----------------------------------------------------------------------

TRICKY_WORDS = """
    null ~ on no true 0.5 -.5 1e5 007 0x1f 1_000 12:30 2024-01-01 2024-01-01␣09:00 = << - ? : #
    a:b a:␣b a␣#b -␣a ?␣a 'a' "a" "␣' | > |- % @ ` *a &a !a !!str [a] {a} , a,b --- ... \\n 😀 é
    ␣␣a a␣␣b 甲　乙
"""
TRICKY = st.sampled_from([word.replace("␣", " ") for word in TRICKY_WORDS.split()])
VISIBLE = st.characters(
    exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"),
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
)
WORDS = st.text(VISIBLE, min_size=1, max_size=40)
LINES = st.lists(WORDS | TRICKY | st.just(""), min_size=1, max_size=5).map("\n".join)
BLANKS = st.text(alphabet="甲a .-: ", min_size=1, max_size=60)


def _tidy(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return texts.map(str.strip).filter(bool)


ONE_LINE = _tidy(WORDS | TRICKY | BLANKS).filter(lambda text: len(text) <= 60)
MANY_LINES = _tidy(ONE_LINE | LINES)
KEYS = st.text(alphabet="abc019_-", min_size=1, max_size=8) | st.sampled_from(["on", "null", "1"])
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.just("") | WORDS | TRICKY | LINES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ONE_LINE, inner, max_size=3),
    max_leaves=8,
)


def maybe(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | texts


@st.composite
def shows(draw: st.DrawFn) -> Show:
    """Any show that a file can hold, with strange words wherever words may stand."""
    subject_keys = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    item_keys = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    group_keys = draw(st.lists(KEYS, max_size=3, unique=True))
    some_subject = st.sampled_from(subject_keys)
    numbers = draw(st.lists(st.integers(1, 999), max_size=3, unique=True)) if group_keys else []
    steps = st.lists(st.sampled_from(STEP_KEYS), min_size=1, max_size=4, unique=True)
    documents = draw(st.lists(st.dictionaries(ONE_LINE, JSON, max_size=3), min_size=1, max_size=2))

    def a_round(key: str) -> ShowRound:
        marked = draw(st.booleans())
        secrecy = draw(st.sampled_from(["named", "secret"]))
        choice_keys = draw(st.lists(KEYS, min_size=2, max_size=3, unique=True))
        label_keys = draw(st.lists(KEYS, max_size=2, unique=True))
        return ShowRound(
            key=key,
            title=draw(ONE_LINE),
            audience="panel" if marked else draw(st.sampled_from(["panel", "public"])),
            secrecy="secret" if secrecy == "secret" else "named",
            replacing=draw(st.sampled_from(REPLACINGS)),
            comments=marked and draw(st.booleans()),
            reason_below=draw(st.sampled_from([None, "0.5", "60"])) if marked else None,
            unsent=draw(st.sampled_from(UNSENTS)),
            subjects=tuple(
                draw(st.lists(some_subject, min_size=int(marked), max_size=3, unique=True))
            ),
            item=draw(maybe(st.sampled_from(item_keys))),
            choices=() if marked else tuple(ShowChoice(k, draw(ONE_LINE)) for k in choice_keys),
            rules=draw(st.sampled_from(documents)) if marked else None,
            labels=tuple(ShowLabel(k, draw(ONE_LINE)) for k in label_keys) if marked else (),
            show_live=secrecy == "named" and draw(st.booleans()),
        )

    def a_question(external_id: str) -> ShowQuestion:
        source = draw(st.sampled_from(SOURCE_KINDS))
        return ShowQuestion(
            source=source,
            source_key=source,
            external_id=external_id,
            title=draw(maybe(ONE_LINE)),
            text=draw(MANY_LINES),
            subject=draw(maybe(some_subject)),
            requester_name=draw(maybe(ONE_LINE)),
            requester_phone=draw(maybe(ONE_LINE)),
            district=draw(maybe(ONE_LINE)),
            asked_at=draw(
                st.none()
                | st.datetimes(datetime(1000, 1, 1)).map(lambda t: t.replace(microsecond=0))
            ),
            likes=draw(st.integers(0, 10_000_000)),
            status=draw(st.sampled_from(SEED_STATUSES)),
        )

    return Show(
        title=draw(ONE_LINE),
        slug=draw(st.from_regex(r"[a-z0-9-]{3,40}", fullmatch=True)),
        office=draw(ONE_LINE),
        language=draw(st.sampled_from(["zh", "en"])),
        stream_url=draw(st.none() | st.just("https://stream.example.com/live.m3u8?a=1#b")),
        note=draw(maybe(MANY_LINES)),
        rehearsal_allowed=draw(st.booleans()),
        signers=tuple(draw(st.lists(st.sampled_from(SIGNERS), min_size=1, unique=True))),
        publishers=tuple(draw(st.lists(st.sampled_from(PUBLISHERS), min_size=1, unique=True))),
        publication=draw(st.sampled_from(PUBLICATIONS)),
        reviews=tuple(draw(st.lists(st.sampled_from(REVIEWS), unique=True))),
        shortlist_in_advance=draw(st.booleans()),
        subjects=tuple(
            ShowSubject(
                key,
                draw(ONE_LINE),
                draw(ONE_LINE),
                draw(ONE_LINE),
                tuple(
                    draw(st.lists(ONE_LINE.filter(lambda t: len(t) <= 60), max_size=2, unique=True))
                ),
            )
            for key in subject_keys
        ),
        items=tuple(
            ShowItem(
                key,
                draw(ONE_LINE),
                draw(maybe(some_subject)),
                tuple(
                    ShowStep(step, draw(st.integers(0, 86_400)), draw(maybe(MANY_LINES)))
                    for step in draw(steps)
                ),
            )
            for key in item_keys
        ),
        groups=tuple(
            ShowGroup(
                key,
                draw(ONE_LINE),
                draw(st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6})?", fullmatch=True)),
            )
            for key in group_keys
        ),
        seats=tuple(
            ShowSeat(n, draw(ONE_LINE), draw(st.sampled_from(group_keys)), draw(maybe(ONE_LINE)))
            for n in numbers
        ),
        rounds=tuple(map(a_round, draw(st.lists(KEYS, max_size=3, unique=True)))),
        questions=tuple(map(a_question, draw(st.lists(ONE_LINE, max_size=3, unique=True)))),
    )


@settings(max_examples=100, deadline=None)
@given(shows())
def test_any_show_written_is_read_back_the_same(show: Show) -> None:
    again = read_show(write_show(show))
    assert again == show
    assert hash(again) == hash(show)


@pytest.mark.parametrize("name", DEMOS)
def test_the_demo_shows_survive_being_written(name: str) -> None:
    show = demo(name)
    text = write_show(show)
    assert read_show(text.encode()) == show
    assert text.startswith("# ")
    assert "\\u" not in text
    assert "- {" not in text


def test_a_show_that_breaks_the_format_is_not_written() -> None:
    show = read_show(SMALL)
    with pytest.raises(ShowFileError) as raised:
        write_show(replace(show, slug="X"))
    assert raised.value.code == "bad_slug"
    with pytest.raises(ValueError, match="cannot hold"):
        write_show(replace(show, title=" 评议 "))


# --- The demonstration ----------------------------------------------------------------------------


def test_the_chinese_demo_is_what_the_demonstration_promises() -> None:
    show = demo("show.yaml")
    assert (show.language, show.publication) == ("zh", "public")
    assert show.signers == show.publishers == ("host",)
    assert [len(show.subjects), len(show.seats), len(show.questions)] == [3, 21, 60]
    assert [g.weight for g in show.groups] == ["0.3", "0.25", "0.25", "0.2"]
    official = next(item for item in show.items if item.subject)
    assert [step.key for step in official.steps] == [
        "statement",
        "questions",
        "comment",
        "evaluation",
    ]
    first = show.rounds[0]
    assert (first.audience, first.show_live, first.subjects) == ("public", True, ("housing",))
    for audience in ("panel", "public"):
        rounds = [r for r in show.rounds if r.audience == audience]
        assert [r.subjects for r in rounds] == [(s.key,) for s in show.subjects]
    panel = [r for r in show.rounds if r.rules is not None]
    assert all(r.rules == panel[0].rules and len(r.labels) == 5 for r in panel)
    statuses = [q.status for q in show.questions]
    assert [statuses.count(s) for s in SEED_STATUSES] == [36, 14, 6, 4]


def test_the_english_demo_is_smaller() -> None:
    show = demo("show.en.yaml")
    assert show.language == "en"
    assert [len(show.subjects), len(show.seats), len(show.questions)] == [2, 9, 20]


def _bigrams(text: str) -> set[str]:
    letters = re.sub(r"\W", "", text)
    return {letters[i : i + 2] for i in range(len(letters) - 1)}


def test_the_demo_has_near_duplicates_to_find() -> None:
    """At least eight questions say in other words what an earlier one said."""
    repeated = set()
    for one, other in combinations(demo("show.yaml").questions, 2):
        a, b = _bigrams(one.text), _bigrams(other.text)
        if len(a & b) / len(a | b) > 0.35:
            repeated.add(other.external_id)
    assert len(repeated) >= 8


MOBILE = re.compile(r"(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
LANDLINE = re.compile(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)")
IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
MAIL = re.compile(r"[\w.+-]+@[\w.-]+\w", re.ASCII)
PLATE = re.compile(r"[\u4e00-\u9fff][A-Z]·?[A-Z0-9]{5}(?![A-Z0-9])")
INVENTED = {
    MOBILE: re.compile(r"154[- ]?0000[- ]?\d{4}"),  # 154 is no operator's
    LANDLINE: re.compile(r"0399-555\d{4}"),  # 0399 is no city's
    IDENTITY: re.compile(r"880000\d{11}[\dX]"),  # 88 is no province's
    MAIL: re.compile(r"[\w.]+@example\.com"),
    PLATE: re.compile(r"云Z·?00\d{3}"),  # no such letter is issued
}


def _checksum_holds(identity: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(digit) for w, digit in zip(weights, identity[:17], strict=True))
    return "10X98765432"[total % 11] == identity[17]


@pytest.mark.parametrize("name", DEMOS)
def test_personal_data_of_the_demo_is_of_invented_forms(name: str) -> None:
    text = re.sub(r"(?m)#.*$", "", DEMOS[name].read_text("utf-8"))
    for real, invented in INVENTED.items():
        for found in real.findall(text):
            assert invented.fullmatch(found), found
    digits = re.findall(r"(?<![\dA-Z-])\d{7,}(?![\dX])", text)  # no other long numbers
    assert [d for d in digits if not re.fullmatch(r"1540000\d{4}|880000\d{12}|2511\d{6}", d)] == []
    phones = [q.requester_phone for q in demo(name).questions if q.requester_phone]
    form = r"154[- ]?0000[- ]?\d{4}|0399-555\d{4}|555-01\d\d"
    assert phones
    assert all(re.fullmatch(form, phone) for phone in phones)


def test_the_demo_has_personal_data_to_mask_and_only_where_nobody_has_looked_yet() -> None:
    questions = demo("show.yaml").questions
    kinds = {q.external_id: [p for p in INVENTED if p.search(q.text)] for q in questions}
    holding = [q for q in questions if kinds[q.external_id]]
    assert len(holding) >= 8
    assert {q.status for q in holding} == {"received"}
    assert {p for found in kinds.values() for p in found} == set(INVENTED)
    identities = [i for q in questions for i in IDENTITY.findall(q.text)]
    assert sorted(map(_checksum_holds, identities)) == [False, True]


FORBIDDEN = ("官员", "投票", "听证会", "版主", "选手", "得票")


def test_the_fixed_words_are_kept() -> None:
    """In the shows, in what is said about mistakes, in the format's page."""
    texts = [path.read_text("utf-8") for path in DEMOS.values()]
    texts += [sentence for pair in MESSAGES.values() for sentence in pair]
    texts.append((ROOT / "docs" / "show-file.md").read_text("utf-8"))
    texts.append(Path(show_module.__file__).read_text("utf-8"))
    assert [word for word in FORBIDDEN for text in texts if word in text] == []
    questions = " ".join(q.text for q in demo("show.yaml").questions)
    assert "问题" not in questions  # 问题 is a finding, 提问 a question
    titles = [r.title for r in demo("show.yaml").rounds]
    assert all(title.startswith(("网络评价：", "测评：")) for title in titles)


# --- The format's page and its neighbours ---------------------------------------------------------


def test_the_page_of_the_format_names_every_key_and_its_example_is_a_show() -> None:
    page = (ROOT / "docs" / "show-file.md").read_text("utf-8")
    for kind in vars(show_module).values():
        fields = getattr(kind, "__dataclass_fields__", {})
        assert [name for name in fields if f"`{name}`" not in page] == []
    assert [
        word for word in (*STEP_KEYS, *SEED_STATUSES, *SIGNERS) if f"`{word}`" not in page
    ] == []
    (example,) = re.findall(r"```yaml\n(title:.*?)```", page, re.DOTALL)
    show = read_show(example)
    assert read_show(write_show(show)) == show


def test_fixed_words_agree_with_the_rest_of_the_house() -> None:
    assert set(STEP_KEYS) == set(STEPS)
    assert set(SIGNERS) <= RIGHTS["certify"]
    assert set(PUBLISHERS) <= RIGHTS["publish"]
