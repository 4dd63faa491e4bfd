"""What gives a citizen away in a wording: a place below the district, a day, an hour, his own words."""

from __future__ import annotations

import itertools

import pytest

from server.domain.neutral import is_rewritten, names_of, repeats_words, tells_place_or_time

NEUTRAL = (
    "小区停车位不足由谁规划？",
    "老旧小区加装电梯的补贴多久到位？",
    "2025年以来物业投诉办结率是多少？",
    "电梯停运的时间怎样向住户公开？",
    "维修资金的使用情况多久公布一次？",
    "物业更换的表决怎样监督？",
    "老旧管道改造怎样排出先后？",
    "住宅小区充电桩由哪个部门审批？",
    "小区停车难",
    "社区养老服务站的经费如何保障？",
    "农村道路破损后由谁负责修复，多久修好？",
    "断头路打通的时间表是否公开？",
    "城中村改造的补偿标准依据什么文件？",
    "村务公开不及时怎样追责？",
    "村民反映的宅基地审批多久办结？",
    "各街道执法力量不足如何解决？",
    "背街小巷照明由谁维护？",
    "无物业小区的垃圾清运由谁负责？",
    "乡镇卫生院缺药问题何时解决？",
    "夜间施工扰民的处罚有多少起？",
    "公交线路调整前是否听取居民意见？",
    "中小学校周边道路拥堵怎样治理？",
    "对屡次投诉未整改的企业采取了哪些措施？",
    "行政处罚结果是否全部公示？",
    "12345热线工单满意率低的原因是什么？",
    "今年上半年行政复议纠错率是多少？",
    "规范小区物业收费有哪些措施？",
    "排查小区消防通道堵塞的结果如何公布？",
    "完整社区建设进展如何？",
    "快递柜进小区收费由谁监管？",
    "自来水水质检测结果多久公开一次？",
    "拖欠农民工工资的案件办结多少？",
    "红绿灯路口等待时间过长怎样优化？",
    "易涝路段整治何时完成？",
    "商业街占道经营怎样管理？",
    "市民广场噪音扰民怎么处理？",
    "街道和社区的权责清单是否公开？",
    "城乡公交一体化何时实现？",
    "人才公寓的分配标准是什么？",
    "口袋公园建设征求过哪些意见？",
    "美丽乡村建设资金使用是否公开？",
    "小区业主委员会成立难，街道如何指导？",
    "部分小区二次供水设施老化谁来改造？",
    "道路反复开挖为何没有统筹？",
    "村集体资金由谁监督？",
    "安置小区办证难何时解决？",
    "每周三的接访日是否有局领导参加？",
    "窗口办理时限从5个工作日压缩到几个？",
    "高速公路噪声治理由谁负责？",
    "驻村干部的考核标准是什么？",
    "本镇范围内的危房排查结果如何？",
    "占用消防通道的车辆如何处罚？",
    "新建小区配套幼儿园何时移交？",
    "智慧社区平台数据如何保护个人信息？",
    "第一类事项办理进度怎样公开？",
    "养犬管理在小区里由谁执法？",
    "为什么经常停水？",
    "对三点整改意见落实得怎样？",
    "早餐摊点管理有没有统一标准？",
    "社区矫正工作的监督机制是什么？",
    "学校门口路口何时装信号灯？",
    "24小时自助服务点有多少个？",
    "加快老旧小区改造的资金从哪里来？",
    "城区主干道路灯不亮的处理时限是多少？",
    "第三方评估由哪些单位参与？",
)
"""As desks word them: words for places that name none, a year, a month, numbers that find nobody."""
TELLING = (
    "翠湖苑小区停车难",
    "翠湖苑的供水什么时候恢复？",
    "翠湖小区怎样处理？",
    "十一月三日的停水为什么没有通知？",
    "11月3日停水原因是什么？",
    "上周三晚上八点的施工谁批准的？",
    "李庄路口积水没人管？",
    "李庄村的道路何时修？",
    "翠湖路12号的油烟怎么处理？",
    "翠湖路什么时候修好？",
    "阳光花园的电梯谁来修？",
    "金色家园停车收费依据是什么？",
    "湖东社区的垃圾站何时搬？",
    "3号楼的违建何时拆？",
    "5栋二单元漏水谁负责？",
    "芦照区翠湖街道的投诉怎样处理？",
    "人民路的积水何时治理？",
    "石桥巷路灯不亮怎么办？",
    "城东镇的自来水为什么发黄？",
    "万达广场噪音扰民怎么处理？",
    "2026-03-04的停电原因是什么？",
    "晚上10点以后的施工怎么管？",
    "李庄村委会账目为何不公开？",
    "李庄村民的补偿何时到位？",
    "和平里社区的活动室何时开放？",
    "祥和小区的物业为何不换？",
    "昨天停电的原因是什么？",
    "幸福大街占道经营怎么管？",
    "关于翠湖苑小区停车问题怎样处理",
    "下午三点半停水为什么不通知？",
    "建设路改造何时完工？",
    "盛世豪庭小区物业费怎么定？",
    "清泉新村的供水怎样保障？",
    "凤凰路与学府路路口何时装灯？",
    "杨家湾胡同消防通道谁管？",
    "周日早上的噪音谁管？",
)

