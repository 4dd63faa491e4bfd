"""A rule set in plain sentences, so that whoever signs, marks or reads a result knows how it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from server.domain.exact import exact_text
from server.domain.explained import Lang, Sentence
from server.domain.rules import (
    DIMENSION_TIE,
    HIGHEST_MARK,
    OFFICE_ORDER,
    Across,
    EmptyGroup,
    LabelScale,
    Rounding,
    RoundingMode,
    Rules,
    Scale,
    Trim,
    Within,
)

_MODES: Mapping[RoundingMode, Sentence] = {
    "half_up": ("四舍五入", "rounded half up"),
    "half_even": ("四舍六入五成双", "rounded half to even"),
    "down": ("舍去尾数", "rounded down"),
}
_WITHIN: Mapping[Within, Sentence] = {
    "mean": ("平均分", "the mean"),
    "sum": ("合计", "the sum"),
    "median": ("中位数", "the median"),
}
_ACROSS: Mapping[Across, Sentence] = {
    "sum": ("相加", "added up"),
    "mean": ("取平均", "averaged"),
}
_EMPTY_GROUP: Mapping[EmptyGroup, Sentence] = {
    "renormalise": (
        "某组对某述法人没有有效打分时，按其余各组的权重重新折算。",
        "A group that gave a subject no mark is left out and the other weights are scaled up.",
    ),
    "zero": (
        "某组对某述法人没有有效打分时，该组按 0 分计入；各组都没有时不出总分。",
        (
            "A group that gave a subject no mark counts as 0; when no group gave one,"
            " the subject has no total."
        ),
    ),
    "refuse": (
        "某组对某述法人没有有效打分时，不予计票。",
        "When a group gave a subject no mark, the tally is refused.",
    ),
}


def rules_in_words(
    rules: Rules, lang: Lang, named: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The whole rule set as plain sentences for people, in the order of the work.

    `named` gives the words that people know dimensions and groups by; without it they stand there
    by their keys.
    """
    side = 0 if lang == "zh" else 1
    words = named or {}
    sentences = (
        *_dimensions_in_words(rules, words),
        _ballot_in_words(rules),
        *_trim_in_words(rules.trim),
        _within_in_words(rules),
        *_factors_in_words(rules, words),
        _across_in_words(rules),
        *_groups_in_words(rules, words),
        _total_in_words(rules),
        _rank_in_words(rules, words),
    )
    return tuple(sentence[side] for sentence in sentences)


