"""The show file: a hearing written down in YAML, read with every mistake named, written back.

    read_show(text) -> Show            all problems at once, each with its line and key
    write_show(show) -> text           read_show(write_show(show)) == show

The format, for the person who fills one in: `docs/show-file.md`. What comes out:
`server/domain/show.py`, whose fields have the names of the file's keys.

Only YAML's plain structure is taken: mappings, lists and scalars of one document. Aliases, anchors
and tags are refused, so a small file cannot unfold into a large one or name a Python object.
Scalars are read as they stand, by what their place asks for: a phone number keeps its zeros, `on`
and `no` are words, and no decimal passes through a binary fraction. PyYAML is used for its events
alone; its guesses at types (`12:30` is 750) and its silence about repeated keys stay outside.

The rules of a round are taken as a document and not understood here; `domain/rules.py` does that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

import yaml

from server.domain.show import (
    LANGUAGES,
    PUBLICATIONS,
    PUBLISHERS,
    REPLACINGS,
    ROUND_AUDIENCES,
    SECRECIES,
    SEED_STATUSES,
    SIGNERS,
    SOURCE_KINDS,
    STEP_KEYS,
    JsonValue,
    Language,
    RulesDocument,
    Secrecy,
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

FORMAT_VERSION: Final = 1
MAX_BYTES: Final = 1_000_000  # of the file, as UTF-8
MAX_DEPTH: Final = 16  # mappings and lists inside one another
MAX_VALUES: Final = 50_000  # keys, values, lists and mappings in one file
MAX_PROBLEMS: Final = 20  # shown at once; the rest are counted

# Characters of one text.
TITLE: Final = 120
NAME: Final = 60
ADDRESS: Final = 2_000
SCRIPT: Final = 2_000
LETTER: Final = 20_000
RULE_TEXT: Final = 2_000

# Entries of one list.
FEW: Final = 60  # subjects, groups, choices' labels
MANY: Final = 1_000  # items, seats, rounds
QUESTIONS: Final = 5_000

DAY: Final = 86_400  # seconds

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # The file as a whole
    "too_large": ("文件超过 {most} 字节", "the file is larger than {most} bytes"),
    "not_utf8": ("文件不是 UTF-8 编码", "the file is not UTF-8"),
    "not_yaml": ("不是合法的 YAML：{why}", "this is not YAML: {why}"),
    "empty_file": ("文件里没有内容", "there is nothing in the file"),
    "many_documents": (
        "一个文件只写一场，这里又开始了一份（---）",
        "one file holds one show; a second document begins here (---)",
    ),
    "too_deep": ("嵌套超过 {most} 层", "nested more than {most} deep"),
    "too_many_values": ("全文超过 {most} 个值", "more than {most} values in the file"),
    "alias": (
        "不能用 * 引用别处，请把内容写出来",
        "an alias (*) is not allowed; write the thing out",
    ),
    "anchor": ("不能用 & 作锚点", "an anchor (&) is not allowed"),
    "tag": ("不能用 ! 指定类型", "a tag (!) is not allowed"),
    "unknown_version": (
        "格式版本只有 {known}",
        "the only version of the format is {known}",
    ),
    # Keys of mappings
    "missing": ("缺少这一项", "this key is missing"),
    "unknown_key": (
        "没有“{what}”这一项，这里可写：{known}",
        "there is no key “{what}”; known here: {known}",
    ),
    "duplicate_key": (
        "“{what}”在第 {first} 行已经写过",
        "“{what}” was already given on line {first}",
    ),
    "odd_key": ("冒号前只能是一个词", "a key must be one plain word"),
    # Kinds of values
    "not_mapping": ("这里应是“键: 值”的形式", "this must be a mapping (key: value)"),
    "not_list": ("这里应是一个列表（每行以“- ”开头）", "this must be a list (lines with “- ”)"),
    "not_text": ("这里应是一段文字", "this must be text"),
    "not_integer": ("这里应是一个整数", "this must be a whole number"),
    "not_boolean": ("这里只能写 true 或 false", "this must be true or false"),
    "not_decimal": (
        "这里应是不小于 0 的十进制小数，如 0.25",
        "this must be a decimal of 0 or more, such as 0.25",
    ),
    "not_time": (
        "时间写作 2025-11-03 09:30 或 2025-11-03 09:30:00",
        "write a time as 2025-11-03 09:30 or 2025-11-03 09:30:00",
    ),
    "bad_slug": (
        "只能用 3–40 个小写字母、数字或连字符",
        "must be 3–40 of a–z, 0–9 and the hyphen",
    ),
    "bad_key": (
        "只能用 1–40 个小写字母、数字、连字符或下划线",
        "must be 1–40 of a–z, 0–9, hyphen and underscore",
    ),
    "bad_url": (
        "地址应以 http:// 或 https:// 开头，不含空格",
        "the address must begin with http:// or https:// and hold no space",
    ),
    "decimal_not_quoted": (
        '规则里的小数要加引号，如 "0.5"',
        'a decimal in the rules must be quoted, such as "0.5"',
    ),
    # Sizes
    "blank": ("不能是空的", "must not be blank"),
    "too_long": ("超过 {most} 个字", "longer than {most} characters"),
    "many_lines": ("只能写一行", "must be one line"),
    "bad_character": (
        "含有看不见的控制字符",
        "holds an invisible control character",
    ),
    "out_of_range": ("应在 {least} 到 {most} 之间", "must be from {least} to {most}"),
    "too_few": ("至少要有 {least} 个", "at least {least} needed"),
    "too_many": ("不能超过 {most} 个", "no more than {most} allowed"),
    # Fixed words
    "not_one_of": ("只能是：{known}", "must be one of: {known}"),
    "unknown_step": ("没有这个步骤，只能是：{known}", "no such step; one of: {known}"),
    # Keys that are defined and referred to
    "duplicate": ("“{what}”与第 {first} 行重复", "“{what}” is already taken on line {first}"),
    "unknown_subject": ("没有键为“{what}”的述法人", "there is no subject with the key “{what}”"),
    "unknown_group": ("没有键为“{what}”的组别", "there is no group with the key “{what}”"),
    "unknown_item": ("没有键为“{what}”的议程", "there is no agenda item with the key “{what}”"),
    "unknown_round": (
        "前面没有键为“{what}”且写了规则的轮次",
        "no earlier round with rules has the key “{what}”",
    ),
    "other_source": (
        "“{what}”在第 {first} 行是另一种来源",
        "“{what}” is another kind of source on line {first}",
    ),
    # What a round may be
    "choices_or_rules": (
        "选项（choices）和规则（rules）须写一样，且只写一样",
        "give either choices or rules, and not both",
    ),
    "public_rules": (
        "网络评价只能用选项（choices），不用规则",
        "a public round has choices, not rules",
    ),
    "secret_shown_live": (
        "无记名的轮次在截止前没有分项计数，不能实时显示",
        "a secret round has no counts before it closes, so none can be shown live",
    ),
}
"""Each problem's code, its Chinese and its English sentence. Codes never change their meaning."""


