"""The rule set of a round: read, checked and named by its hash.

A rule set is a JSON document (`RULES.json`, a dict once parsed). Decimals in it are strings,
counts and places are integers. `parse_rules` turns it into frozen dataclasses whose numbers are
exact `Fraction`s; whatever it does not know, or knows and cannot do yet, is a `RulesInvalid`:
nothing in a rule set is ever skipped silently.

What may be left out, and what it then means:

=================  ===========================================================================
``scale``          may be left out only when every dimension carries its own
scale ``step``     every decimal between ``min`` and ``max`` (12 places at most) is on the scale
``factor``         1
``weight``         1
``groups``         one group of everybody; the ``group`` column is then not looked at
``empty_group``    ``renormalise`` (never zero unless the rules say so)
``ballot``         ``required: any``
``within``         ``mean``
``across``         ``sum``
``trim``           nobody is trimmed; ``high`` and ``low`` alone default to 0, ``from`` to
                   high + low + 1, ``on`` to ``dimension``
``rounding``       no rounding; a missing place counts as null, a missing mode as ``half_up``
``order``, ties    ``descending``, ``shared``
=================  ===========================================================================

A key of a later version is refused with `rules_key_later`, except where it says exactly what is
done anyway: ``floor: 0``, ``denominator: "valid"``, ``void_all_equal: false``,
``void_all_full: false``.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, NoReturn, TypeVar, cast

from server.domain.exact import MOST_PLACES, decimal_of
from server.domain.explained import Explained, Sentence, shown

EmptyGroup = Literal["renormalise", "zero", "refuse"]
Required = Literal["any", "all"]
Within = Literal["mean", "sum", "median"]
Across = Literal["sum", "mean"]
TrimOn = Literal["dimension", "total", "none"]
RoundingMode = Literal["half_up", "half_even", "down"]
Order = Literal["descending", "ascending"]

ABSTAIN: Literal["abstain"] = "abstain"
DONT_KNOW: Literal["dont_know"] = "dont_know"
VOID: Literal["void"] = "void"
WORDS = (ABSTAIN, DONT_KNOW, VOID)
"""Values that are no marks. A label may not take one of them for its key."""

HIGHEST_MARK = "highest_mark"
OFFICE_ORDER = "office_order"
DIMENSION_TIE = "dimension:"
"""A tie key is `highest_mark`, `office_order` or `dimension:` and a dimension's key."""

MOST_COUNT = 1_000_000
"""The largest count (of raters to trim) that a rule set may name."""
LONGEST_KEY = 128
LONGEST_LABEL = 200


# What is wrong with a rule set ------------------------------------------------------------------


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
        "rules_key_later": (
            "计票规则中的“{path}”（{what}）本版本尚不支持。",
            "“{path}” ({what}) in the rules is not supported yet.",
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
            "计票规则的“{path}”写了不存在的维度“{key}”。",
            "“{path}” in the rules names the dimension “{key}”, which is not there.",
        ),
    }

    def __init__(self, code: str, path: str, **detail: str | Sentence) -> None:
        self.path = path
        super().__init__(code, path=path, **detail)


_KINDS: Mapping[str, Sentence] = {
    "object": ("一个对象", "an object"),
    "list": ("一个列表", "a list"),
    "text": ("字符串", "a string"),
    "integer": ("整数", "an integer"),
    "boolean": ("true 或 false", "true or false"),
}


