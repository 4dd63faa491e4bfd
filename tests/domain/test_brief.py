"""What an official's office may read of a question before it is asked."""

from __future__ import annotations

import pytest

from server.domain import orders
from server.domain.brief import Source, Waiting, brief_of, private_of
from server.domain.district import district_of, split

NEUTRAL = "电梯停运的时间怎样向住户公开？"


def waiting(text: str = NEUTRAL, *sources: Source, rewritten: bool = True) -> Waiting:
    return Waiting(1, "AAAA1111", text, rewritten, sources or (Source(1, ""),))


@pytest.mark.parametrize(
    ("told", "district"),
    [
        ("芦照区", "芦照区"),
        ("云澜市芦照区", "芦照区"),
        ("云澜市 芦照区 翠湖街道", "芦照区"),
        ("芦照区翠湖小区3号楼", "芦照区"),
        ("栖岭县城东街道", "栖岭县"),
        ("昆石市", "昆石市"),
        ("市北区", "市北区"),
        ("幸福社区", ""),
        ("翠湖小区", ""),
        ("翠湖街道", ""),
        ("翠湖路12号", ""),
        ("", ""),
        ("宁夏回族自治区中卫市沙坡头区", "沙坡头区"),
        ("广西壮族自治区南宁市青秀区新竹街道", "青秀区"),
        ("内蒙古自治区锡林郭勒盟锡林浩特市", "锡林浩特市"),
        ("新疆维吾尔自治区伊犁哈萨克自治州霍城县", "霍城县"),
        ("湖南省湘西土家族苗族自治州吉首市", "吉首市"),
        ("湖北省长阳土家族自治县龙舟坪镇", "长阳土家族自治县"),
        ("河北省石家庄市长安区", "长安区"),
        ("湖南省长沙县星沙街道", "长沙县"),
        ("上海市浦东新区", "浦东新区"),
        ("重庆市渝中区解放碑街道", "渝中区"),
        ("香港特别行政区", ""),
        ("内蒙古自治区", ""),
        ("城东区幸福路12号", "城东区"),
        ("Luzhao District", "Luzhao District"),
        ("12 Green Lane", ""),
    ],
)
def test_nothing_below_the_district_is_told(told: str, district: str) -> None:
    assert district_of(told) == district
    assert orders.district({"district": told}) == district


@pytest.mark.parametrize(
    ("told", "district"),
    [
        ("东城", "东城"),
        ("高新", "高新"),
        ("A3区", "A3区"),
        ("幸福路", ""),
        ("翠湖苑", ""),
        ("柳树村", ""),
    ],
)
def test_a_column_of_districts_may_leave_out_their_ending(told: str, district: str) -> None:
    assert orders.district({"district": told}) == district


def test_what_lies_above_a_district_is_no_secret_and_what_lies_below_is() -> None:
    assert split("宁夏回族自治区中卫市沙坡头区 滨河镇") == ("沙坡头区", "滨河镇")
    assert split("翠湖路12号") == ("", "翠湖路12号")
    source = Source(4, "", private_of("", {"district": "宁夏回族自治区中卫市沙坡头区滨河镇"}))
    assert brief_of([waiting("中卫市沙坡头区的电梯怎样检查？", source)]).held == ()
    assert brief_of([waiting("滨河的电梯怎样检查？", source)]).held
    source = Source(4, "", private_of("", {"district": "高新"}))
    assert brief_of([waiting("高新企业的补贴怎样检查？", source)]).held == ()
    # Where a column holds no district it may hold a door: that is nobody's to read either.
    source = Source(4, "", private_of("", {"district": "翠湖路"}))
    assert brief_of([waiting("翠湖的电梯怎样检查？", source)]).held


def test_a_citizens_own_words_never_go_out() -> None:
    found = brief_of([waiting(rewritten=False)])
    assert found.lines == ()
    assert [(one.code, one.why) for one in found.held] == [("AAAA1111", "not_neutral")]


@pytest.mark.parametrize(("people", "told"), [(1, None), (2, None), (3, 3), (17, 17)])
def test_people_are_told_from_three_up(people: int, told: int | None) -> None:
    (line,) = brief_of([waiting(NEUTRAL, Source(people, "芦照区"))]).lines
    assert line.people == told
    assert line.district == ("芦照区" if told else None)


def test_a_district_is_told_where_enough_of_the_people_are_from() -> None:
    sources = (Source(2, "芦照区"), Source(2, "汐桥区"), Source(3, "云澜市芦照区翠湖街道"))
    (line,) = brief_of([waiting(NEUTRAL, *sources)]).lines
    assert (line.people, line.district) == (7, "芦照区")


FIELDS = {
    "district": "芦照区翠湖街道",
    "subdistrict": "翠湖街道",
    "community": "湖东社区",
    "location": "翠湖路十二号院",
    "requester_name": "敖某知",
    "accepted_at": "2026-03-04T09:12:00+08:00",
    "attachments": "现场照片.jpg",
    "extra": {"回访人": "逄某路"},
    "agency": "住房和城乡建设局",
    "category_path": ["住房", "电梯"],
}


