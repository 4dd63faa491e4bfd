"""A rule document's objects, read key by key, and the one way in which a rule set is refused.

`Node` is one object of the document with the place where it stands; each of its readers gives a
checked value or raises `RulesInvalid` with the path of what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, TypeVar

from server.domain.exact import MOST_PLACES, decimal_of
from server.domain.explained import Explained, Sentence, shown
from server.domain.keys import LONGEST_KEY, is_key

MOST_COUNT = 1_000_000
"""The largest count (of raters, of sheets) that a rule set may name."""
LONGEST_REASON = 500

_FRACTION = re.compile(r"[0-9]{1,9}/[1-9][0-9]{0,8}", re.ASCII)
_Item = TypeVar("_Item")


class RulesInvalid(Explained):
    """A rule set that cannot be used; `path` names the place, e.g. `dimensions[1].factor`."""

    sentences: ClassVar[Mapping[str, Sentence]] = {
        "rules_not_json": (
            "计票规则不是有效的 JSON：{why}。",
            "The rules are not valid JSON: {why}.",
        ),
        "rules_not_utf8": (
            "计票规则文件不是 UTF-8 文本。",
            "The rules are not UTF-8 text.",
        ),
        "rules_not_object": (
            "计票规则应为一个 JSON 对象。",
            "The rules must be one JSON object.",
        ),
        "rules_key_twice": (
            "计票规则中有对象把“{key}”写了两次。",
            "An object in the rules gives “{key}” twice.",
        ),
        "rules_key_unknown": (
            "计票规则中没有“{path}”这一项。",
            "The rules know no “{path}”.",
        ),
        "rules_key_missing": (
            "计票规则缺少“{path}”。",
            "The rules lack “{path}”.",
        ),
        "rules_type": (
            "计票规则的“{path}”应为{wanted}。",
            "“{path}” in the rules must be {wanted}.",
        ),
        "rules_decimal": (
            '计票规则的“{path}”应为写成字符串的小数，如 "0.25"，最多 12 位小数。',
            (
                "“{path}” in the rules must be a decimal written as a string,"
                ' such as "0.25", with at most 12 places.'
            ),
        ),
        "rules_choice": (
            "计票规则的“{path}”应为以下之一：{choices}。",
            "“{path}” in the rules must be one of: {choices}.",
        ),
        "rules_range": (
            "计票规则的“{path}”应{wanted}。",
            "“{path}” in the rules must be {wanted}.",
        ),
        "rules_key_bad": (
            "计票规则的“{path}”应为 1 至 {most} 个可见字符，首尾无空格。",
            (
                "“{path}” in the rules must be 1 to {most} visible characters"
                " without a space at either end."
            ),
        ),
        "rules_key_reserved": (
            "计票规则的“{path}”不能是“{key}”：这是保留的选项。",
            "“{path}” in the rules may not be “{key}”, which has a meaning of its own.",
        ),
        "rules_duplicate": (
            "计票规则的“{path}”重复使用了“{key}”。",
            "“{path}” in the rules uses “{key}” a second time.",
        ),
        "rules_empty": (
            "计票规则的“{path}”不能为空。",
            "“{path}” in the rules may not be empty.",
        ),
        "rules_weights_zero": (
            "计票规则的“{path}”中至少一组的权重应大于 0。",
            "At least one group in “{path}” of the rules must weigh more than 0.",
        ),
        "rules_trim_leaves_none": (
            "计票规则的“{path}”应至少为 {least}，否则去掉最高、最低后一个也不剩。",
            "“{path}” in the rules must be at least {least}, or the trim could leave nobody.",
        ),
        "rules_tie_unknown": (
            "计票规则的“{path}”写了不存在的“{key}”。",
            "“{path}” in the rules names “{key}”, which is not there.",
        ),
        "rules_grade_unknown": (
            "计票规则的“{path}”写了不存在的等次“{key}”。",
            "“{path}” in the rules names the grade “{key}”, which is not there.",
        ),
        "rules_label_unknown": (
            "计票规则的“{path}”写了不存在的选项“{key}”。",
            "“{path}” in the rules names the label “{key}”, which is on no scale.",
        ),
        "rules_share": (
            '计票规则的“{path}”应为 0 至 1 的比例，写成 "0.5" 或 "1/3"。',
            '“{path}” in the rules must be a share from 0 to 1, written "0.5" or "1/3".',
        ),
        "rules_weights_sum": (
            "计票规则“{path}”的权重合计为 {sum}，应合计为 1{or_whole}。",
            "The weights in “{path}” of the rules add up to {sum} and should add up to 1{or_whole}.",
        ),
        "rules_order": (
            "计票规则的“{path}”应低于它前面的一档，否则永远轮不到。",
            "“{path}” in the rules must be lower than the one before it, or it is never reached.",
        ),
        "rules_after_last": (
            "计票规则的“{path}”在无条件的一项之后，永远轮不到。",
            "“{path}” in the rules stands after one that always holds and is never reached.",
        ),
        "rules_circle": (
            "计票规则的“{path}”使等次“{key}”绕回到自己。",
            "“{path}” in the rules sends the grade “{key}” round in a circle.",
        ),
        "rules_needless": (
            "计票规则的“{path}”与“{other}”不能同时使用。",
            "“{path}” in the rules cannot stand beside “{other}”.",
        ),
        "rules_one_dimension": (
            "计票规则用了“{path}”时只能有一个维度。",
            "With “{path}” the rules may have one dimension only.",
        ),
        "rules_one_group": (
            "计票规则的“{path}”为 {key} 时最多只能有一个组。",
            "With “{path}” {key} the rules may have one group at most.",
        ),
        "rules_labels_needed": (
            "计票规则的“{path}”须用选项计票，不能用数字。",
            "“{path}” in the rules needs a scale of labels, not of numbers.",
        ),
        "rules_composite_here": (
            "计票规则的“{path}”此处不能用：这里须用单一渠道的规则。",
            "“{path}” cannot be used in the rules here: those of one electorate are wanted.",
        ),
    }

    def __init__(self, code: str, path: str, **detail: str | Sentence) -> None:
        self.path = path
        super().__init__(code, path=path, **detail)


KINDS: Mapping[str, Sentence] = {
    "object": ("一个对象", "an object"),
    "list": ("一个列表", "a list"),
    "text": ("字符串", "a string"),
    "integer": ("整数", "an integer"),
    "boolean": ("true 或 false", "true or false"),
}
NOT_NEGATIVE: Sentence = ("不小于 0", "0 or more")
POSITIVE: Sentence = ("大于 0", "greater than 0")


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the document and where it stands; it has no key but known ones."""

    path: str
    members: Mapping[str, object]

    def __contains__(self, key: str) -> bool:
        return key in self.members

    def place(self, key: str) -> str:
        """The path of a member."""
        return f"{self.path}.{key}" if self.path else key

    def need(self, key: str) -> object:
        """A member that may not be missing."""
        if key not in self.members:
            raise RulesInvalid("rules_key_missing", self.place(key))
        return self.members[key]

    def text(self, key: str) -> str:
        """A string."""
        return text_of(self.need(key), self.place(key))

    def key(self, key: str) -> str:
        """A string that can be a key."""
        return key_of(self.need(key), self.place(key))

    def decimal(self, key: str) -> Fraction:
        """A decimal written as a string."""
        value = self.need(key)
        number = decimal_of(value) if isinstance(value, str) else None
        if number is None:
            raise RulesInvalid("rules_decimal", self.place(key))
        return number

    def more_than_zero(self, key: str) -> Fraction:
        """A decimal above 0."""
        value = self.decimal(key)
        if value <= 0:
            raise RulesInvalid("rules_range", self.place(key), wanted=POSITIVE)
        return value

    def weight(self, key: str) -> Fraction:
        """A decimal of 0 or more, 1 when it is not given."""
        if key not in self.members:
            return Fraction(1)
        value = self.decimal(key)
        if value < 0:
            raise RulesInvalid("rules_range", self.place(key), wanted=NOT_NEGATIVE)
        return value

    def share(self, key: str) -> Fraction:
        """A share from 0 to 1, a decimal or a fraction written as a string."""
        value = self.need(key)
        number = None
        if isinstance(value, str):
            number = Fraction(value) if _FRACTION.fullmatch(value) else decimal_of(value)
        if number is None or not 0 <= number <= 1:
            raise RulesInvalid("rules_share", self.place(key))
        return number

    def count(self, key: str, default: int, most: int) -> int:
        """An integer from 0 to `most`."""
        if key not in self.members:
            return default
        return count_of(self.members[key], self.place(key), most)

    def places(self, key: str) -> int | None:
        """A number of decimal places; missing or null = none."""
        value = self.members.get(key)
        return None if value is None else count_of(value, self.place(key), MOST_PLACES)

    def switch(self, key: str) -> bool:
        """True or false, false when it is not given."""
        value = self.members.get(key, False)
        if not isinstance(value, bool):
            raise RulesInvalid("rules_type", self.place(key), wanted=KINDS["boolean"])
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of `choices`, the first when it is not given."""
        return self.needed_choice(key, choices) if key in self.members else choices[0]

    def needed_choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of `choices`; it may not be missing."""
        value = self.text(key)
        if value not in choices:
            raise RulesInvalid("rules_choice", self.place(key), choices=", ".join(choices))
        return value

    def objects(self, key: str, keys: frozenset[str]) -> tuple[Node, ...]:
        """Every object of a list that is not empty; none when the list is not given."""
        if key not in self.members:
            return ()
        return list_of(self.members[key], self.place(key), lambda one, path: node(one, path, keys))