# The rule set -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NumberScale:
    """Numbers from `minimum` to `maximum`, both included, on the grid `minimum` + k × `step`.

    Without `step`, every decimal in between. `maximum` need not lie on the grid.
    """

    minimum: Fraction
    maximum: Fraction
    step: Fraction | None

    @property
    def grain(self) -> int:
        """An integer g such that every mark × g is an integer."""
        if self.step is None:
            return int(10**MOST_PLACES)
        return math.lcm(self.minimum.denominator, self.step.denominator)


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of a scale of labels: its key in ballots, its words for people, its points."""

    key: str
    label: str
    points: Fraction


@dataclass(frozen=True, slots=True)
class LabelScale:
    """A scale of named answers, e.g. 好 20, 一般 17, 差 14; as the document lists them."""

    labels: tuple[Label, ...]

    @property
    def grain(self) -> int:
        """An integer g such that every mark × g is an integer."""
        return math.lcm(*(label.points.denominator for label in self.labels))


Scale = NumberScale | LabelScale


@dataclass(frozen=True, slots=True)
class Dimension:
    """One line of the rubric; `scale` is its own or else that of the whole document."""

    key: str
    factor: Fraction
    scale: Scale


@dataclass(frozen=True, slots=True)
class Group:
    """A group of raters and the weight of its mark, 0 or more."""

    key: str
    weight: Fraction


@dataclass(frozen=True, slots=True)
class Trim:
    """`high` highest and `low` lowest leave when there are `least` or more (`from`)."""

    high: int
    low: int
    least: int
    on: TrimOn


@dataclass(frozen=True, slots=True)
class Rounding:
    """Decimal places at each named step, `None` = unrounded there.

    `half_up` takes an exact half away from zero, `down` goes towards zero.
    """

    mode: RoundingMode
    dimension: int | None
    weighted: int | None
    group: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule set that can be tallied. `ties` empty = places are shared.

    `canonical` is the document itself in canonical form, from which `rules_hash` comes.
    """

    version: int
    dimensions: tuple[Dimension, ...]
    groups: tuple[Group, ...]
    empty_group: EmptyGroup
    required: Required
    within: Within
    across: Across
    trim: Trim | None
    rounding: Rounding
    order: Order
    ties: tuple[str, ...]
    canonical: bytes

    @property
    def dimension_keys(self) -> tuple[str, ...]:
        """The keys of all dimensions in the document's order."""
        return tuple(dimension.key for dimension in self.dimensions)


def canonical_bytes(document: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8 and one final newline: the canonical form."""
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return f"{text}\n".encode()


def rules_hash(rules: Rules) -> str:
    """Lower-case SHA-256 of the rule set in canonical form, its final newline included.

    The hash is of the document as it was given, not of what its missing keys mean, so that
    anybody can work it out from `RULES.json` without knowing a default; written in canonical
    form, that file's own SHA-256 is the hash.
    """
    return hashlib.sha256(rules.canonical).hexdigest()


# Keys -------------------------------------------------------------------------------------------


def is_visible(text: str, most: int) -> bool:
    """Whether `text` is 1 to `most` visible characters with no space at either end.

    Control, formatting and zero-width characters are not visible: two keys that look alike on
    paper should be one key. The ideographic space, which pads Chinese names, may stand inside.
    """
    visible = text.replace("\u3000", " ").isprintable()
    return 0 < len(text) <= most and visible and text.strip() == text


def is_key(text: str) -> bool:
    """Whether `text` can name a subject, rater, group, dimension or label."""
    return is_visible(text, LONGEST_KEY)


# Reading ----------------------------------------------------------------------------------------


def read_rules(data: bytes) -> Rules:
    """The rule set in the bytes of a `RULES.json`; a byte order mark is allowed.

    Raises `RulesInvalid`, also for what JSON readers usually let pass: a key given twice in one
    object, `NaN` and the infinities.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RulesInvalid("rules_not_utf8", "") from None
    try:
        document = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_such_number)
    except RulesInvalid:
        raise
    except RecursionError:
        raise RulesInvalid("rules_not_json", "", why=("嵌套过深", "nested too deeply")) from None
    except json.JSONDecodeError as error:
        where = (
            f"第 {error.lineno} 行第 {error.colno} 个字符处有误",
            f"something is wrong at line {error.lineno}, character {error.colno}",
        )
        raise RulesInvalid("rules_not_json", "", why=where) from None
    except ValueError:
        raise RulesInvalid("rules_not_json", "", why=_BAD_NUMBER) from None
    return parse_rules(document)


_BAD_NUMBER: Sentence = ("数字无法读取", "a number cannot be read")


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise RulesInvalid("rules_key_twice", shown(key), key=shown(key))
        members[key] = value
    return members


def _no_such_number(name: str) -> NoReturn:
    raise RulesInvalid("rules_not_json", "", why=_BAD_NUMBER)