@dataclass(frozen=True, slots=True)
class ShowProblem:
    """One thing wrong with a show file.

    Sentences quote keys and fixed words, never a text, a person's name or a long number.
    """

    line: int
    """Line of the file, the first being 1."""
    key: str
    """Where it is, entries counted from 1: `items[2].steps[1].seconds`; "" = the file itself."""
    code: str
    """A key of `MESSAGES`."""
    zh: str
    en: str

    def sentence(self, lang: Language) -> str:
        """`第 12 行 seats[3].number：…` or `line 12, seats[3].number: …`."""
        if lang == "zh":
            return f"第 {self.line} 行{' ' + self.key if self.key else ''}：{self.zh}"
        return f"line {self.line}{', ' + self.key if self.key else ''}: {self.en}"


class ShowFileError(ValueError):
    """A show file that cannot be taken.

    `problems` holds up to 20 of them in the order of the file, `more` counts the others; `line`,
    `key`, `code`, `zh` and `en` are those of the first. As text: one sentence a line.
    """

    def __init__(
        self, problems: tuple[ShowProblem, ...], more: int = 0, lang: Language = "zh"
    ) -> None:
        lines = [problem.sentence(lang) for problem in problems]
        if more:
            lines.append(f"还有 {more} 处。" if lang == "zh" else f"and {more} more")
        super().__init__("\n".join(lines))
        self.problems = problems
        self.more = more
        self.line = problems[0].line
        self.key = problems[0].key
        self.code = problems[0].code
        self.zh = problems[0].zh
        self.en = problems[0].en


def read_show(text: str | bytes, lang: Language = "zh") -> Show:
    """The show that a file holds; bytes are UTF-8, with or without a byte order mark.

    Raises `ShowFileError` with everything that is wrong; `lang` is the language of its text. Where
    the file is not YAML at all, only that is told: what stands behind it cannot be known.
    """
    problems = _Problems()
    show = None
    tree = _tree_of(text, problems)
    if tree is not None:
        reader = _Reader(problems)
        show = reader.show(tree)
        reader.settle_references()
    if problems.found or show is None:
        raise problems.error(lang)
    return show


