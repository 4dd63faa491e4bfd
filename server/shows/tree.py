"""A show file as a tree whose every value knows its line and its key.

Only YAML's plain structure is taken: mappings, lists and scalars of one document. Aliases, anchors
and tags are refused, so a small file cannot unfold into a large one or name a Python object.
PyYAML is used for its events alone; its guesses at types (`12:30` is 750) and its silence about
repeated keys stay outside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

from server.shows.problems import Problems

MAX_BYTES: Final = 1_000_000  # of the file, as UTF-8
MAX_DEPTH: Final = 16  # mappings and lists inside one another
MAX_VALUES: Final = 50_000  # keys, values, lists and mappings in one file

INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Control and bidi characters: they are in no text of a show."""


@dataclass(slots=True)
class Scalar:
    line: int
    key: str
    text: str
    plain: bool
    """Written without quotes, so that null, true and 12 are not text."""

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class Sequence:
    line: int
    key: str
    entries: "list[Node]" = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    line: int
    key: str
    pairs: "list[tuple[Scalar, Node]]" = field(default_factory=list)
    """As in the file, repeated keys included."""


@dataclass(slots=True)
class Refused:
    """Something that has been complained about already; whoever meets it says nothing more."""

    line: int
    key: str


Node: TypeAlias = Scalar | Sequence | Mapping | Refused

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    node: Sequence | Mapping
    waiting: Scalar | Refused | None = None
    """In a mapping: the key whose value comes next."""


def tree_of(source: str | bytes, problems: Problems) -> Node | None:
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
        problems.add(line, "", "not_yaml", why=shown(error.problem or error.context or "?", 80))
    except ValueError:  # PyYAML's own slip over a number such as "\\U00110000"
        problems.add(1, "", "not_yaml", why="a number in an escape or directive is too large")
    return None


def _grow(text: str, problems: Problems) -> Node | None:
    """Builds the tree from YAML's events with a stack, so that no nesting can exhaust Python's."""
    root: Node | None = None
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
            node: Node = Refused(line, here)
            if isinstance(event, yaml.ScalarEvent):
                node = Scalar(line, here, event.value, plain=event.style in (None, ""))
            elif isinstance(event, yaml.MappingStartEvent):
                node = Mapping(line, here)
            elif isinstance(event, yaml.SequenceStartEvent):
                node = Sequence(line, here)
            taken = Refused(line, here) if refusal else node
            if stack:
                _put(stack[-1], taken, problems)
            else:
                root = taken
            if isinstance(node, Mapping | Sequence):
                stack.append(_Open(node))  # a refused one grows on, outside the tree
                if len(stack) > MAX_DEPTH:
                    problems.add(line, here, "too_deep", most=MAX_DEPTH)
                    return None
    if root is None or (isinstance(root, Scalar) and root.is_null):
        problems.add(1, "", "empty_file")
        return None
    return root


def _place_of_next(stack: list[_Open]) -> str:
    """Path of the value that comes next, such as `items[2].steps`."""
    if not stack:
        return ""
    top = stack[-1]
    if isinstance(top.node, Sequence):
        return f"{top.node.key}[{len(top.node.entries) + 1}]"
    return top.waiting.key if top.waiting else top.node.key


def _put(top: _Open, node: Node, problems: Problems) -> None:
    """Adds the next value to a list, or the next key or value to a mapping."""
    if isinstance(top.node, Sequence):
        top.node.entries.append(node)
    elif top.waiting is None:
        if isinstance(node, Scalar) and not node.is_null:
            above = f"{top.node.key}." if top.node.key else ""
            top.waiting = Scalar(node.line, above + shown(node.text), node.text, node.plain)
        else:
            if not isinstance(node, Refused):
                problems.at(node, "odd_key")
            top.waiting = Refused(node.line, node.key)
    else:
        if isinstance(top.waiting, Scalar):
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


def shown(text: str, most: int = 40) -> str:
    """A word of the file as a message may quote it: short, in one line, without long numbers."""
    word = re.sub(r"[0-9]{5,}", "…", INVISIBLE.sub("…", " ".join(text.split())))
    return word if len(word) <= most else word[: most - 1] + "…"


def unique(node: Mapping, problems: Problems) -> Iterator[tuple[Scalar, Node]]:
    """The mapping's pairs, a repeated key being complained about and left out."""
    first: dict[str, int] = {}
    for name, value in node.pairs:
        if name.text in first:
            what = shown(name.text)
            problems.at(name, "duplicate_key", what=what, first=first[name.text])
        else:
            first[name.text] = name.line
            yield name, value