_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            *("version", "scale", "dimensions", "groups", "empty_group", "ballot"),
            *("within", "across", "trim", "denominator", "rounding", "order", "ties", "floor"),
        }
    ),
    "ballot": frozenset({"required", "void_all_equal", "void_all_full"}),
    "scale of numbers": frozenset({"kind", "min", "max", "step"}),
    "scale of labels": frozenset({"kind", "labels"}),
    "label": frozenset({"key", "label", "points"}),
    "dimension": frozenset({"key", "factor", "scale"}),
    "group": frozenset({"key", "weight"}),
    "trim": frozenset({"high", "low", "from", "on"}),
    "rounding": frozenset({"mode", "dimension", "weighted", "group", "total"}),
}
"""The keys that each kind of object may have."""

_LATER: Mapping[str, Sentence] = {
    "composite": ("多渠道合成", "a composite of channels"),
    "session": ("场次有效性", "validity of the session"),
    "positive": ("满意项", "the positive set"),
    "verdict": ("等次判定", "a verdict cascade"),
    "bands": ("分段折算", "bands"),
    "rank_points": ("名次积分", "rank points"),
    "best_ratio": ("与最好成绩之比", "ratio to the best"),
    "after": ("加分、扣分、封顶与否决", "bonus, deduction, cap and veto"),
    "grades": ("等次划分", "grades"),
    "quota": ("名额限制", "quotas"),
    "floor": ("最少票数", "a floor of ballots"),
    "denominator": ("其他分母", "another denominator"),
    "rate": ("满意率", "a rate"),
    "void_all_equal": ("各项同分作废", "voiding a ballot of equal marks"),
    "void_all_full": ("各项满分作废", "voiding a ballot of full marks"),
}
"""What a later version brings, by key or value."""

_LATER_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            *("composite", "session", "positive", "verdict", "bands", "rank_points"),
            *("best_ratio", "after", "grades", "quota"),
        }
    ),
    "ballot": frozenset({"quota"}),
}
"""The keys of a later version, by the object in which they stand."""


