"""QQ and WeChat accounts are masked by the word before them; public accounts and counts stay."""

from __future__ import annotations

import pytest

from moderation.screening.masking import mask, unmask

FOUND = [
    ("QQ：123456789", "QQ：[QQ号]"),
    ("qq 12345", "qq [QQ号]"),
    ("加QQ123456", "加QQ[QQ号]"),
    ("QQ号码是1234567890", "QQ号码是[QQ号]"),
    ("QQ群12345678", "QQ群[QQ号]"),
    ("ＱＱ：１２３４５６７８", "ＱＱ：[QQ号]"),
    ("微信号：abc_12345", "微信号：[微信号]"),
    ("微信：zhangsan", "微信：[微信号]"),
    ("微信abc12345", "微信[微信号]"),
    ("微信号12345678", "微信号[微信号]"),
    ("VX：li_si99", "VX：[微信号]"),
    ("加V abc12345", "加V [微信号]"),
    ("wechat id: lisi-2020", "wechat id: [微信号]"),
    ("wxid_abcdef123456", "[微信号]"),
    ("微信同号13900000000", "微信同号[手机号]"),
    ("QQ13900000000", "QQ[手机号]"),
    ("12345678@qq.com", "[邮箱]"),
]

LEFT = [
    "微信公众号changsha123",
    "微信支付123元",
    "微信群200人",
    "QQ群500人",
    "微信wechat",
    "微信APP",
    "QQ飞车2019",
    "QQ1234",
    "单号Q12345678",
    "[QQ号]12345678",
    "订单12345678",
]


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_found(text: str, masked: str) -> None:
    assert mask(text).text == masked
    assert unmask(mask(text)) == text
    assert mask(masked).spans == ()


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert mask(text).text == text
