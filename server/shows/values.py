"""Single values, lists and mappings of a show file, each checked where it stands.

Scalars are read as they stand, by what their place asks for: a phone number keeps its zeros, `on`
and `no` are words, and no decimal passes through a binary fraction.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeVar

from server.domain.show import JsonValue
from server.shows.problems import Problems
from server.shows.tree import INVISIBLE, Mapping, Node, Refused, Scalar, Sequence, shown, unique

Word = TypeVar("Word", bound=str)

RULE_TEXT: Final = 2_000  # characters of a text in a document

FLOAT: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""What a YAML reader might take for a binary fraction."""
_KEY: Final = re.compile(r"[a-z0-9_-]{1,40}")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?")


class Fields:
    """One mapping being read: gives each key out by name, then complains about the rest."""

    def __init__(self, node: Mapping, problems: Problems) -> None:
        self.node = node
        self._problems = problems
        self._asked: list[str] = []
        self._values: dict[str, Node] = {}
        for name, value in unique(node, problems):
            self._values[name.text] = value

    def need(self, name: str) -> Node:
        """The value of a key that must be there."""
        value = self.may(name)
        if value is not None:
            return value
        key = f"{self.node.key}.{name}" if self.node.key else name
        self._problems.add(self.node.line, key, "missing")
        return Refused(self.node.line, key)

    def may(self, name: str) -> Node | None:
        """The value of a key that can be left out; null is the same as leaving it out."""
        self._asked.append(name)
        value = self._values.get(name)
        return None if isinstance(value, Scalar) and value.is_null else value

    def end(self) -> None:
        for name, _ in self.node.pairs:
            if name.text not in self._asked:
                what, known = shown(name.text), ", ".join(self._asked)
                self._problems.at(name, "unknown_key", what=what, known=known)