# --- The file as a tree ---------------------------------------------------------------------------


@dataclass(slots=True)
class _Scalar:
    line: int
    key: str
    text: str
    plain: bool
    """Written without quotes, so that null, true and 12 are not text."""

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class _Sequence:
    line: int
    key: str
    entries: "list[_Node]" = field(default_factory=list)


@dataclass(slots=True)
class _Mapping:
    line: int
    key: str
    pairs: "list[tuple[_Scalar, _Node]]" = field(default_factory=list)
    """As in the file, repeated keys included."""


@dataclass(slots=True)
class _Refused:
    """Something that has been complained about already; whoever meets it says nothing more."""

    line: int
    key: str


_Node: TypeAlias = _Scalar | _Sequence | _Mapping | _Refused

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


class _Problems:
    """What has been found wrong so far."""

    def __init__(self) -> None:
        self.found: list[ShowProblem] = []

    def add(self, line: int, key: str, code: str, **values: object) -> None:
        zh, en = MESSAGES[code]
        self.found.append(ShowProblem(line, key, code, zh.format(**values), en.format(**values)))

    def at(self, node: _Node, code: str, **values: object) -> None:
        self.add(node.line, node.key, code, **values)

    def error(self, lang: Language) -> ShowFileError:
        ordered = sorted(self.found, key=lambda problem: problem.line)
        more = max(0, len(ordered) - MAX_PROBLEMS)
        return ShowFileError(tuple(ordered[:MAX_PROBLEMS]), more, lang)


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    node: _Sequence | _Mapping
    waiting: _Scalar | _Refused | None = None
    """In a mapping: the key whose value comes next."""


def _tree_of(source: str | bytes, problems: _Problems) -> _Node | None:
    """The file's one document as a tree with lines, or None where there is none to go on with."""
    raw = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        problems.add(1, "", "too_large", most=MAX_BYTES)
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(raw.count(b"\n", 0, error.start) + 1, "", "not_utf8")
        return None
    try:
        return _grow(text, problems)
    except yaml.reader.ReaderError as error:
        problems.add(text.count("\n", 0, error.position) + 1, "", "bad_character")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        problems.add(line, "", "not_yaml", why=_shown(error.problem or error.context or "?", 80))
    except ValueError:  # PyYAML's own slip over a number such as "\\U00110000"
        problems.add(1, "", "not_yaml", why="a number in an escape or directive is too large")
    return None


def _grow(text: str, problems: _Problems) -> _Node | None:
    """Builds the tree from YAML's events with a stack, so that no nesting can exhaust Python's."""
    root: _Node | None = None
    stack: list[_Open] = []
    values = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.add(line, "", "many_documents")
                return root
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            values += 1
            if values > MAX_VALUES:
                problems.add(line, "", "too_many_values", most=MAX_VALUES)
                return None
            here = _place_of_next(stack)
            refusal = _refusal_of(event)
            if refusal:
                problems.add(line, here, refusal)
            node: _Node = _Refused(line, here)
            if isinstance(event, yaml.ScalarEvent):
                node = _Scalar(line, here, event.value, plain=event.style in (None, ""))
            elif isinstance(event, yaml.MappingStartEvent):
                node = _Mapping(line, here)
            elif isinstance(event, yaml.SequenceStartEvent):
                node = _Sequence(line, here)
            taken = _Refused(line, here) if refusal else node
            if stack:
                _put(stack[-1], taken, problems)
            else:
                root = taken
            if isinstance(node, _Mapping | _Sequence):
                stack.append(_Open(node))  # a refused one grows on, outside the tree
                if len(stack) > MAX_DEPTH:
                    problems.add(line, here, "too_deep", most=MAX_DEPTH)
                    return None
    if root is None or (isinstance(root, _Scalar) and root.is_null):
        problems.add(1, "", "empty_file")
        return None
    return root


def _place_of_next(stack: list[_Open]) -> str:
    """Path of the value that comes next, such as `items[2].steps`."""
    if not stack:
        return ""
    top = stack[-1]
    if isinstance(top.node, _Sequence):
        return f"{top.node.key}[{len(top.node.entries) + 1}]"
    return top.waiting.key if top.waiting else top.node.key


def _put(top: _Open, node: _Node, problems: _Problems) -> None:
    """Adds the next value to a list, or the next key or value to a mapping."""
    if isinstance(top.node, _Sequence):
        top.node.entries.append(node)
    elif top.waiting is None:
        if isinstance(node, _Scalar) and not node.is_null:
            above = f"{top.node.key}." if top.node.key else ""
            top.waiting = _Scalar(node.line, above + _shown(node.text), node.text, node.plain)
        else:
            if not isinstance(node, _Refused):
                problems.at(node, "odd_key")
            top.waiting = _Refused(node.line, node.key)
    else:
        if isinstance(top.waiting, _Scalar):
            top.node.pairs.append((top.waiting, node))
        top.waiting = None


