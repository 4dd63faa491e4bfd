"""Names of people are masked by what they are made of and what stands around them; offices stay."""

from __future__ import annotations

import pytest

from moderation.screening.masking import MaskingRules, mask, unmask

FOUND = [
    ("我叫逄小路，路灯不亮", "我叫[姓名]，路灯不亮"),
    ("本人王建华，家住甲镇", "本人[姓名]，家住甲镇"),
    ("联系人：陈秀英", "联系人：[姓名]"),
    ("业主刘洋投诉物业", "业主[姓名]投诉物业"),
    ("保安赵刚打人", "保安[姓名]打人"),
    ("邻居李桂兰、张志强和周敏都可以作证", "邻居[姓名]、[姓名]和[姓名]都可以作证"),
    ("欧阳文静女士来电", "[姓名]女士来电"),
    ("张先生、李女士反映", "[姓名]先生、[姓名]女士反映"),
    ("高师傅没有来", "[姓名]师傅没有来"),
    ("（记者 孙晓梅）", "（记者 [姓名]）"),
    ("陈志明：我家没有水", "[姓名]：我家没有水"),
    ("外教约翰·史密斯没有来上课", "外教[姓名]没有来上课"),
    ("王建华没有回复。后来王建华说已经办理", "[姓名]没有回复。后来[姓名]说已经办理"),
    ("丈夫马建国已经退休", "丈夫[姓名]已经退休"),
]

LEFT = [
    "安静的小区里高峰时间没有公交",
    "请问养老保险怎么办理",
    "红旗路和向阳街的路灯不亮",
    "王家村、李家湾的自来水发黄",
    "梅溪湖边施工扰民",
    "于是他们向社区反映",
    "《王小明诉水务局》一书",
    "马上就要开学了，金额还没有退",
    "王某、李某某打人",
    "意大利和西班牙的做法",
    "向记者说明情况",
    "南京队做客长沙主场",
    "请王总、李主任答复",
]

OFFICES = ["局长王建国表示", "王建国局长答复", "请副县长李志强说明", "甲县县委书记周志明来了"]


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_found(text: str, masked: str) -> None:
    assert mask(text).text == masked
    assert unmask(mask(text)) == text
    assert {span.kind for span in mask(text).spans} == {"name"}


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize("text", OFFICES)
def test_who_is_named_by_office_stays_by_setting(text: str) -> None:
    assert mask(text).text == text
    hidden = mask(text, MaskingRules(public_figures_visible=False))
    assert [span.kind for span in hidden.spans] == ["name"]
    assert unmask(hidden) == text


def test_names_are_not_looked_for_where_they_may_stay() -> None:
    text = "我叫逄小路，电话13900000000"
    assert mask(text, MaskingRules(names=False)).text == "我叫逄小路，电话[手机号]"


def test_a_name_beside_another_mask_is_found_at_once() -> None:
    masked = mask("联系人王建华13900000000，住甲路12号")
    assert masked.text == "联系人[姓名][手机号]，住甲路[门牌]"
    assert mask(masked.text).spans == ()
