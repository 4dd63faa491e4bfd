"""Personal data is found and masked; what only looks like it is let through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.intake.hotline_file import read_hotline_file
from moderation.intake.normal_form import IncomingItem
from moderation.screening.masking import (
    MASKS,
    MaskingRules,
    mask,
    mask_item,
    unmask,
    unmask_item,
)
from tests.real_data import real_data

FOUND = {
    "mobile": [
        "13900000000",
        "139 0000 0000",
        "139-0000-0000",
        "1390-000-0000",
        "139 000 00000",
        "１３９００００００００",
        "１３９－００００－００００",
        "+8613900000000",
        "+86 139 0000 0000",
        "(+86)13900000000",
        "008613900000000",
        "013900000000",
        "1 3 9 0 0 0 0 0 0 0 0",
        "19900000000",
    ],
    "landline": [
        "0951-5550000",
        "0591-85550000",
        "0591-8555-0000",
        "(0951)5550000",
        "（0951）5550000转801",
        "01085550000",
        "010 8555 0000-12",
        "+86 591 85550000",
        "0591-85550000、85550001",
    ],
    "resident_id": [
        "11010519491231002X",
        "11010519491231002x",
        "110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105491231002",
    ],
    "email": ["a.b-c@example.com", "ａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "a@mail.example.com.cn"],
    "plate": [
        "宁A00000",
        "宁A·00000",
        "宁 A-00000",
        "宁a00b00",
        "宁AD00000",
        "宁A00000F",
        "粤Z0000港",
        "宁A0000学",
    ],
    "bank_card": ["6222020000000000000", "6222 0200 0000 0000 000"],
}

LEFT = [
    "FZ16100800318",
    "FZ13900000000",
    "12345",
    "请打12345或96345、110",
    "2019/2/28 11:25:05",
    "2019-02-28",
    "20190228112505",
    "2019013900000000",
    "13900000000元",
    "共赔偿8000000元",
    "《民法典》第1165条第1款",
    "GB 50096-2011",
    "400-800-0000",
    "电话20190228",
    "订单号191120-12319",
    "电话 合同编号20163735",
    "微信号：FZ16100800318",
    "电话费8555000元",
    "A3区B2栋320",
    "110105194912310021",
    "110105191231002",
    "139****0000",
    "身高1.75米",
]


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, number) for kind, all_of in FOUND.items() for number in all_of]
)
@pytest.mark.parametrize("frame", ["{}", "请联系{}，谢谢", "甲{}乙", "号码:{}。", "（{}）"])
def test_found_in_every_frame(kind: str, number: str, frame: str) -> None:
    text = frame.format(number)
    masked = mask(text)
    assert [(span.kind, span.original) for span in masked.spans] == [(kind, number)]
    assert masked.text == frame.format(MASKS[kind])  # type: ignore[index]
    assert unmask(masked) == text


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert mask(text).text == text
    assert mask(f"甲{text}乙").spans == ()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("座机：85550000", "座机：[固话]"),
        ("电话（办公室）5550000-801", "电话（办公室）[固话]"),
        ("TEL85550000", "TEL[固话]"),
        ("TEL13900000000", "TEL[手机号]"),
        ("身份证号110105194912310021", "身份证号[身份证号]"),
        ("13900000000/13900000001", "[手机号]/[手机号]"),
        ("13900000000@example.com", "[邮箱]"),
        ("a@example.com13900000000", "[邮箱][手机号]"),
        ("0591-85550000-13900000000", "[固话]-[手机号]"),
        ("卡号4111111111111111", "卡号[银行卡号]"),
        ("工号189 6222020000000000000", "工号189 [银行卡号]"),
        ("191120-12319", "[手机号]"),
        ("找我  13900000000", "找我  [手机号]"),
        ("编号4111111111111111", "编号4111111111111111"),
    ],
)
def test_in_context(text: str, masked: str) -> None:
    assert mask(text).text == masked


PIECES = st.sampled_from(
    [
        *(
            "13900000000",
            "0951-5550000",
            "宁A00000",
            "a@b.cn",
            "QQ:12345678",
            "微信号abc_123",
            "wxid_abc123",
        ),
        *(
            "甲路12号",
            "3栋2单元501室",
            "王小明",
            "张先生",
            "局长",
            "记者",
            "尔斯·克林",
            "《",
            "》",
            "：",
            "、",
        ),
        *("[姓名]", "[门牌]", "甲", " ", "1", "-", "@", "号", "是", "\n"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_nothing_is_lost_and_once_is_enough(text: str) -> None:
    masked = mask(text)
    assert unmask(masked) == text
    assert mask(masked.text).text == masked.text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        *("1" * 20_000, "1 " * 10_000, "a@" * 10_000, "宁A" * 10_000, "0591-" * 4_000),
        *("王" * 20_000, "王小明" * 7_000, "阿森纳" * 7_000, "《王明》" * 4_000, "·王" * 10_000),
        *("3栋2单元" * 4_000, "路1号" * 7_000, "QQ1" * 7_000, "微信a1" * 5_000, "记者" * 10_000),
    ],
)
def test_no_text_takes_long(text: str) -> None:
    mask(text)


ITEM = IncomingItem(
    row=2,
    external_id="FZ13900000000",
    title="柳拾遗来电",
    content="我是柳拾遗，电话139-0000-0000，家住甲路。座机五五五。车牌宁A00000",
    requester_name="柳拾遗",
    requester_phone="13900000000 / 5550000",
    location="甲路乙号",
    reply="已联系柳拾遗（5550000）",
    tags=("供水", "13900000000"),
    extra={
        "家庭住址": "甲路乙号",
        "身份证号码": "无",
        "值班备注": "柳拾遗 13900000000",
        "反对数": "3",
    },
)


class TestItems:
    def test_masked_everywhere(self) -> None:
        masked, sealed = mask_item(ITEM)
        assert masked == replace(
            ITEM,
            title="[诉求人]来电",
            content="我是[诉求人]，电话[诉求人]，家住甲路。座机五五五。车牌[车牌]",
            requester_name="",
            requester_phone="",
            location="",
            reply="已联系[诉求人]（[诉求人]）",
            tags=("供水", "[诉求人]"),
            extra={"值班备注": "[诉求人] [诉求人]", "反对数": "3"},
        )
        assert set(sealed) == {
            "title",
            "content",
            "requester_name",
            "requester_phone",
            "location",
            "reply",
            "tags",
            "extra.家庭住址",
            "extra.身份证号码",
            "extra.值班备注",
        }

    def test_nothing_is_lost(self) -> None:
        assert unmask_item(*mask_item(ITEM)) == ITEM

    def test_nothing_found_nothing_sealed(self) -> None:
        plain = IncomingItem(row=2, external_id="QX1", content="路灯不亮", extra={"反对数": "3"})
        assert mask_item(plain) == (plain, {})

    def test_names_and_doors_go_from_what_is_written_and_stay_in_what_is_chosen(self) -> None:
        item = IncomingItem(
            2,
            "QX1",
            "我叫逄晓璐，住甲路3栋2单元501室",
            reply="已致电逄晓璐",
            agency="甲县王小明路12号街道办",
            community="3组12号",
        )
        masked, sealed = mask_item(item)
        assert masked == replace(item, content="我叫[姓名]，住甲路[门牌]", reply="已致电[姓名]")
        assert set(sealed) == {"content", "reply"}
        assert unmask_item(masked, sealed) == item
        assert mask_item(item, MaskingRules(names=False, doors=False)) == (item, {})

    @pytest.mark.parametrize("name", ["匿名", "保密", "匿名网友", "市民", "先生", "柳"])
    def test_a_word_is_no_name(self, name: str) -> None:
        item = IncomingItem(2, "QX1", f"{name}来电反映", requester_name=name)
        masked, sealed = mask_item(item)
        assert masked.content == item.content
        assert sealed == {"requester_name": name}

    def test_account_names_match_whole_and_in_any_case(self) -> None:
        item = IncomingItem(2, "QX1", "a0001 和 A00012 来信", requester_name="A0001")
        assert mask_item(item)[0].content == "[诉求人] 和 A00012 来信"


@pytest.mark.parametrize(
    "parts",
    [("messages-zh", "a3_messages_votes.xlsx"), ("hotline-orders", "work_orders.csv")],
)
def test_real_items_lose_nothing_and_keep_no_mobile(parts: tuple[str, str]) -> None:
    for item in read_hotline_file(real_data(*parts)).items:
        assert isinstance(item, IncomingItem)
        masked, sealed = mask_item(item)
        assert unmask_item(masked, sealed) == item
        assert not mask(masked.content).spans
        assert not mask(masked.reply).spans
