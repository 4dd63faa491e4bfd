"""The rule set in words, in both languages."""

from typing import Any

import pytest

from server.domain.explained import Lang
from server.domain.rule_file import parse_rules
from server.domain.rules_in_words import rules_in_words
from tests.domain.rule_documents import DROP, FULL, LEAST, changed


def test_the_full_document_in_words() -> None:
    assert rules_in_words(parse_rules(FULL), "en") == (
        "Dimension “skating”: 0 to 10 in steps of 0.25.",
        "Dimension “answers”: 好 = 20, 一般 = 17, 差 = 14.",
        (
            "A sheet is valid only with a mark in every dimension; abstentions, “don't know”, void and"
            " empty values are left out and never count as zero."
        ),
        (
            "Where 5 or more of a group gave marks, those with the 1 highest and the 2 lowest totals"
            " leave all dimensions; among equal totals the earlier row leaves."
        ),
        (
            "A group's mark in a dimension is the median of its marks, rounded half to even to 2"
            " decimal places."
        ),
        (
            "Then the factors: “skating” × 0.8, “answers” × 1, rounded half to even to 3 decimal"
            " places."
        ),
        "The dimensions that have a mark are averaged to the group's mark, not rounded.",
        "The groups' marks are averaged with the weights “deputies” 0.4, “citizens” 0.6.",
        (
            "A group that gave a subject no mark counts as 0; when no group gave one, the subject has"
            " no total."
        ),
        "The total is rounded half to even to 1 decimal place.",
        (
            "The lowest total comes first; equal totals are told apart by the mark in “skating”, then"
            " the best single mark received, then the order in the ballots; what is still equal"
            " shares the place."
        ),
    )
    assert rules_in_words(parse_rules(FULL), "zh") == (
        "维度“skating”：0 至 10 分，每档 0.25 分。",
        "维度“answers”：好 20 分、一般 17 分、差 14 分。",
        "一份测评表须每个维度都打分才有效；弃权、不了解、废票和空白都不计分，也不按零分计算。",
        (
            "每组有 5 名或以上成员打分时，去掉总分最高的 1 名和最低的 2 名成员在全部维度的打分；"
            "总分相同的，先去掉票表中排在前面的。"
        ),
        "每组每个维度的得分为各打分的中位数，四舍六入五成双保留 2 位小数。",
        "各维度得分再乘以系数：“skating”乘以 0.8、“answers”乘以 1，四舍六入五成双保留 3 位小数。",
        "有得分的各维度取平均，即为该组的得分，不取舍。",
        "各组得分按权重加权平均：“deputies”0.4、“citizens”0.6。",
        "某组对某述法人没有有效打分时，该组按 0 分计入；各组都没有时不出总分。",
        "总分四舍六入五成双保留 1 位小数。",
        (
            "总分低的名次在前；总分相同的比较维度“skating”的得分，再相同的比较所得的最好单项打分，"
            "再相同的按票表中的先后次序；仍相同的并列。"
        ),
    )


def test_the_least_document_in_words() -> None:
    assert rules_in_words(parse_rules(LEAST), "en") == (
        "Dimension “skating”: 0 to 10 in steps of 0.25.",
        (
            "A sheet is valid with at least one mark; abstentions, “don't know”, void and empty values"
            " are left out and never count as zero."
        ),
        "A group's mark in a dimension is the mean of its marks, not rounded.",
        "The dimensions that have a mark are added up to the group's mark, not rounded.",
        "The total is not rounded.",
        (
            "The highest total comes first; equal totals share the place, and the places after it are"
            " skipped."
        ),
    )


WORDED: list[tuple[dict[str, Any], Lang, str]] = [
    (
        changed("trim", "on", "dimension"),
        "zh",
        "每组每个维度有 5 个或以上打分时，去掉 1 个最高分和 2 个最低分。",
    ),
    (changed("trim", "on", "dimension"), "en", "the 1 highest and the 2 lowest marks leave"),
    (changed("trim", {"high": 1}), "en", "the 1 highest marks leave"),
    (changed("empty_group", "refuse"), "en", "When a group gave a subject no mark, the tally is"),
    (changed("empty_group", "renormalise"), "zh", "按其余各组的权重重新折算"),
    (changed("within", "sum"), "en", "is the sum of its marks"),
    (changed("rounding", "total", 0), "en", "The total is rounded half to even to a whole number."),
    (changed("rounding", "total", 0), "zh", "总分四舍六入五成双到整数。"),
    (changed("rounding", "mode", "half_up"), "zh", "总分四舍五入保留 1 位小数。"),
    (changed("rounding", "mode", "down"), "zh", "总分舍去尾数保留 1 位小数。"),
    (changed("scale", "step", DROP), "zh", "维度“skating”：0 至 10 分。"),
    (changed("order", "descending"), "zh", "总分高的名次在前"),
]


@pytest.mark.parametrize(("document", "lang", "words"), WORDED)
def test_in_words(document: dict[str, Any], lang: Lang, words: str) -> None:
    assert words in "\n".join(rules_in_words(parse_rules(document), lang))


def test_refuse_without_groups_is_said_too() -> None:
    sentences = rules_in_words(parse_rules({**LEAST, "empty_group": "refuse"}), "en")
    assert "When nobody gave a subject a mark, the tally is refused." in sentences


def test_in_words_with_the_names_that_people_know() -> None:
    """A name may be another one's key: each is put in once, where its own key stood."""
    groups = [{"key": "citizens", "weight": "1"}, {"key": "deputies", "weight": "2"}]
    dimensions = [{"key": "skating", "factor": "2"}, {"key": "don't know"}]
    document = {**LEAST, "dimensions": dimensions, "groups": groups, "ties": ["dimension:skating"]}
    named = {"citizens": "deputies", "deputies": "人大代表", "skating": "花滑", "don't know": "知"}
    words = "\n".join(rules_in_words(parse_rules(document), "en", named))
    assert "weights “deputies” 1, “人大代表” 2." in words
    assert "Dimension “花滑”: 0 to 10" in words
    assert "“花滑” × 2, “知” × 1" in words
    assert "the mark in “花滑”" in words
    assert "abstentions, “don't know”, void" in words
    assert "skating" not in words
