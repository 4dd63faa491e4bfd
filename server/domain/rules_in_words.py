"""A rule set in plain sentences, so that whoever signs, marks or reads a result knows how it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from server.domain.exact import RoundingMode, exact_text
from server.domain.explained import Lang, Sentence
from server.domain.rules import (
    CHANNEL_TIE,
    DIMENSION_TIE,
    HIGHEST_MARK,
    OFFICE_ORDER,
    Across,
    Adjustment,
    BallotQuota,
    Band,
    Compare,
    Composite,
    Counted,
    EmptyGroup,
    Ending,
    LabelScale,
    LabelShare,
    Rounding,
    Rules,
    Scale,
    Threshold,
    Trim,
)

_MODES: Mapping[RoundingMode, Sentence] = {
    "half_up": ("四舍五入", "rounded half up"),
    "half_even": ("四舍六入五成双", "rounded half to even"),
    "down": ("舍去尾数", "rounded down"),
}
_WITHIN: Mapping[str, Sentence] = {
    "mean": ("平均分", "the mean"),
    "sum": ("合计", "the sum"),
    "median": ("中位数", "the median"),
}
_COMPARE: Mapping[Compare, Sentence] = {
    ">": ("超过", "more than"),
    ">=": ("达到或超过", "at least"),
    "<": ("不足", "less than"),
    "<=": ("不超过", "at most"),
}
_COUNTED: Mapping[Counted, Sentence] = {
    "present": ("实到人数", "those present"),
    "due": ("应到人数", "those due"),
    "members": ("全体成员", "all members"),
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
_EMPTY_CHANNEL: Mapping[EmptyGroup, Sentence] = {
    "renormalise": (
        "某渠道对某述法人没有成绩时，按其余渠道的权重重新折算。",
        "A channel without a total for a subject is left out and the other weights are scaled up.",
    ),
    "zero": (
        "某渠道对某述法人没有成绩时，该渠道按 0 分计入。",
        "A channel without a total for a subject counts as 0.",
    ),
    "refuse": (
        "某渠道对某述法人没有成绩时，不予计票。",
        "When a channel has no total for a subject, the tally is refused.",
    ),
}


OWN_UNITS: Sentence = (
    "评议人不评本单位的述法人；这一位在其票里按回避处理。",
    "Nobody rates the head of his own unit, who counts as recused on that ballot.",
)


def rules_in_words(
    rules: Rules | Composite,
    lang: Lang,
    named: Mapping[str, str] | None = None,
    *,
    own_units: bool = False,
) -> tuple[str, ...]:
    """The whole rule set as plain sentences for people, in the order of the work.

    `named` gives the words that people know dimensions, groups, subjects, grades and channels by;
    without it they stand there by their keys. `own_units`: among the raters are some of the units
    whose heads are rated.
    """
    side = 0 if lang == "zh" else 1
    words = named or {}
    if isinstance(rules, Composite):
        said = list(_composite_in_words(rules, words))
    else:
        said = list(_rules_in_words(rules, words))
    if own_units:
        said.append(OWN_UNITS)
    return tuple(sentence[side] for sentence in said)


def _rules_in_words(rules: Rules, words: Mapping[str, str]) -> Iterable[Sentence]:
    yield from _dimensions_in_words(rules, words)
    yield _ballot_in_words(rules)
    yield from _void_in_words(rules)
    yield from _trim_in_words(rules.trim)
    if rules.within == "verdict":
        yield from _verdict_in_words(rules, words)
    else:
        yield from _within_in_words(rules)
        yield from _factors_in_words(rules, words)
        yield _across_in_words(rules)
    yield from _groups_in_words(rules, words)
    if rules.within != "verdict":
        yield _total_in_words(rules.ending.rounding)
    yield from _ending_in_words(rules.ending, words, _names(rules))
    if rules.within != "verdict":
        yield _rank_in_words(rules.ending, words)
    yield from _session_in_words(rules.ending)


def _composite_in_words(rules: Composite, words: Mapping[str, str]) -> Iterable[Sentence]:
    for channel in rules.channels:
        name, weight = words.get(channel.key, channel.key), exact_text(channel.weight * 100)
        if channel.weight:
            yield f"渠道“{name}”占 {weight}%：", f"Channel “{name}” weighs {weight} %:"
        else:
            yield (
                f"渠道“{name}”只展示，不计入总分：",
                f"Channel “{name}” is shown and does not count:",
            )
        yield from _rules_in_words(channel.rules, words)
    yield (
        "各渠道总分按上述权重相加，即为合成总分。",
        "The channels' totals are added up with these weights to the composite total.",
    )
    yield _EMPTY_CHANNEL[rules.ending.empty_group]
    yield _total_in_words(rules.ending.rounding)
    yield from _ending_in_words(rules.ending, words, {})
    yield _rank_in_words(rules.ending, words)
    yield from _session_in_words(rules.ending)


def _names(rules: Rules) -> Mapping[str, str]:
    """What the labels of all scales are called."""
    return {
        label.key: label.label
        for one in rules.dimensions
        if isinstance(one.scale, LabelScale)
        for label in one.scale.labels
    }


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
        if any(label.points is None for label in scale.labels):
            words = [label.label for label in scale.labels]
            return "、".join(words), ", ".join(words)
        parts = [(one.label, exact_text(one.points or Fraction(0))) for one in scale.labels]
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
    if rules.ballot.required == "all":
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


def _void_in_words(rules: Rules) -> Iterable[Sentence]:
    if rules.ballot.void_all_equal:
        yield "各项打分全部相同的票作废。", "A ballot whose marks are all the same is void."
    if rules.ballot.void_all_full:
        yield "各项全部打满分的票作废。", "A ballot whose marks are all full is void."
    for quota in rules.ballot.quotas:
        yield _quota_in_words(quota)


def _quota_in_words(quota: BallotQuota) -> Sentence:
    figure = exact_text(quota.figure)
    which = (
        (f"总分 {figure} 分以上（含）", f"a total of {figure} or more")
        if quota.at_least
        else (f"总分低于 {figure} 分", f"a total below {figure}")
    )
    zh, en = quota.limit
    return (
        f"一张票中，{which[0]}的述法人{zh}，否则整票作废。",
        f"On one ballot {en} subjects may have {which[1]}, or the whole ballot is void.",
    )


def _shown_labels(labels: Iterable[str], names: Mapping[str, str]) -> Sentence:
    shown = [f"“{name}”" for key, name in names.items() if key in labels]
    return "、".join(shown), " or ".join(shown)


def _of_in_words(rules: Rules) -> Sentence:
    if rules.denominator == "valid":
        return "有效打分数", "the marks given"
    return _COUNTED[rules.denominator]


def _share_in_words(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}" if share.denominator > 1 else str(share)


def _threshold_in_words(threshold: Threshold, of: Sentence) -> Sentence:
    zh, en = _COMPARE[threshold.compare]
    share = _share_in_words(threshold.share)
    return f"{zh}{of[0]}的 {share}", f"{en} {share} of {of[1]}"


def _verdict_in_words(rules: Rules, words: Mapping[str, str]) -> Iterable[Sentence]:
    names, of = _names(rules), _of_in_words(rules)
    for rule in rules.verdict:
        grade = words.get(rule.grade, rule.grade)
        if rule.when is None:
            yield f"其余的，等次为“{grade}”。", f"Otherwise the grade is “{grade}”."
            continue
        labels = _shown_labels(rule.when.labels, names)
        when = _threshold_in_words(rule.when.threshold, of)
        yield (
            f"评为{labels[0]}的{when[0]}的，等次为“{grade}”。",
            f"When {labels[1]} is {when[1]}, the grade is “{grade}”.",
        )


def _within_in_words(rules: Rules) -> Iterable[Sentence]:
    places = _places_in_words(rules.ending.rounding, rules.ending.rounding.dimension)
    if rules.within == "rate":
        labels, of = _shown_labels(rules.positive, _names(rules)), _of_in_words(rules)
        yield (
            f"每组每个维度的得分为评为{labels[0]}的数目除以{of[0]}，{places[0]}。",
            f"A group's mark in a dimension is the number of {labels[1]} / {of[1]}, {places[1]}.",
        )
    elif rules.rank_points is not None:
        first, step = exact_text(rules.rank_points.first), exact_text(rules.rank_points.step)
        yield (
            (
                f"每名成员在每个维度给述法人排出名次（相同的并列靠前）：第一名 {first} 分，"
                f"其后每名减 {step} 分；每组得分为各成员所给名次分的平均分，{places[0]}。"
            ),
            (
                f"Each rater's subjects are ranked in each dimension (equals share the better"
                f" place): the first gets {first} points, each place after it {step} fewer; a"
                f" group's mark is the mean over its raters, {places[1]}."
            ),
        )
    elif rules.best_times is not None:
        times = exact_text(rules.best_times)
        yield (
            (
                f"每组每个维度先取平均分，再除以该组该维度的最好成绩并乘以 {times}，"
                f"即为得分，{places[0]}。"
            ),
            (
                f"A group's mark in a dimension is its mean / the best mean of that group and"
                f" dimension × {times}, {places[1]}."
            ),
        )
    else:
        how = _WITHIN[rules.within]
        yield (
            f"每组每个维度的得分为各打分的{how[0]}，{places[0]}。",
            f"A group's mark in a dimension is {how[1]} of its marks, {places[1]}.",
        )


def _factors_in_words(rules: Rules, words: Mapping[str, str]) -> Iterable[Sentence]:
    weighted = rules.ending.rounding.weighted
    if weighted is None and all(dimension.factor == 1 for dimension in rules.dimensions):
        return
    factors = [(words.get(d.key, d.key), exact_text(d.factor)) for d in rules.dimensions]
    places = _places_in_words(rules.ending.rounding, weighted)
    zh = "、".join(f"“{name}”乘以 {factor}" for name, factor in factors)
    en = ", ".join(f"“{name}” × {factor}" for name, factor in factors)
    yield f"各维度得分再乘以系数：{zh}，{places[0]}。", f"Then the factors: {en}, {places[1]}."


def _across_in_words(rules: Rules) -> Sentence:
    how, places = (
        _ACROSS[rules.across],
        _places_in_words(rules.ending.rounding, rules.ending.rounding.group),
    )
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
        yield _EMPTY_GROUP[rules.ending.empty_group]
    elif rules.ending.empty_group == "refuse":
        yield (
            "某述法人没有任何有效打分时，不予计票。",
            "When nobody gave a subject a mark, the tally is refused.",
        )


def _total_in_words(rounding: Rounding) -> Sentence:
    zh, en = _places_in_words(rounding, rounding.total)
    return f"总分{zh}。", f"The total is {en}."


# After the total --------------------------------------------------------------------------------


def _ending_in_words(
    ending: Ending, words: Mapping[str, str], labels: Mapping[str, str]
) -> Iterable[Sentence]:
    if ending.bands:
        yield _bands_in_words(ending.bands, labels)
    for one in ending.after:
        yield _adjustment_in_words(one, words)
    if ending.grades:
        yield _grades_in_words(ending, words)
    for quota in ending.quotas:
        grade, falls_to = (words.get(key, key) for key in (quota.grade, quota.falls_to))
        share = _share_in_words(quota.share)
        yield (
            (
                f"“{grade}”不超过有总分的述法人的 {share}（向下取整），按总分取最好的；"
                f"其余降为“{falls_to}”，处在分界线上的同分者一并降等。"
            ),
            (
                f"At most {share} of the subjects with a total (rounded down) keep “{grade}”, those"
                f" with the best totals; the others fall to “{falls_to}”, equals at the edge together."
            ),
        )
    if ending.floor:
        yield (
            (
                f"某述法人的有效测评表不足 {ending.floor} 份，或某组不足 {ending.floor} 份的，"
                "不出分数、名次和等次。"
            ),
            (
                f"A subject with fewer than {ending.floor} valid sheets, or with a group that has"
                " fewer, gets no mark, place or grade."
            ),
        )


def _bands_in_words(bands: Sequence[Band], labels: Mapping[str, str]) -> Sentence:
    zh: list[str] = []
    en: list[str] = []
    for band in bands:
        when_zh: list[str] = []
        when_en: list[str] = []
        if band.least is not None:
            least = exact_text(band.least)
            when_zh.append(f"达到 {least}")
            when_en.append(f"at {least} or more")
        if band.when is not None:
            said = _when_in_words(band.when, labels)
            when_zh.append(said[0])
            when_en.append(said[1])
        value = exact_text(band.value)
        zh.append(f"{'且'.join(when_zh) or '其余'}的为 {value}")
        en.append(f"{' and '.join(when_en) or 'otherwise'} {value}")
    return (
        f"总分按首先符合的一档折算：{'；'.join(zh)}。",
        f"The total becomes the value of the first band that fits: {'; '.join(en)}.",
    )


def _when_in_words(when: LabelShare, labels: Mapping[str, str]) -> Sentence:
    named = _shown_labels(when.labels, labels)
    zh, en = _COMPARE[when.threshold.compare]
    share = _share_in_words(when.threshold.share)
    return f"{named[0]}的比例{zh} {share}", f"when the share of {named[1]} is {en} {share}"


def _adjustment_in_words(one: Adjustment, words: Mapping[str, str]) -> Sentence:
    who = words.get(one.subject or "", one.subject or "")
    value = exact_text(one.value)
    because = f"（{one.reason}）" if one.reason else "", f" ({one.reason})" if one.reason else ""
    if one.kind == "bonus":
        return (
            f"述法人“{who}”加 {value} 分{because[0]}。",
            f"Subject “{who}” gets {value} more{because[1]}.",
        )
    if one.kind == "deduction":
        return (
            f"述法人“{who}”扣 {value} 分{because[0]}。",
            f"{value} is taken off subject “{who}”{because[1]}.",
        )
    if one.kind == "veto":
        grade = words.get(one.grade, one.grade)
        return (
            f"述法人“{who}”的等次一律为“{grade}”{because[0]}。",
            f"The grade of subject “{who}” is “{grade}” whatever the total{because[1]}.",
        )
    if one.subject is None:
        return f"总分最高 {value} 分{because[0]}。", f"No total is above {value}{because[1]}."
    return (
        f"述法人“{who}”的总分最高 {value} 分{because[0]}。",
        f"The total of subject “{who}” is not above {value}{because[1]}.",
    )


def _grades_in_words(ending: Ending, words: Mapping[str, str]) -> Sentence:
    zh: list[str] = []
    en: list[str] = []
    for rule in ending.grades:
        grade = words.get(rule.grade, rule.grade)
        if rule.least is None:
            zh.append(f"其余为“{grade}”")
            en.append(f"otherwise “{grade}”")
        else:
            least = exact_text(rule.least)
            zh.append(f"总分 {least} 以上（含）为“{grade}”")
            en.append(f"“{grade}” from {least}")
    return f"等次：{'，'.join(zh)}。", f"The grade: {', '.join(en)}."


def _session_in_words(ending: Ending) -> Iterable[Sentence]:
    quorum, counts = ending.session.quorum, ending.session.counts
    if quorum is not None:
        when = _threshold_in_words(quorum.threshold, _COUNTED[quorum.of])
        yield (
            f"实到人数须{when[0]}，否则本次测评无效。",
            f"Those present must be {when[1]}, or the evaluation is not valid.",
        )
    if "returned" in counts and "issued" in counts:
        yield (
            "收回的测评表多于发出的，本次测评无效。",
            "When more sheets come back than were given out, the evaluation is not valid.",
        )


def _rank_in_words(ending: Ending, words: Mapping[str, str]) -> Sentence:
    down = ending.order == "descending"
    first = (
        ("总分高的名次在前", "The highest total comes first")
        if down
        else ("总分低的名次在前", "The lowest total comes first")
    )
    if not ending.ties:
        return (
            f"{first[0]}；总分相同的并列，其后名次顺延。",
            f"{first[1]}; equal totals share the place, and the places after it are skipped.",
        )
    keys = [_tie_in_words(key, words) for key in ending.ties]
    zh = "，再相同的".join(key[0] for key in keys)
    en = ", then ".join(key[1] for key in keys)
    return (
        f"{first[0]}；总分相同的{zh}；仍相同的并列。",
        f"{first[1]}; equal totals are told apart by {en}; what is still equal shares the place.",
    )


def _tie_in_words(key: str, words: Mapping[str, str]) -> Sentence:
    if key == HIGHEST_MARK:
        return "比较所得的最好单项打分", "the best single mark received"
    if key == OFFICE_ORDER:
        return "按票表中的先后次序", "the order in the ballots"
    if key.startswith(CHANNEL_TIE):
        channel = key.removeprefix(CHANNEL_TIE)
        named = words.get(channel, channel)
        return f"比较渠道“{named}”的总分", f"the total of channel “{named}”"
    dimension = key.removeprefix(DIMENSION_TIE)
    name = words.get(dimension, dimension)
    return f"比较维度“{name}”的得分", f"the mark in “{name}”"