def _places_in_words(rounding: Rounding, places: int | None) -> Sentence:
    if places is None:
        return "不取舍", "not rounded"
    zh, en = _MODES[rounding.mode]
    whole = places == 0
    return (
        f"{zh}到整数" if whole else f"{zh}保留 {places} 位小数",
        f"{en} to a whole number" if whole else f"{en} to {_counted(places, 'decimal place')}",
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _scale_in_words(scale: Scale) -> Sentence:
    if isinstance(scale, LabelScale):
        parts = [(label.label, exact_text(label.points)) for label in scale.labels]
        return (
            "、".join(f"{name} {points} 分" for name, points in parts),
            ", ".join(f"{name} = {points}" for name, points in parts),
        )
    low, high = exact_text(scale.minimum), exact_text(scale.maximum)
    if scale.step is None:
        return f"{low} 至 {high} 分", f"{low} to {high}"
    step = exact_text(scale.step)
    return f"{low} 至 {high} 分，每档 {step} 分", f"{low} to {high} in steps of {step}"


def _dimensions_in_words(rules: Rules, words: Mapping[str, str]) -> Iterable[Sentence]:
    for dimension in rules.dimensions:
        zh, en = _scale_in_words(dimension.scale)
        name = words.get(dimension.key, dimension.key)
        yield f"维度“{name}”：{zh}。", f"Dimension “{name}”: {en}."


def _ballot_in_words(rules: Rules) -> Sentence:
    if rules.required == "all":
        return (
            "一份测评表须每个维度都打分才有效；弃权、不了解、废票和空白都不计分，也不按零分计算。",
            (
                "A sheet is valid only with a mark in every dimension; abstentions, “don't know”,"
                " void and empty values are left out and never count as zero."
            ),
        )
    return (
        "一份测评表至少有一个维度打分即有效；弃权、不了解、废票和空白都不计分，也不按零分计算。",
        (
            "A sheet is valid with at least one mark; abstentions, “don't know”, void and empty"
            " values are left out and never count as zero."
        ),
    )


def _trim_in_words(trim: Trim | None) -> Iterable[Sentence]:
    if trim is None:
        return
    ends = [(trim.high, "最高", "highest"), (trim.low, "最低", "lowest")]
    named = [end for end in ends if end[0]]
    en = " and ".join(f"the {count} {name}" for count, _, name in named)
    if trim.on == "dimension":
        zh = "和".join(f" {count} 个{name}分" for count, name, _ in named)
        yield (
            f"每组每个维度有 {trim.least} 个或以上打分时，去掉{zh}。",
            f"Where a group gave {trim.least} or more marks in a dimension, {en} marks leave.",
        )
    else:
        zh = "和".join(f"{name}的 {count} 名" for count, name, _ in named)
        yield (
            (
                f"每组有 {trim.least} 名或以上成员打分时，去掉总分{zh}成员在全部维度的打分；"
                "总分相同的，先去掉票表中排在前面的。"
            ),
            (
                f"Where {trim.least} or more of a group gave marks, those with {en} totals leave"
                " all dimensions; among equal totals the earlier row leaves."
            ),
        )


def _within_in_words(rules: Rules) -> Sentence:
    how, places = _WITHIN[rules.within], _places_in_words(rules.rounding, rules.rounding.dimension)
    return (
        f"每组每个维度的得分为各打分的{how[0]}，{places[0]}。",
        f"A group's mark in a dimension is {how[1]} of its marks, {places[1]}.",
    )


def _factors_in_words(rules: Rules, words: Mapping[str, str]) -> Iterable[Sentence]:
    weighted = rules.rounding.weighted
    if weighted is None and all(dimension.factor == 1 for dimension in rules.dimensions):
        return
    factors = [(words.get(d.key, d.key), exact_text(d.factor)) for d in rules.dimensions]
    places = _places_in_words(rules.rounding, weighted)
    zh = "、".join(f"“{name}”乘以 {factor}" for name, factor in factors)
    en = ", ".join(f"“{name}” × {factor}" for name, factor in factors)
    yield f"各维度得分再乘以系数：{zh}，{places[0]}。", f"Then the factors: {en}, {places[1]}."


def _across_in_words(rules: Rules) -> Sentence:
    how, places = _ACROSS[rules.across], _places_in_words(rules.rounding, rules.rounding.group)
    return (
        f"有得分的各维度{how[0]}，即为该组的得分，{places[0]}。",
        f"The dimensions that have a mark are {how[1]} to the group's mark, {places[1]}.",
    )


def _groups_in_words(rules: Rules, words: Mapping[str, str]) -> Iterable[Sentence]:
    if rules.groups:
        weights = [(words.get(g.key, g.key), exact_text(g.weight)) for g in rules.groups]
        zh = "、".join(f"“{name}”{weight}" for name, weight in weights)
        en = ", ".join(f"“{name}” {weight}" for name, weight in weights)
        yield (
            f"各组得分按权重加权平均：{zh}。",
            f"The groups' marks are averaged with the weights {en}.",
        )
        yield _EMPTY_GROUP[rules.empty_group]
    elif rules.empty_group == "refuse":
        yield (
            "某述法人没有任何有效打分时，不予计票。",
            "When nobody gave a subject a mark, the tally is refused.",
        )


def _total_in_words(rules: Rules) -> Sentence:
    zh, en = _places_in_words(rules.rounding, rules.rounding.total)
    return f"总分{zh}。", f"The total is {en}."


def _rank_in_words(rules: Rules, words: Mapping[str, str]) -> Sentence:
    down = rules.order == "descending"
    first = (
        ("总分高的名次在前", "The highest total comes first")
        if down
        else ("总分低的名次在前", "The lowest total comes first")
    )
    if not rules.ties:
        return (
            f"{first[0]}；总分相同的并列，其后名次顺延。",
            f"{first[1]}; equal totals share the place, and the places after it are skipped.",
        )
    keys = [_tie_in_words(key, words) for key in rules.ties]
    zh = "，再相同的".join(key[0] for key in keys)
    en = ", then ".join(key[1] for key in keys)
    return (
        f"{first[0]}；总分相同的{zh}；仍相同的并列。",
        f"{first[1]}; equal totals are told apart by {en}; what is still equal shares the place.",
    )


def _tie_in_words(key: str, words: Mapping[str, str]) -> Sentence:
    if key == HIGHEST_MARK:
        return "比较所得的最高单项打分", "the highest single mark received"
    if key == OFFICE_ORDER:
        return "按票表中的先后次序", "the order in the ballots"
    dimension = key.removeprefix(DIMENSION_TIE)
    name = words.get(dimension, dimension)
    return f"比较维度“{name}”的得分", f"the mark in “{name}”"