def _refusal_of(event: yaml.NodeEvent) -> str | None:
    """The code of what is not allowed at the front of this value."""
    if isinstance(event, yaml.AliasEvent):
        return "alias"
    if event.anchor is not None:
        return "anchor"
    if getattr(event, "tag", None) is not None:
        return "tag"
    return None


def _shown(text: str, most: int = 40) -> str:
    """A word of the file as a message may quote it: short, in one line, without long numbers."""
    word = re.sub(r"[0-9]{5,}", "…", _INVISIBLE.sub("…", " ".join(text.split())))
    return word if len(word) <= most else word[: most - 1] + "…"


# --- The tree as a show ---------------------------------------------------------------------------

_Word = TypeVar("_Word", bound=str)

_SLUG: Final = re.compile(r"[a-z0-9-]{3,40}")
_KEY: Final = re.compile(r"[a-z0-9_-]{1,40}")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WEIGHT: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_URL: Final = re.compile(r"https?://[^\s/]\S*")
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


class _Fields:
    """One mapping being read: gives each key out by name, then complains about the rest."""

    def __init__(self, node: _Mapping, problems: _Problems) -> None:
        self.node = node
        self._problems = problems
        self._asked: list[str] = []
        self._values: dict[str, _Node] = {}
        for name, value in _unique(node, problems):
            self._values[name.text] = value

    def need(self, name: str) -> _Node:
        """The value of a key that must be there."""
        value = self.may(name)
        if value is not None:
            return value
        key = f"{self.node.key}.{name}" if self.node.key else name
        self._problems.add(self.node.line, key, "missing")
        return _Refused(self.node.line, key)

    def may(self, name: str) -> _Node | None:
        """The value of a key that can be left out; null is the same as leaving it out."""
        self._asked.append(name)
        value = self._values.get(name)
        return None if isinstance(value, _Scalar) and value.is_null else value

    def end(self) -> None:
        for name, _ in self.node.pairs:
            if name.text not in self._asked:
                what, known = _shown(name.text), ", ".join(self._asked)
                self._problems.at(name, "unknown_key", what=what, known=known)


def _unique(node: _Mapping, problems: _Problems) -> Iterator[tuple[_Scalar, _Node]]:
    """The mapping's pairs, a repeated key being complained about and left out."""
    first: dict[str, int] = {}
    for name, value in node.pairs:
        if name.text in first:
            what = _shown(name.text)
            problems.at(name, "duplicate_key", what=what, first=first[name.text])
        else:
            first[name.text] = name.line
            yield name, value


