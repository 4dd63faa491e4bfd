"""What a message is to mask is measured before it is masked: real ones are in, the rest takes no time."""

from __future__ import annotations

import time

import pytest

from moderation.intake.normal_form import IncomingItem
from moderation.intake.refusals import FileRefused
from moderation.screening.burden import MESSAGE_MOST, burden, check_burden
from moderation.screening.masking import mask_item
from tests.moderation.hostile import surnames

REAL = "居民来电反映东街8号3单元自来水发黄已经三个月，投诉后没有人回复，请相关部门依据规定尽快处理并答复。"


def order(n: int, text: str, **more: str) -> IncomingItem:
    return IncomingItem(row=n, external_id=f"B{n}", content=text, extra=more)


def test_two_hundred_long_orders_are_in() -> None:
    check_burden([order(n, REAL * 10, 办理结果=REAL * 4) for n in range(200)], MESSAGE_MOST)
    check_burden([order(1, (REAL * 500)[:20_000], 备注=(REAL * 500)[:20_000])], MESSAGE_MOST)


def test_whatever_is_in_is_masked_in_time() -> None:
    items = [order(n, surnames(5_000)) for n in range(40)]
    with pytest.raises(FileRefused) as refused:
        check_burden(items, MESSAGE_MOST)
    assert refused.value.code == "too_much_to_mask"
    most = MESSAGE_MOST // burden(items[0])
    check_burden(items[:most], MESSAGE_MOST)
    begun = time.process_time()
    for item in items[:most]:
        mask_item(item)
    assert time.process_time() - begun <= 2


@pytest.mark.parametrize("field", ["title", "reply", "tags", "extra"])
def test_every_text_counts(field: str) -> None:
    text = surnames(60_000)
    values = {"tags": (text,), "extra": {"备注": text}}
    item = IncomingItem(1, "B1", "路灯", **{field: values.get(field, text)})  # type: ignore[arg-type]
    with pytest.raises(FileRefused):
        check_burden([item], MESSAGE_MOST)