class Values:
    """Reads the tree top down.

    A method that meets something wrong notes it and gives back a harmless value of its own type;
    no show leaves `read_show` once anything has been noted.
    """

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._lines: dict[str, dict[str, int]] = {}  # kind → key → line where it is defined
        self._unsure: set[str] = set()  # kinds of which a key could not be read
        self._references: list[tuple[str, str, Node]] = []

    # Keys that are defined here and referred to there

    def define(self, kind: str, key: str, node: Node) -> str:
        """Notes that there is a `kind` with this key ("" = unreadable); twice is a mistake."""
        lines = self._lines.setdefault(kind, {})
        if not key:
            self._unsure.add(kind)
        elif key in lines:
            self.problems.at(node, "duplicate", what=shown(key), first=lines[key])
        else:
            lines[key] = node.line
        return key

    def refer(self, kind: str, node: Node | None) -> str | None:
        key = self.key(node) if node is not None else None
        if node is not None and key:
            self._references.append((kind, key, node))
        return key

    def settle_references(self) -> None:
        """Complains about references to nothing, once every key of the file is known."""
        for kind, key, node in self._references:
            if key not in self._lines.get(kind, {}) and kind not in self._unsure:
                self.problems.at(node, f"unknown_{kind}", what=shown(key))

    # Single values

    def scalar(self, node: Node, code: str) -> str | None:
        """The characters of a scalar; for anything else the complaint `code`, and None."""
        if isinstance(node, Scalar) and not node.is_null:
            return node.text
        if not isinstance(node, Refused):
            self.problems.at(node, code)
        return None

    def text(self, node: Node, most: int, *, lines: bool = False) -> str:
        """Text without blanks around it; a "" given back has been complained about."""
        raw = self.scalar(node, "not_text")
        if raw is None:
            return ""
        text = raw.strip()
        if not text:
            self.problems.at(node, "blank")
        elif len(text) > most:
            self.problems.at(node, "too_long", most=most)
        elif INVISIBLE.search(text):
            self.problems.at(node, "bad_character")
        elif "\n" in text and not lines:
            self.problems.at(node, "many_lines")
        else:
            return text
        return ""

    def text_or_none(self, node: Node | None, most: int, *, lines: bool = False) -> str | None:
        return None if node is None else self.text(node, most, lines=lines)

    def shaped(self, node: Node, shape: re.Pattern[str], code: str) -> str:
        """A word of the given shape; a "" given back has been complained about."""
        word = self.scalar(node, code)
        if word is not None and not shape.fullmatch(word):
            self.problems.at(node, code)
            return ""
        return word or ""

    def key(self, node: Node) -> str:
        return self.shaped(node, _KEY, "bad_key")

    def integer(self, node: Node | None, least: int, most: int, default: int = 0) -> int:
        if node is None:
            return default
        word = self.scalar(node, "not_integer")
        if word is None:
            return default
        if not (isinstance(node, Scalar) and node.plain and _INTEGER.fullmatch(word)):
            self.problems.at(node, "not_integer")
            return default
        if not least <= int(word) <= most:
            self.problems.at(node, "out_of_range", least=least, most=most)
            return default
        return int(word)

    def boolean(self, node: Node | None, default: bool) -> bool:
        if node is None or isinstance(node, Refused):
            return default
        if isinstance(node, Scalar) and node.plain and node.text in ("true", "false"):
            return node.text == "true"
        self.problems.at(node, "not_boolean")
        return default

    def known_word(
        self, node: Node, known: tuple[Word, ...], code: str = "not_one_of"
    ) -> Word | None:
        """One of the fixed words; None has been complained about."""
        if isinstance(node, Refused):
            return None
        for word in known:
            if isinstance(node, Scalar) and node.text == word:
                return word
        self.problems.at(node, code, known=", ".join(known))
        return None

    def word(self, node: Node | None, known: tuple[Word, ...], default: Word) -> Word:
        return default if node is None else self.known_word(node, known) or default

    def time(self, node: Node | None) -> datetime | None:
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

    def entries(self, node: Node | None, most: int, least: int = 0) -> list[Node]:
        if node is None or isinstance(node, Refused):
            return []
        if not isinstance(node, Sequence):
            self.problems.at(node, "not_list")
            return []
        if len(node.entries) > most:
            self.problems.at(node, "too_many", most=most)
        elif len(node.entries) < least:
            self.problems.at(node, "too_few", least=least)
        return node.entries[:most]

    def words(
        self, node: Node | None, known: tuple[Word, ...], default: tuple[Word, ...]
    ) -> tuple[Word, ...]:
        """A list of fixed words, at least one and none twice."""
        if node is None:
            return default
        words: list[Word] = []
        for entry in self.entries(node, len(known), least=1):
            word = self.known_word(entry, known)
            if word:
                self.define(node.key, word, entry)
                words.append(word)
        return tuple(words)

    def texts(self, node: Node | None, most: int, longest: int) -> tuple[str, ...]:
        """A list of texts, none twice."""
        texts: list[str] = []
        for entry in self.entries(node, most):
            text = self.text(entry, longest)
            if text in texts:
                self.problems.at(
                    entry, "duplicate", what=shown(text), first=node.line if node else 0
                )
            elif text:
                texts.append(text)
        return tuple(texts)

    def mappings(self, node: Node | None, most: int, least: int = 0) -> Iterator[Fields]:
        """The entries of a list of mappings, each complained about in full once it is used up."""
        for entry in self.entries(node, most, least):
            fields = self.fields(entry)
            if fields:
                yield fields
                fields.end()

    def section(self, kind: str, node: Node | None, most: int, least: int = 0) -> Iterator[Fields]:
        """As `mappings`, for entries with a key of their own that others refer to."""
        if not isinstance(node, Sequence | None) or any(
            not isinstance(entry, Mapping) for entry in (node.entries if node else ())
        ):
            self._unsure.add(kind)
        return self.mappings(node, most, least)

    def fields(self, node: Node) -> Fields | None:
        if isinstance(node, Mapping):
            return Fields(node, self.problems)
        if not isinstance(node, Refused):
            self.problems.at(node, "not_mapping")
        return None

    # A document that is kept as it is

    def document(self, node: Mapping) -> dict[str, JsonValue]:
        """A mapping as JSON has it: decimals are quoted strings, plain integers are integers."""
        document: dict[str, JsonValue] = {}
        for name, value in unique(node, self.problems):
            if INVISIBLE.search(name.text):
                self.problems.at(name, "bad_character")
            document[name.text] = self.json(value)
        return document

    def json(self, node: Node) -> JsonValue:
        if isinstance(node, Mapping):
            return self.document(node)
        if isinstance(node, Sequence):
            return [self.json(entry) for entry in node.entries]
        if isinstance(node, Refused) or node.is_null:
            return None
        if node.plain and node.text in ("true", "false"):
            return node.text == "true"
        if node.plain and _INTEGER.fullmatch(node.text):
            return int(node.text)
        if node.plain and FLOAT.fullmatch(node.text):
            self.problems.at(node, "decimal_not_quoted")
        elif len(node.text) > RULE_TEXT:
            self.problems.at(node, "too_long", most=RULE_TEXT)
        elif INVISIBLE.search(node.text):
            self.problems.at(node, "bad_character")
        return node.text