class _Reader:
    """Reads the tree top down.

    A method that meets something wrong notes it and gives back a harmless value of its own type;
    no show leaves `read_show` once anything has been noted.
    """

    def __init__(self, problems: _Problems) -> None:
        self.problems = problems
        self._lines: dict[str, dict[str, int]] = {}  # kind → key → line where it is defined
        self._unsure: set[str] = set()  # kinds of which a key could not be read
        self._references: list[tuple[str, str, _Node]] = []
        self._rules: dict[str, tuple[RulesDocument, tuple[ShowLabel, ...]]] = {}

    # Keys that are defined here and referred to there

    def define(self, kind: str, key: str, node: _Node) -> str:
        """Notes that there is a `kind` with this key ("" = unreadable); twice is a mistake."""
        lines = self._lines.setdefault(kind, {})
        if not key:
            self._unsure.add(kind)
        elif key in lines:
            self.problems.at(node, "duplicate", what=_shown(key), first=lines[key])
        else:
            lines[key] = node.line
        return key

    def refer(self, kind: str, node: _Node | None) -> str | None:
        key = self.key(node) if node is not None else None
        if node is not None and key:
            self._references.append((kind, key, node))
        return key

    def settle_references(self) -> None:
        """Complains about references to nothing, once every key of the file is known."""
        for kind, key, node in self._references:
            if key not in self._lines.get(kind, {}) and kind not in self._unsure:
                self.problems.at(node, f"unknown_{kind}", what=_shown(key))

    # Single values

    def scalar(self, node: _Node, code: str) -> str | None:
        """The characters of a scalar; for anything else the complaint `code`, and None."""
        if isinstance(node, _Scalar) and not node.is_null:
            return node.text
        if not isinstance(node, _Refused):
            self.problems.at(node, code)
        return None

    def text(self, node: _Node, most: int, *, lines: bool = False) -> str:
        """Text without blanks around it; a "" given back has been complained about."""
        raw = self.scalar(node, "not_text")
        if raw is None:
            return ""
        text = raw.strip()
        if not text:
            self.problems.at(node, "blank")
        elif len(text) > most:
            self.problems.at(node, "too_long", most=most)
        elif _INVISIBLE.search(text):
            self.problems.at(node, "bad_character")
        elif "\n" in text and not lines:
            self.problems.at(node, "many_lines")
        else:
            return text
        return ""

    def text_or_none(self, node: _Node | None, most: int, *, lines: bool = False) -> str | None:
        return None if node is None else self.text(node, most, lines=lines)

    def shaped(self, node: _Node, shape: re.Pattern[str], code: str) -> str:
        """A word of the given shape; a "" given back has been complained about."""
        word = self.scalar(node, code)
        if word is not None and not shape.fullmatch(word):
            self.problems.at(node, code)
            return ""
        return word or ""

    def key(self, node: _Node) -> str:
        return self.shaped(node, _KEY, "bad_key")

    def integer(self, node: _Node | None, least: int, most: int, default: int = 0) -> int:
        if node is None:
            return default
        word = self.scalar(node, "not_integer")
        if word is None:
            return default
        if not (isinstance(node, _Scalar) and node.plain and _INTEGER.fullmatch(word)):
            self.problems.at(node, "not_integer")
            return default
        if not least <= int(word) <= most:
            self.problems.at(node, "out_of_range", least=least, most=most)
            return default
        return int(word)

    def boolean(self, node: _Node | None, default: bool) -> bool:
        if node is None or isinstance(node, _Refused):
            return default
        if isinstance(node, _Scalar) and node.plain and node.text in ("true", "false"):
            return node.text == "true"
        self.problems.at(node, "not_boolean")
        return default

    def known_word(
        self, node: _Node, known: tuple[_Word, ...], code: str = "not_one_of"
    ) -> _Word | None:
        """One of the fixed words; None has been complained about."""
        if isinstance(node, _Refused):
            return None
        for word in known:
            if isinstance(node, _Scalar) and node.text == word:
                return word
        self.problems.at(node, code, known=", ".join(known))
        return None

    def word(self, node: _Node | None, known: tuple[_Word, ...], default: _Word) -> _Word:
        return default if node is None else self.known_word(node, known) or default

    def time(self, node: _Node | None) -> datetime | None:
        if node is None:
            return None
        word = self.scalar(node, "not_time")
        if word is not None:
            try:
                if _TIME.fullmatch(word):
                    return datetime.fromisoformat(word)
            except ValueError:  # the 30th of February
                pass
            self.problems.at(node, "not_time")
        return None

    # Lists and mappings

    def entries(self, node: _Node | None, most: int, least: int = 0) -> list[_Node]:
        if node is None or isinstance(node, _Refused):
            return []
        if not isinstance(node, _Sequence):
            self.problems.at(node, "not_list")
            return []
        if len(node.entries) > most:
            self.problems.at(node, "too_many", most=most)
        elif len(node.entries) < least:
            self.problems.at(node, "too_few", least=least)
        return node.entries[:most]

    def words(
        self, node: _Node | None, known: tuple[_Word, ...], default: tuple[_Word, ...]
    ) -> tuple[_Word, ...]:
        """A list of fixed words, at least one and none twice."""
        if node is None:
            return default
        words: list[_Word] = []
        for entry in self.entries(node, len(known), least=1):
            word = self.known_word(entry, known)
            if word:
                self.define(node.key, word, entry)
                words.append(word)
        return tuple(words)

    def mappings(self, node: _Node | None, most: int, least: int = 0) -> Iterator[_Fields]:
        """The entries of a list of mappings, each complained about in full once it is used up."""
        for entry in self.entries(node, most, least):
            fields = self.fields(entry)
            if fields:
                yield fields
                fields.end()

    def section(
        self, kind: str, node: _Node | None, most: int, least: int = 0
    ) -> Iterator[_Fields]:
        """As `mappings`, for entries with a key of their own that others refer to."""
        if not isinstance(node, _Sequence | None) or any(
            not isinstance(entry, _Mapping) for entry in (node.entries if node else ())
        ):
            self._unsure.add(kind)
        return self.mappings(node, most, least)

    def fields(self, node: _Node) -> _Fields | None:
        if isinstance(node, _Mapping):
            return _Fields(node, self.problems)
        if not isinstance(node, _Refused):
            self.problems.at(node, "not_mapping")
        return None

    # The parts of a show, in the order of the file

    def show(self, tree: _Node) -> Show | None:
        top = self.fields(tree)
        if top is None:
            return None
        version = top.may("version")
        if version is not None and self.scalar(version, "unknown_version") not in (
            None,
            str(FORMAT_VERSION),
        ):
            self.problems.at(version, "unknown_version", known=FORMAT_VERSION)
        show = Show(
            title=self.text(top.need("title"), TITLE),
            slug=self.shaped(top.need("slug"), _SLUG, "bad_slug"),
            office=self.text(top.need("office"), TITLE),
            language=self.word(top.may("language"), LANGUAGES, "zh"),
            stream_url=self.url(top.may("stream_url")),
            note=self.text_or_none(top.may("note"), SCRIPT, lines=True),
            rehearsal_allowed=self.boolean(top.may("rehearsal_allowed"), default=True),
            signers=self.words(top.may("signers"), SIGNERS, ("teller", "scrutineer", "host")),
            publishers=self.words(top.may("publishers"), PUBLISHERS, ("approver",)),
            publication=self.word(top.may("publication"), PUBLICATIONS, "internal"),
            subjects=tuple(
                map(self.subject, self.section("subject", top.need("subjects"), FEW, 1))
            ),
            items=tuple(map(self.item, self.section("item", top.need("items"), MANY, 1))),
            groups=tuple(map(self.group, self.section("group", top.may("groups"), FEW))),
            seats=tuple(map(self.seat, self.mappings(top.may("seats"), MANY))),
            rounds=tuple(map(self.round, self.section("round", top.may("rounds"), MANY))),
            questions=tuple(map(self.question, self.mappings(top.may("questions"), QUESTIONS))),
        )
        top.end()
        return show

    def url(self, node: _Node | None) -> str | None:
        if node is None:
            return None
        text = self.text(node, ADDRESS)
        if text and not _URL.fullmatch(text):
            self.problems.at(node, "bad_url")
        return text

    def subject(self, fields: _Fields) -> ShowSubject:
        key = fields.need("key")
        return ShowSubject(
            key=self.define("subject", self.key(key), key),
            name=self.text(fields.need("name"), NAME),
            post=self.text(fields.need("post"), TITLE),
            unit=self.text(fields.need("unit"), TITLE),
            agency_key=self.key(fields.need("agency_key")),
        )

    def item(self, fields: _Fields) -> ShowItem:
        key = fields.need("key")
        return ShowItem(
            key=self.define("item", self.key(key), key),
            title=self.text(fields.need("title"), TITLE),
            subject=self.refer("subject", fields.may("subject")),
            steps=tuple(map(self.step, self.mappings(fields.need("steps"), len(STEP_KEYS), 1))),
        )

    def step(self, fields: _Fields) -> ShowStep:
        node = fields.need("key")
        key = self.known_word(node, STEP_KEYS, "unknown_step")
        if key:
            steps_of_item = fields.node.key.rpartition("[")[0]
            self.define(steps_of_item, key, node)
        return ShowStep(
            key=key or "opening",
            seconds=self.integer(fields.may("seconds"), 0, DAY),
            script=self.text_or_none(fields.may("script"), SCRIPT, lines=True),
        )

    def group(self, fields: _Fields) -> ShowGroup:
        key = fields.need("key")
        return ShowGroup(
            key=self.define("group", self.key(key), key),
            name=self.text(fields.need("name"), NAME),
            weight=self.shaped(fields.need("weight"), _WEIGHT, "not_decimal"),
        )

    def seat(self, fields: _Fields) -> ShowSeat:
        node = fields.need("number")
        number = self.integer(node, 1, 999)
        self.define("seat", str(number or ""), node)
        return ShowSeat(
            number=number,
            name=self.text(fields.need("name"), NAME),
            group=self.refer("group", fields.need("group")) or "",
            unit=self.text_or_none(fields.may("unit"), TITLE),
        )

    def round(self, fields: _Fields) -> ShowRound:
        key = fields.need("key")
        audience = self.word(fields.need("audience"), ROUND_AUDIENCES, "panel")
        usual: Secrecy = "named"
        choices, rules = fields.may("choices"), fields.may("rules")
        if (choices is None) == (rules is None):
            self.problems.at(fields.node, "choices_or_rules")
        elif rules is not None and audience == "public":
            self.problems.at(rules, "public_rules")
        document, labels = self.rules(rules, fields.may("labels"))
        subjects = fields.may("subjects") if rules is None else fields.need("subjects")
        show_live = fields.may("show_live")
        read = ShowRound(
            key=self.define("round", self.key(key), key),
            title=self.text(fields.need("title"), TITLE),
            audience=audience,
            secrecy=self.word(fields.may("secrecy"), SECRECIES, usual),
            replacing=self.word(fields.may("replacing"), REPLACINGS, "last"),
            subjects=self.subjects_of_round(subjects, least=0 if rules is None else 1),
            item=self.refer("item", fields.may("item")),
            choices=tuple(
                map(self.choice, self.mappings(choices, 12, 0 if choices is None else 2))
            ),
            rules=document,
            labels=labels,
            show_live=self.boolean(show_live, default=False),
        )
        if show_live is not None and read.show_live and read.secrecy == "secret":
            self.problems.at(show_live, "secret_shown_live")
        if document is not None:
            self._rules.setdefault(read.key, (document, labels))
        return read

    def subjects_of_round(self, node: _Node | None, least: int) -> tuple[str, ...]:
        keys: list[str] = []
        for entry in self.entries(node, FEW, least):
            key = self.refer("subject", entry)
            if key:
                keys.append(self.define(entry.key.rpartition("[")[0], key, entry))
        return tuple(keys)

    def choice(self, fields: _Fields) -> ShowChoice:
        node = fields.need("key")
        choices_of_round = fields.node.key.rpartition("[")[0]
        return ShowChoice(
            key=self.define(choices_of_round, self.key(node), node),
            label=self.text(fields.need("label"), NAME),
        )

    def rules(
        self, node: _Node | None, labels: _Node | None
    ) -> tuple[RulesDocument | None, tuple[ShowLabel, ...]]:
        """A round's rules and labels, both of an earlier round where `rules` is that one's key."""
        own = None if labels is None else self.labels(labels)
        if isinstance(node, _Scalar):
            earlier = self._rules.get(node.text)
            if earlier is not None:
                return earlier[0], earlier[1] if own is None else own
            if "round" not in self._unsure:
                self.problems.at(node, "unknown_round", what=_shown(node.text))
        elif isinstance(node, _Mapping):
            return self.document(node), own or ()
        elif isinstance(node, _Sequence):
            self.problems.at(node, "not_mapping")
        return None, own or ()

    def labels(self, node: _Node) -> tuple[ShowLabel, ...]:
        if not isinstance(node, _Mapping):
            if not isinstance(node, _Refused):
                self.problems.at(node, "not_mapping")
            return ()
        if len(node.pairs) > FEW:
            self.problems.at(node, "too_many", most=FEW)
        return tuple(
            ShowLabel(self.key(name), self.text(label, NAME))
            for name, label in _unique(node, self.problems)
        )

    def document(self, node: _Mapping) -> dict[str, JsonValue]:
        """A mapping as JSON has it: decimals are quoted strings, plain integers are integers."""
        document: dict[str, JsonValue] = {}
        for name, value in _unique(node, self.problems):
            if _INVISIBLE.search(name.text):
                self.problems.at(name, "bad_character")
            document[name.text] = self.json(value)
        return document

    def json(self, node: _Node) -> JsonValue:
        if isinstance(node, _Mapping):
            return self.document(node)
        if isinstance(node, _Sequence):
            return [self.json(entry) for entry in node.entries]
        if isinstance(node, _Refused) or node.is_null:
            return None
        if node.plain and node.text in ("true", "false"):
            return node.text == "true"
        if node.plain and _INTEGER.fullmatch(node.text):
            return int(node.text)
        if node.plain and _FLOAT.fullmatch(node.text):
            self.problems.at(node, "decimal_not_quoted")
        elif len(node.text) > RULE_TEXT:
            self.problems.at(node, "too_long", most=RULE_TEXT)
        elif _INVISIBLE.search(node.text):
            self.problems.at(node, "bad_character")
        return node.text

    def question(self, fields: _Fields) -> ShowQuestion:
        source_node, key_node, id_node = map(fields.need, ("source", "source_key", "external_id"))
        source = self.known_word(source_node, SOURCE_KINDS)
        source_key = self.key(key_node)
        external_id = self.text(id_node, NAME)
        if source and source_key:
            lines = self._lines.setdefault(f"kind of {source_key}", {source: key_node.line})
            if source not in lines:
                first = next(iter(lines.values()))
                self.problems.at(key_node, "other_source", what=_shown(source_key), first=first)
        self.define(f"question of {source_key}", external_id, id_node)
        return ShowQuestion(
            source=source or "hotline",
            source_key=source_key,
            external_id=external_id,
            title=self.text_or_none(fields.may("title"), TITLE),
            text=self.text(fields.need("text"), LETTER, lines=True),
            subject=self.refer("subject", fields.may("subject")),
            requester_name=self.text_or_none(fields.may("requester_name"), NAME),
            requester_phone=self.text_or_none(fields.may("requester_phone"), NAME),
            district=self.text_or_none(fields.may("district"), NAME),
            asked_at=self.time(fields.may("asked_at")),
            likes=self.integer(fields.may("likes"), 0, 10_000_000),
            status=self.word(fields.may("status"), SEED_STATUSES, "received"),
        )