NAMES = ("翠湖", "幸福里", "金桂", "石桥", "清泉", "龙潭", "凤凰", "杨家湾", "盛世豪庭", "学府")
ENDINGS = (
    "小区",
    "社区",
    "村",
    "花园",
    "家园",
    "苑",
    "路",
    "街",
    "巷",
    "路12号",
    "大厦",
    "新村",
    "村委会",
    "街道",
)
ASKED = ("{}的供水什么时候恢复？", "关于{}停车难怎样治理？", "为什么{}一直没有改造？")
DAYS = (
    "11月3日", "十一月三日", "2026年3月4日", "二〇二六年三月四日", "2026-03-04", "2026/3/4", "3月4号", "上周三",
    "星期五晚上", "昨天", "昨晚", "前天", "早上七点", "下午3点半", "晚上10点", "凌晨两点", "19:30", "上周", "本月3日", "三点二十分",
)  # fmt: skip


@pytest.mark.parametrize("wording", NEUTRAL)
def test_what_desks_write_may_go_out(wording: str) -> None:
    assert not tells_place_or_time(wording)


@pytest.mark.parametrize("wording", TELLING)
def test_a_place_a_day_or_an_hour_is_kept_back(wording: str) -> None:
    assert tells_place_or_time(wording)


def test_no_planted_place_or_day_is_let_through_wherever_it_stands() -> None:
    planted = [f"{name}{ending}" for name, ending in itertools.product(NAMES, ENDINGS)] + [*DAYS]
    wordings = [one.format(detail) for one in ASKED for detail in planted]
    assert len(wordings) > 400
    assert [one for one in wordings if not tells_place_or_time(one)] == []


LETTER = "尊敬的领导：我家住在五楼，电梯从去年停到今年，李庄路口积水没人管，老人和孩子出行都很困难，请尽快处理。"


@pytest.mark.parametrize(
    ("wording", "text", "repeated"),
    [
        ("李庄路口积水没人管？", "李庄路口积水没人管", True),
        ("积水一直没人管，怎样解决？", "路口积水一直没人管", True),  # Most of a short text.
        ("路口积水没人管，谁负责？", "积水", False),  # A word that everybody uses.
        ("路口积水没人管", LETTER, True),  # Nothing but the letter's own words.
        ("电梯停运多久应当修复？", LETTER, False),
        ("老人和孩子出行都很困难请尽快处理，为何没有回应，由谁牵头？", LETTER, True),  # Other marks.
        ("老旧小区加装电梯的补贴多久到位？", "老旧小区加装电梯的补贴一直没有到位，我们等了两年，请问什么时候发？", False),
    ],
)  # fmt: skip
def test_a_stretch_is_measured_by_what_is_said(wording: str, text: str, repeated: bool) -> None:
    assert repeats_words(wording, text) is repeated


def test_a_title_names_the_matter() -> None:
    assert not repeats_words("小区停车位不足由谁规划？", "小区停车位不足", whole=False)
    assert repeats_words("小区停车位不足", "小区停车位不足", whole=False)


def test_another_mark_makes_no_other_wording() -> None:
    own = "李庄路口积水没人管"
    assert not is_rewritten(f"{own}？", own)
    assert not is_rewritten(" 李庄路口，积水没人管！", "其他", own)
    assert is_rewritten("积水多发路段怎样治理？", own)


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("翠湖苑社区", {"翠湖苑社区", "翠湖苑"}),
        ("石桥镇李庄村", {"石桥镇", "石桥", "李庄村", "李庄"}),
        ("幸福社区", {"幸福社区"}),  # Without its ending it is a word.
        ("", set()),
    ],
)
def test_a_place_is_known_without_its_ending_too(told: str, names: set[str]) -> None:
    found = set(names_of(told))
    assert names <= found
    assert "幸福" not in found