@pytest.mark.parametrize(
    "told",
    [
        "翠湖街道",
        "湖东社区",
        "翠湖路十二号院",
        "敖某知",
        "逄某路",
        "3月4日",
        "2026-03-04",
        "09:12",
        "现场照片.jpg",
        "FZ161008",
        "138 0000 0000",
        "电梯从去年冬天停到今年春天一直没有人来",
    ],
)
def test_a_wording_that_repeats_its_source_is_kept_back(told: str) -> None:
    letter = "我们楼电梯从去年冬天停到今年春天一直没有人来修，老人下不了楼。"
    source = Source(4, FIELDS["district"], private_of("FZ161008", FIELDS), letter)  # type: ignore[arg-type]
    assert brief_of([waiting(NEUTRAL, source)]).held == ()
    found = brief_of([waiting(f"{told}的情况怎样处理？", source)])
    assert [one.why for one in found.held] == ["tells_source"]
    # Also what a question brings that was merged into it.
    found = brief_of([waiting(f"{told}的情况怎样处理？", Source(1, ""), source)])
    assert [one.why for one in found.held] == ["tells_source"]


@pytest.mark.parametrize("mark", ["？", "", "！！", " 。"])
def test_own_words_with_another_mark_are_own_words(mark: str) -> None:
    own = Source(1, "", (), "李庄路口积水没人管")
    found = brief_of([waiting(f"李庄路口积水没人管{mark}", own)])
    assert [one.why for one in found.held] == ["not_neutral"]


@pytest.mark.parametrize(
    "told", ["翠湖苑的供水", "翠湖苑社区", "湖东的路", "翠湖苑小区的水压", "十一月三日的停水"]
)
def test_a_place_is_kept_back_without_its_ending_and_where_it_is_sealed(told: str) -> None:
    fields = {"community": "翠湖苑社区", "location": "湖东村三组", "accepted_at": ""}
    source = Source(4, "芦照区", private_of("FZ161008", fields), "我们这里供水有问题。")
    found = brief_of([waiting(f"{told}怎样处理？", source)])
    assert [one.why for one in found.held] == ["tells_source"]
    sealed = Source(4, "芦照区", private_of("FZ161008", {}), "我们这里供水有问题。")
    found = brief_of([waiting("翠湖苑小区的供水怎样处理？", sealed)])
    assert [one.why for one in found.held] == ["tells_source"]


@pytest.mark.parametrize(
    "asked",
    ["2025年以来物业投诉办结率是多少？", "12345热线的回访率怎样提高？", "2024-2025年供暖怎样？"],
)
def test_a_year_and_a_hotlines_number_find_nobody(asked: str) -> None:
    source = Source(4, "芦照区", private_of("FZ161008", {"likes": 25, "extra": {"次数": "20"}}))
    assert brief_of([waiting(asked, source)]).held == ()


@pytest.mark.parametrize(
    ("value", "asked"),
    [("停水", "为什么经常停水？"), ("道路破损", "道路破损由谁修复？"), ("一般", "一般多久办结？")],
)
def test_a_class_in_an_unknown_column_keeps_nothing_back(value: str, asked: str) -> None:
    source = Source(4, "芦照区", private_of("FZ161008", {"extra": {"问题类别": value}}))
    assert brief_of([waiting(asked, source)]).held == ()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("备注", "逄某路"),
        ("备注", "李知水"),
        ("备注", "赵女士"),
        ("处理", "翠湖苑"),
        ("批次", "88"),
        ("说明", "北门外小卖部"),
        ("回访人", "知水"),
        ("事发地点", "翠湖"),
    ],
)
def test_what_an_unknown_column_tells_of_somebody_is_kept_back(header: str, value: str) -> None:
    source = Source(4, "芦照区", private_of("FZ161008", {"extra": {header: value}}))
    found = brief_of([waiting(f"{value}的情况怎样处理？", source)])
    assert [one.why for one in found.held] == ["tells_source"]


def test_units_classes_and_the_district_itself_may_be_named() -> None:
    source = Source(4, "芦照区", private_of("FZ161008", FIELDS | {"district": "芦照区"}))
    asked = "住房和城乡建设局怎样检查芦照区的电梯？"
    assert brief_of([waiting(asked, source)]).held == ()


def test_the_hash_stands_for_these_lines_and_no_others() -> None:
    one, same = (brief_of([waiting(NEUTRAL, Source(3, "芦照区"))]) for _ in range(2))
    assert one.hash == same.hash
    others = [
        [waiting(f"{NEUTRAL}？", Source(3, "芦照区"))],
        [waiting(NEUTRAL, Source(4, "芦照区"))],
        [waiting(NEUTRAL, Source(3, "汐桥区"))],
        [waiting(NEUTRAL, Source(3, "芦照区"))] * 2,
    ]
    assert len({one.hash, *(brief_of(other).hash for other in others)}) == 5