# --- A show as a file -----------------------------------------------------------------------------

_HEADS: Final[Mapping[Language, str]] = {
    "zh": (
        "# 评议场次文件，格式见 docs/show-file.md。\n"
        "# 时长一律以秒计；时间是本地时间；小数写在引号里；没有写出的项取默认值。\n"
    ),
    "en": (
        "# A Pingyi show file; the format is told in docs/show-file.md.\n"
        "# Durations are in seconds, times are local, decimals are quoted; what is left out has\n"
        "# its default.\n"
    ),
}

_SECTIONS: Final = ("version", "subjects", "items", "groups", "seats", "rounds", "questions")
"""Keys with an empty line before them."""


def write_show(show: Show) -> str:
    """The show as YAML that a person can read and edit, in the order of `docs/show-file.md`.

    `read_show` of the result equals `show`. Raises `ShowFileError` for a show that breaks a rule of
    the format (as if its file had been read), `ValueError` for one that no file could hold, such as
    a title with blanks around it.
    """
    text = _HEADS[show.language] + "".join(
        ("\n" if name in _SECTIONS else "") + _yaml({name: value})
        for name, value in _plain_show(show).items()
    )
    if read_show(text, show.language) != show:
        raise ValueError("a file cannot hold this show: a text or a rule would be read differently")
    return text