def node(value: object, path: str, keys: frozenset[str]) -> Node:
    """`value` as an object with no other keys than `keys`."""
    if not isinstance(value, dict):
        if not path:
            raise RulesInvalid("rules_not_object", "")
        raise RulesInvalid("rules_type", path, wanted=KINDS["object"])
    found = Node(path, value)
    for key in value:
        if not isinstance(key, str) or key not in keys:
            raise RulesInvalid("rules_key_unknown", found.place(shown(str(key))))
    return found


def text_of(value: object, path: str) -> str:
    """`value` as a string."""
    if not isinstance(value, str):
        raise RulesInvalid("rules_type", path, wanted=KINDS["text"])
    return value


def key_of(value: object, path: str) -> str:
    """`value` as a string that can be a key."""
    text = text_of(value, path)
    if not is_key(text):
        raise RulesInvalid("rules_key_bad", path, most=str(LONGEST_KEY))
    return text


def count_of(value: object, path: str, most: int) -> int:
    """`value` as an integer from 0 to `most`."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise RulesInvalid("rules_type", path, wanted=KINDS["integer"])
    if not 0 <= value <= most:
        wanted = (f"在 0 至 {most} 之间", f"between 0 and {most}")
        raise RulesInvalid("rules_range", path, wanted=wanted)
    return value


def list_of(value: object, path: str, read: Callable[[object, str], _Item]) -> tuple[_Item, ...]:
    """Every item of a list that is not empty, read by `read(item, its path)`."""
    if not isinstance(value, list):
        raise RulesInvalid("rules_type", path, wanted=KINDS["list"])
    if not value:
        raise RulesInvalid("rules_empty", path)
    return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(value))


def distinct(keys: Iterable[str], path: str, member: str = "") -> None:
    """Raises `rules_duplicate` at the first key that stands there before."""
    seen: set[str] = set()
    for index, key in enumerate(keys):
        if key in seen:
            raise RulesInvalid("rules_duplicate", f"{path}[{index}]{member}", key=shown(key))
        seen.add(key)
