"""The door goes; street, community and what only looks like a door stay."""

from __future__ import annotations

import pytest

from moderation.screening.masking import MaskingRules, mask, unmask

FOUND = [
    ("中山路123号", "中山路[门牌]"),
    ("中山路123-5号", "中山路[门牌]"),
    ("中山路123号院3号楼", "中山路[门牌][门牌]"),
    ("中山路12号附3号", "中山路[门牌]"),
    ("人民大道88号", "人民大道[门牌]"),
    ("人民路东段88号", "人民路东段[门牌]"),
    ("甲巷3号", "甲巷[门牌]"),
    ("甲路125弄8号", "甲路[门牌]"),
    ("王家村12号的老人", "王家村[门牌]的老人"),
    ("甲小区3栋2单元501室漏水", "甲小区[门牌]漏水"),
    ("甲小区3栋2单元501漏水", "甲小区[门牌]漏水"),
    ("12号楼3单元1502室", "[门牌]"),
    ("8幢1202", "[门牌]"),
    ("三栋二单元四零二室", "[门牌]"),
    ("A3栋1单元", "[门牌]"),
    ("B座1203室", "[门牌]"),
    ("12楼1203室", "[门牌]"),
    ("12#楼2单元301", "[门牌]"),
    ("幸福苑3-2-501", "幸福苑[门牌]"),
    ("３栋２单元５０１室", "[门牌]"),
    ("2单元电梯坏了", "[门牌]电梯坏了"),
    ("在501室无证经营", "在[门牌]无证经营"),
    ("1318房", "[门牌]"),
    ("甲小区12栋的业主", "甲小区[门牌]的业主"),
    ("门牌号为5号", "门牌号为[门牌]"),
]

LEFT = [
    "共有12栋楼",
    "拆除3栋违建",
    "在建6栋高层",
    "第3栋",
    "地铁2号线",
    "五一大道2号线施工",
    "中山路2号门没有开",
    "中山路3号地块",
    "6月5号停电",
    "我村12号停电",
    "3-2-501",
    "2019-02-28",
    "400-800-0000",
    "200房款",
    "1000户居民",
    "每层4户",
    "三个单元",
    "301教室",
    "12楼太吵",
    "A3区B2栋320",
    "96号汽油",
    "乘5路到3号站台",
]


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_found(text: str, masked: str) -> None:
    assert mask(text).text == masked
    assert unmask(mask(text)) == text
    assert mask(masked).spans == ()


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert mask(text).text == text


def test_doors_stay_by_setting() -> None:
    assert mask("中山路123号", MaskingRules(doors=False)).text == "中山路123号"