def _given(**values: object) -> dict[str, object]:
    """The values that are worth writing: not None, nor an empty tuple."""
    return {name: value for name, value in values.items() if value is not None and value != ()}


def _plain_show(show: Show) -> dict[str, object]:
    return _given(
        version=FORMAT_VERSION,
        title=show.title,
        slug=show.slug,
        office=show.office,
        language=show.language,
        stream_url=show.stream_url,
        note=show.note,
        rehearsal_allowed=show.rehearsal_allowed,
        signers=list(show.signers),
        publishers=list(show.publishers),
        publication=show.publication,
        subjects=[
            _given(key=s.key, name=s.name, post=s.post, unit=s.unit, agency_key=s.agency_key)
            for s in show.subjects
        ],
        items=[_plain_item(item) for item in show.items],
        groups=[_given(key=g.key, name=g.name, weight=g.weight) for g in show.groups] or None,
        seats=[_given(number=s.number, name=s.name, group=s.group, unit=s.unit) for s in show.seats]
        or None,
        rounds=list(_plain_rounds(show.rounds)) or None,
        questions=[_plain_question(question) for question in show.questions] or None,
    )


def _plain_item(item: ShowItem) -> dict[str, object]:
    steps = [_given(key=s.key, seconds=s.seconds, script=s.script) for s in item.steps]
    return _given(key=item.key, title=item.title, subject=item.subject, steps=steps)