@dataclass(frozen=True, slots=True)
class _Object:
    """An object of the document, where it stands, and that it has no key but known ones."""

    path: str
    members: Mapping[str, object]

    def place(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def need(self, key: str) -> object:
        if key not in self.members:
            raise RulesInvalid("rules_key_missing", self.place(key))
        return self.members[key]

    def text(self, key: str) -> str:
        return _text(self.need(key), self.place(key))

    def decimal(self, key: str) -> Fraction:
        return _decimal(self.need(key), self.place(key))

    def share(self, key: str) -> Fraction:
        """A factor or weight: a decimal of 0 or more, 1 when it is not given."""
        if key not in self.members:
            return Fraction(1)
        value = self.decimal(key)
        if value < 0:
            raise RulesInvalid("rules_range", self.place(key), wanted=("不小于 0", "0 or more"))
        return value

    def count(self, key: str, default: int, most: int) -> int:
        if key not in self.members:
            return default
        return _count(self.members[key], self.place(key), most)

    def places(self, key: str) -> int | None:
        value = self.members.get(key)
        return None if value is None else _count(value, self.place(key), MOST_PLACES)

    def choice(self, key: str, choices: tuple[str, ...], later: tuple[str, ...] = ()) -> str:
        """One of `choices`, the first when it is not given."""
        if key not in self.members:
            return choices[0]
        value, path = self.text(key), self.place(key)
        if value in later:
            raise _later(path, value if value in _LATER else key)
        if value not in choices:
            raise RulesInvalid("rules_choice", path, choices=", ".join(choices))
        return value

    def never(self, key: str) -> None:
        """A switch that only a later version can turn on."""
        value = self.members.get(key, False)
        if not isinstance(value, bool):
            raise RulesInvalid("rules_type", self.place(key), wanted=_KINDS["boolean"])
        if value:
            raise _later(self.place(key), key)


def _later(path: str, what: str) -> RulesInvalid:
    return RulesInvalid("rules_key_later", path, what=_LATER[what])


def _object(value: object, path: str, kind: str) -> _Object:
    """`value` as an object of `kind`, refused when it has a key that this kind has not."""
    if not isinstance(value, dict):
        if not path:
            raise RulesInvalid("rules_not_object", "")
        raise RulesInvalid("rules_type", path, wanted=_KINDS["object"])
    node = _Object(path, value)
    for key in value:
        if not isinstance(key, str):
            raise RulesInvalid("rules_key_unknown", node.place(shown(str(key))))
        if key in _LATER_KEYS.get(kind, ()):
            raise _later(node.place(key), key)
        if key not in _KEYS[kind]:
            raise RulesInvalid("rules_key_unknown", node.place(shown(key)))
    return node


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise RulesInvalid("rules_type", path, wanted=_KINDS["text"])
    return value


def _decimal(value: object, path: str) -> Fraction:
    number = decimal_of(value) if isinstance(value, str) else None
    if number is None:
        raise RulesInvalid("rules_decimal", path)
    return number


def _count(value: object, path: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RulesInvalid("rules_type", path, wanted=_KINDS["integer"])
    if not 0 <= value <= most:
        wanted = (f"在 0 至 {most} 之间", f"between 0 and {most}")
        raise RulesInvalid("rules_range", path, wanted=wanted)
    return value


def _key(value: object, path: str) -> str:
    text = _text(value, path)
    if not is_key(text):
        raise RulesInvalid("rules_key_bad", path, most=str(LONGEST_KEY))
    return text


_Item = TypeVar("_Item")


def _list(value: object, path: str, read: Callable[[object, str], _Item]) -> tuple[_Item, ...]:
    """Every item of a list that is not empty, read by `read(item, its path)`."""
    if not isinstance(value, list):
        raise RulesInvalid("rules_type", path, wanted=_KINDS["list"])
    if not value:
        raise RulesInvalid("rules_empty", path)
    return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(value))


def _distinct(keys: Iterable[str], path: str, member: str = "") -> None:
    seen: set[str] = set()
    for index, key in enumerate(keys):
        if key in seen:
            raise RulesInvalid("rules_duplicate", f"{path}[{index}]{member}", key=key)
        seen.add(key)


def parse_rules(document: object) -> Rules:
    """Check a rule set document (what a JSON reader returns) and read it.

    Raises `RulesInvalid` at the first thing that is unknown, wrong, missing or not supported
    yet. The parsed numbers are exact; `Rules.canonical` keeps the document as it was given.
    """
    top = _object(document, "", "")
    _check_version(top)
    if "floor" in top.members and top.count("floor", 0, MOST_COUNT) != 0:
        raise _later("floor", "floor")
    top.choice("denominator", ("valid",), later=("present", "due", "members"))
    dimensions = _dimensions(top)
    return Rules(
        version=1,
        dimensions=dimensions,
        groups=_groups(top),
        empty_group=cast(EmptyGroup, top.choice("empty_group", ("renormalise", "zero", "refuse"))),
        required=_required(top),
        within=cast(
            Within,
            top.choice(
                "within",
                ("mean", "sum", "median"),
                later=("rate", "verdict", "rank_points", "best_ratio"),
            ),
        ),
        across=cast(Across, top.choice("across", ("sum", "mean"))),
        trim=_trim(top),
        rounding=_rounding(top),
        order=cast(Order, top.choice("order", ("descending", "ascending"))),
        ties=_ties(top, dimensions),
        canonical=canonical_bytes(document),
    )


def _check_version(top: _Object) -> None:
    version = top.need("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise RulesInvalid("rules_type", "version", wanted=_KINDS["integer"])
    if version != 1:
        raise RulesInvalid("rules_choice", "version", choices="1")


def _scale(value: object, path: str) -> Scale:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "labels":
        return _label_scale(_object(value, path, "scale of labels"))
    if kind == "number":
        return _number_scale(_object(value, path, "scale of numbers"))
    if not isinstance(value, dict):
        raise RulesInvalid("rules_type", path, wanted=_KINDS["object"])
    node = _Object(path, value)
    node.text("kind")
    raise RulesInvalid("rules_choice", node.place("kind"), choices="number, labels")


def _number_scale(node: _Object) -> NumberScale:
    low, high = node.decimal("min"), node.decimal("max")
    if low >= high:
        wanted = ("大于 min", "greater than min")
        raise RulesInvalid("rules_range", node.place("max"), wanted=wanted)
    step = node.decimal("step") if "step" in node.members else None
    if step is not None and step <= 0:
        wanted = ("大于 0", "greater than 0")
        raise RulesInvalid("rules_range", node.place("step"), wanted=wanted)
    return NumberScale(low, high, step)


def _label_scale(node: _Object) -> LabelScale:
    path = node.place("labels")
    labels = _list(node.need("labels"), path, _label)
    _distinct((label.key for label in labels), path, ".key")
    return LabelScale(labels)


def _label(value: object, path: str) -> Label:
    node = _object(value, path, "label")
    key = _key(node.need("key"), node.place("key"))
    if key in WORDS:
        raise RulesInvalid("rules_key_reserved", node.place("key"), key=key)
    label = node.text("label") if "label" in node.members else key
    if not is_visible(label, LONGEST_LABEL):
        raise RulesInvalid("rules_key_bad", node.place("label"), most=str(LONGEST_LABEL))
    return Label(key, label, node.decimal("points"))


def _dimensions(top: _Object) -> tuple[Dimension, ...]:
    common = _scale(top.members["scale"], "scale") if "scale" in top.members else None

    def dimension(value: object, path: str) -> Dimension:
        node = _object(value, path, "dimension")
        key = _key(node.need("key"), node.place("key"))
        factor = node.share("factor")
        if "scale" in node.members:
            return Dimension(key, factor, _scale(node.members["scale"], node.place("scale")))
        if common is None:
            raise RulesInvalid("rules_key_missing", node.place("scale"))
        return Dimension(key, factor, common)

    dimensions = _list(top.need("dimensions"), "dimensions", dimension)
    _distinct((one.key for one in dimensions), "dimensions", ".key")
    return dimensions


def _groups(top: _Object) -> tuple[Group, ...]:
    if "groups" not in top.members:
        return ()
    groups = _list(top.members["groups"], "groups", _group)
    _distinct((group.key for group in groups), "groups", ".key")
    if not any(group.weight for group in groups):
        raise RulesInvalid("rules_weights_zero", "groups")
    return groups


def _group(value: object, path: str) -> Group:
    node = _object(value, path, "group")
    return Group(_key(node.need("key"), node.place("key")), node.share("weight"))


def _required(top: _Object) -> Required:
    if "ballot" not in top.members:
        return "any"
    node = _object(top.members["ballot"], "ballot", "ballot")
    node.never("void_all_equal")
    node.never("void_all_full")
    return cast(Required, node.choice("required", ("any", "all")))


def _trim(top: _Object) -> Trim | None:
    """None when nobody can be trimmed."""
    if "trim" not in top.members:
        return None
    node = _object(top.members["trim"], "trim", "trim")
    high, low = node.count("high", 0, MOST_COUNT), node.count("low", 0, MOST_COUNT)
    least = node.count("from", high + low + 1, 3 * MOST_COUNT)
    on = cast(TrimOn, node.choice("on", ("dimension", "total", "none")))
    if on == "none" or high + low == 0:
        return None
    if least <= high + low:
        raise RulesInvalid("rules_trim_leaves_none", "trim.from", least=str(high + low + 1))
    return Trim(high, low, least, on)


def _rounding(top: _Object) -> Rounding:
    node = _object(top.members.get("rounding", {}), "rounding", "rounding")
    mode = cast(RoundingMode, node.choice("mode", ("half_up", "half_even", "down")))
    return Rounding(
        mode,
        node.places("dimension"),
        node.places("weighted"),
        node.places("group"),
        node.places("total"),
    )


def _ties(top: _Object, dimensions: tuple[Dimension, ...]) -> tuple[str, ...]:
    value = top.members.get("ties", "shared")
    if value == "shared":
        return ()
    if isinstance(value, str):
        raise RulesInvalid("rules_choice", "ties", choices="shared, [...]")
    known = {dimension.key for dimension in dimensions}

    def tie(item: object, path: str) -> str:
        key = _text(item, path)
        if key in (HIGHEST_MARK, OFFICE_ORDER):
            return key
        if not key.startswith(DIMENSION_TIE):
            choices = f"{DIMENSION_TIE}KEY, {HIGHEST_MARK}, {OFFICE_ORDER}"
            raise RulesInvalid("rules_choice", path, choices=choices)
        name = key.removeprefix(DIMENSION_TIE)
        if name not in known:
            raise RulesInvalid("rules_tie_unknown", path, key=shown(name))
        return key

    ties = _list(value, "ties", tie)
    _distinct(ties, "ties")
    return ties