def _plain_rounds(rounds: Iterable[ShowRound]) -> Iterator[dict[str, object]]:
    """Rules that are the same as those of an earlier round become that round's key."""
    written: list[ShowRound] = []
    for this in rounds:
        same = next((one for one in written if one.rules == this.rules), None)
        labels: dict[str, str] | None = {label.key: label.label for label in this.labels}
        if this.labels == (same.labels if same else ()):
            labels = None
        yield _given(
            key=this.key,
            title=this.title,
            audience=this.audience,
            secrecy=this.secrecy,
            replacing=this.replacing,
            subjects=list(this.subjects),
            item=this.item,
            choices=[_given(key=c.key, label=c.label) for c in this.choices] or None,
            rules=this.rules if same is None else same.key,
            labels=labels,
            show_live=this.show_live or None,
        )
        if this.rules is not None:
            written.append(this)


def _plain_question(question: ShowQuestion) -> dict[str, object]:
    return _given(
        source=question.source,
        source_key=question.source_key,
        external_id=question.external_id,
        title=question.title,
        text=question.text,
        subject=question.subject,
        requester_name=question.requester_name,
        requester_phone=question.requester_phone,
        district=question.district,
        asked_at=question.asked_at,
        likes=question.likes or None,
        status=question.status if question.status != "received" else None,
    )


class _Dumper(yaml.SafeDumper):
    """Block style, list entries set in, nothing shared."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Lines as a block, look-alikes of numbers in quotes, the rest as it stands."""
    style = None
    if "\n" in text and text == text.strip():
        style = "|"
    elif _FLOAT.fullmatch(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
