"""Invented hearings as the pages see them. Places, people and orders match nobody real.

`CASES` names a `HearingView` for every situation that a page must show well; other tests reuse them.
Times are fixed, so the same page comes out each time; `full(at=…)` moves them to another moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from server.domain.claims import Claim
from server.domain.events import ROOMS
from server.domain.hearing import Hearing, Item, Position, Ref, Step
from server.domain.questions import Question
from server.domain.rounds import Entitled, Round
from server.domain.view import (
    FloorRequest,
    HearingView,
    Lease,
    Notice,
    QueueView,
    Screens,
    SeatView,
    StageView,
    SubjectView,
)

AT = 1_795_000_000_000
"""The moment at which the samples stand (ms since 1970)."""
MINUTE = 60_000

SUBJECTS = (
    SubjectView("housing", "糜知屿", "党组书记、局长", "云澜市住房和城乡建设局"),
    SubjectView("city", "亓砚舟", "党组书记、局长", "云澜市城市管理局"),
    SubjectView("market", "郗望棠", "党组书记、局长", "云澜市市场监督管理局"),
)
STEPS = (
    Step("statement", 300, "有请市住房和城乡建设局局长糜知屿述法，时间五分钟。"),
    Step("questions", 600, "述法完毕，进入提问环节。群众提问均来自热线、信箱和直播页面。"),
    Step("comment", 120, "有请点评人点评，时间两分钟。"),
    Step("evaluation", 180, "请评议团成员在平板上逐项打分，时间三分钟。"),
)
ITEMS = (
    Item("opening", "开场", None, (Step("opening", 120, "云澜市述法评议会现在开始。"),), "done"),
    Item("housing", "市住房和城乡建设局述法", "housing", STEPS, "current"),
    Item("city", "市城市管理局述法", "city", STEPS, "coming"),
    Item("pause", "休息", None, (Step("break", 600),), "coming"),
    Item("market", "市市场监督管理局述法", "market", STEPS, "coming"),
    Item(
        "closing", "公布结果与总结讲话", None, (Step("result", 180), Step("closing", 300)), "coming"
    ),
)
GROUPS = (
    ("deputies", "人大代表", "0.3"),
    ("cppcc", "政协委员", "0.3"),
    ("citizens", "群众代表", "0.4"),
)
_NAMES = ("沐青禾", "虢小满", "阚竹溪", "逄雨桐", "澹台远", "郏思源", "宓长风", "麴晚晴", "訾秋白")
SEATS = tuple(
    SeatView(i + 1, i + 1, name, *GROUPS[i % 3][:2], "", i != 8) for i, name in enumerate(_NAMES)
)
RULES: Mapping[str, Any] = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "20", "step": "1"},
    "dimensions": [
        {"key": "personally"},
        {"key": "decisions"},
        {"key": "enforcement"},
        {"key": "findings"},
        {"key": "rectification"},
    ],
    "groups": [{"key": key, "weight": weight} for key, _, weight in GROUPS],
    "within": "mean",
    "across": "sum",
    "rounding": {"mode": "half_up", "dimension": 2, "total": 2},
}
LABELS = {
    "personally": "履职亲自抓",
    "decisions": "依法决策",
    "enforcement": "执法与应诉",
    "findings": "问题查摆深刻具体",
    "rectification": "上年问题整改与下步措施",
    "good": "好",
}
CHOICES = (("satisfied", "满意"), ("basic", "基本满意"), ("unsatisfied", "不满意"))

TEXTS = (
    "交房两年了，为什么还办不了不动产证？开发商说在走程序，请问卡在哪一步，什么时候能办下来？",
    "老旧小区加装电梯，一楼住户不同意就一直拖着，政府有没有依法调解的办法？",
    "夜间渣土车噪声扰民，打过三次热线，每次都说已处理，可第二天照旧。",
    "物业费涨价有没有依据？业委会成立难，材料递上去半年没有答复。",
    "学校门口的流动摊点早晚高峰占道，执法人员一走又回来，能不能有长效办法？",
    "公共停车位被沿街商户用锥桶占用，是否有权要求他们撤除？",
    "外卖商家的证照和实际地址对不上，平台不管，市场监管部门管不管？",
    "行政处罚决定书上没有写明复议期限，这样的处罚算不算有效？",
)
LONG = (
    "我们是城东片区三个相邻小区的业主，三年前签的购房合同，约定去年六月底前交房并协助办理不动产登记。"
    "交房时开发商说消防验收、人防验收和竣工备案都在走流程，让大家先收房。一年多过去，陆续有邻居去窗口问，"
    "得到的说法前后不一：先说是土地分割没有完成，又说是维修资金没有缴齐，后来又说是规划核实有两处与图纸不符，"
    "需要开发商先整改。大家去找开发商，开发商说整改早就做完了，是有关部门迟迟不来复核。"
    "我们查了政务公开网站，没有查到复核的受理记录；向热线反映过四次，每次的答复都是“已转承办单位”，没有下文。"
    "因为没有不动产证，孩子上学、户口迁入、公积金提取和房屋买卖都受影响，有两户已经因此起诉到法院。"
    "想请问：第一，规划核实和竣工备案究竟由哪个科室负责，现在卡在哪一步，受理和办结的法定期限各是多少天；"
    "第二，部门之间相互推的时候，由谁来牵头，有没有书面的办理时限；"
    "第三，如果确属开发商责任，有没有依法启动过行政处罚或者信用惩戒，结果是否公开；"
    "第四，能不能给业主一个明确的、可以对照检查的时间表，并且在网上按月公布进度，让我们不用一趟一趟地跑？"
)


def question(i: int, status: str = "approved", **more: Any) -> Question:
    """A question from the citizens."""
    values: dict[str, Any] = {
        "id": i + 1,
        "code": f"Q{i + 1:04d}",
        "status": status,
        "text": TEXTS[i % len(TEXTS)],
        "version": 3,
        "source": ("hotline", "mailbox", "live")[i % 3],
        "source_key": ("hotline-12345", "mayor", "live")[i % 3],
        "external_id": f"YL25110300{i:02d}",
        "subject": SUBJECTS[i % 3].key,
        "support": (37 * (i + 3)) % 211,
        "askers": 1 + i % 4,
        "created_at": AT - 90 * MINUTE + i * 1000,
        "approved_at": AT - 30 * MINUTE + i * MINUTE,
    }
    return Question(**(values | more))


def public_round(status: str = "open", **more: Any) -> Round:
    """网络评价 with counts shown live."""
    values: dict[str, Any] = {
        "id": "web-housing",
        "title": "网络评价：市住房和城乡建设局",
        "audience": "public",
        "secrecy": "named",
        "replacing": "last",
        "subjects": ("housing",),
        "status": status,
        "version": 2,
        "ordinal": 1,
        "item": "housing",
        "choices": CHOICES,
        "show_live": True,
        "cast": 1201,
        "counts": {"satisfied": 742, "basic": 306, "unsatisfied": 153},
        "opened_at": AT - 5 * MINUTE,
    }
    if status in {"closed", "tallied", "certified", "published"}:
        values["closed_at"] = AT - MINUTE
        values["result"] = {
            "choices": [
                {"key": key, "label": label, "count": count}
                for (key, label), count in zip(CHOICES, (742, 306, 153), strict=True)
            ],
            "cast": 1201,
            "valid": True,
            "ballots_hash": "0" * 64,
            "rules_hash": None,
        }
    return Round(**(values | more))


def subject_result(key: str, total: str, marks: tuple[str, ...], rank: int) -> dict[str, Any]:
    """One subject of a panel's result."""
    return {
        "subject": key,
        "total": total,
        "rank": rank,
        "grade": None,
        "dimensions": dict(zip(LABELS, marks, strict=False)),
        "groups": {"deputies": total, "cppcc": total, "citizens": total},
        "ballots": {"valid": 8, "abstain": 0, "dont_know": 0, "void": 0},
    }


RESULTS = (
    subject_result("housing", "86.42", ("18.10", "17.25", "16.80", "17.02", "17.25"), 2),
    subject_result("city", "91.07", ("18.60", "18.40", "17.95", "18.02", "18.10"), 1),
    subject_result("market", "84.95", ("17.20", "17.00", "16.75", "16.90", "17.10"), 3),
)


def panel_round(status: str = "open", **more: Any) -> Round:
    """测评 of all three subjects by nine seats."""
    values: dict[str, Any] = {
        "id": "panel-all",
        "title": "测评：三位述法人",
        "audience": "panel",
        "secrecy": "named",
        "replacing": "last",
        "subjects": tuple(s.key for s in SUBJECTS),
        "status": status,
        "version": 2,
        "ordinal": 2,
        "item": "housing",
        "rules": RULES,
        "rules_hash": "1" * 64,
        "labels": LABELS,
        "entitled": tuple(Entitled(s.id, s.group, s.unit, s.present) for s in SEATS),
        "cast": 6,
        "opened_at": AT - 2 * MINUTE,
    }
    if status in {"tallied", "certified", "published"}:
        values |= {
            "cast": 8,
            "closed_at": AT - MINUTE,
            "result": {
                "subjects": list(RESULTS),
                "valid": True,
                "rules_hash": "1" * 64,
                "ballots_hash": "0" * 64,
                "trace": [],
            },
        }
    return Round(**(values | more))


def base(**more: Any) -> HearingView:
    """A prepared hearing in which nothing has happened."""
    values: dict[str, Any] = {
        "hearing": Hearing(
            Ref(1, 1, 1), "yunlan-shufa", "云澜市述法评议会", "ready", 1, "preparation", "e1"
        ),
        "office_name": "云澜市全面依法治市委员会办公室",
        "stream_url": None,
        "note": "这是一场演示，人物、单位和提问均为虚构。",
        "versions": dict.fromkeys(ROOMS, 7),
        "subjects": SUBJECTS,
        "items": tuple(replace(i, status="coming") for i in ITEMS),
        "position": None,
        "stage": None,
        "rounds": (public_round("ready", counts={}, cast=0), panel_round("ready", cast=0)),
        "questions": (),
        "queue": QueueView(0, (), (), {}),
        "requests": (),
        "notice": None,
        "screens": Screens(),
        "leases": (),
        "seats": SEATS,
        "groups": GROUPS,
        "counts": {},
        "source_counts": {},
        "live_waiting": 0,
        "claims": (),
        "refused": {},
        "viewers": 0,
        "likes": 0,
    }
    return HearingView(**(values | more))


def _live(view: HearingView, status: str = "live", kind: str = "real") -> HearingView:
    return replace(view, hearing=replace(view.hearing, status=status, run_kind=kind))


def _at(step: str, left: int | None = 4 * MINUTE, item: str = "housing") -> Position:
    return Position(item, step, 4, AT - MINUTE, None if left is None else AT + left, None)


def empty() -> HearingView:
    """Ready, nothing yet."""
    return base()


def speaking() -> HearingView:
    """The first subject states; the public round is open."""
    queued = tuple(question(i, "queued") for i in (5, 7))
    return _live(
        base(
            items=ITEMS,
            position=_at("statement"),
            rounds=(public_round(), panel_round("ready", cast=0)),
            questions=tuple(question(i) for i in reversed(range(12))),
            queue=QueueView(3, tuple(q.id for q in queued), queued, {6: 3}),
            viewers=15980,
            likes=54012,
            stream_url="https://live.example.org/yunlan/index.m3u8",
        )
    )


def full() -> HearingView:
    """A question is on stage, another one waits, the podium has a message, a round is open."""
    view = speaking()
    asked = question(0, "on_stage", support=33, askers=4)
    return replace(
        view,
        position=_at("questions", 6 * MINUTE + 12_000),
        stage=StageView(asked, "12345热线", "answering", AT - MINUTE),
        questions=tuple(
            question(i, {0: "on_stage", 3: "answered"}.get(i, "approved"))
            for i in reversed(range(14))
        ),
        requests=(FloorRequest(1, 2, "虢小满", "ask", "", AT - 20_000),),
        leases=(Lease("show", "s1", "主持台甲", AT - 40 * MINUTE),),
        counts={"received": 4, "screened": 6, "approved": 14},
        source_counts={"hotline-12345": 12, "mayor": 7, "live": 5},
        live_waiting=3,
        claims=(Claim(901, "account:7", "李审核", AT - MINUTE),),
    )


def panelist_asks() -> HearingView:
    """A panelist asks a question that came from the mailbox."""
    view = full()
    asked = question(1, "on_stage", support=88)
    return replace(view, stage=StageView(asked, "人大代表 沐青禾", "asking", AT, seat=1))


def overlong() -> HearingView:
    """Everything as long as it may be: 600 characters on stage, long names, many rounds."""
    text = (LONG * 2)[:600]
    subjects = (
        SubjectView(
            "housing",
            "阿依古丽·买买提依明·托合提",
            "党组成员、副局长（主持全面工作），兼市重大项目推进办公室常务副主任",
            "云澜市住房和城乡建设与历史文化名城保护及房屋征收补偿管理委员会办公室",
        ),
        *SUBJECTS[1:],
    )
    view = full()
    return replace(
        view,
        subjects=subjects,
        office_name="云澜市全面依法治市委员会办公室（云澜市司法局、云澜市法治政府建设工作领导小组办公室）",
        hearing=replace(
            view.hearing,
            title="云澜市党政主要负责人履行推进法治建设第一责任人职责情况二〇二六年度第四季度现场述法评议会",
        ),
        stage=StageView(
            question(0, "on_stage", text=text, support=15980, askers=12),
            "政协委员 阿依古丽·买买提依明·托合提",
            "follow_up",
            AT,
            seat=2,
        ),
        questions=tuple(question(i, text=text[: 60 * (i + 1)]) for i in reversed(range(10))),
        items=(
            *ITEMS[:1],
            replace(
                ITEMS[1],
                title="云澜市住房和城乡建设与历史文化名城保护及房屋征收补偿管理委员会办公室述法",
            ),
            *ITEMS[2:],
        ),
        queue=QueueView(3, (1,), (question(0, "queued", text=text),), {1: 3}),
        notice=Notice(9, "请放慢语速，还有两分钟；" * 10, AT, None),
        rounds=(
            public_round(
                choices=tuple((f"c{i}", f"第{i + 1}个选项的说明文字写得比较长") for i in range(12)),
                counts={f"c{i}": 100 * i for i in range(12)},
                title="网络评价：对云澜市住房和城乡建设与历史文化名城保护工作的总体看法",
            ),
            panel_round("ready", cast=0),
        ),
        likes=9_999_999,
        viewers=1_234_567,
    )


def rehearsal() -> HearingView:
    """演练: the same as `full`, and it says so everywhere."""
    return _live(full(), kind="rehearsal")


def paused() -> HearingView:
    """Paused with the countdown standing still."""
    view = full()
    assert view.position
    at = replace(view.position, ends_at=None, remaining=372_000)
    return _live(replace(view, position=at), "paused")


def overrun() -> HearingView:
    """The speaker is over time; a deputy stands in."""
    items = tuple(replace(i, deputy="堵云生") if i.id == "housing" else i for i in ITEMS)
    return replace(speaking(), items=items, position=_at("statement", -42_000))


def message() -> HearingView:
    """The host's message waits on the podium."""
    return replace(full(), notice=Notice(5, "请看台口，尽快收尾", AT, None))


def panel_open() -> HearingView:
    """A panel round is open in the evaluation step."""
    return replace(
        speaking(), position=_at("evaluation", 95_000), rounds=(public_round(), panel_round())
    )


def public_open() -> HearingView:
    """Only the public round is open, in the evaluation step, and it is closing."""
    closing = public_round("closing", closes_at=AT + 30_000)
    return replace(
        speaking(),
        position=_at("evaluation", 45_000),
        rounds=(closing, panel_round("ready", cast=0)),
    )


def between() -> HearingView:
    """Both rounds are certified; nothing is published."""
    return replace(
        speaking(),
        position=_at("result", None, "closing"),
        rounds=(public_round("certified"), panel_round("certified")),
    )


def revealing(step: int = 3) -> HearingView:
    """A panel result that is published to the hall and the public, revealed up to `step`."""
    shown = panel_round("published", published_to=("hall", "public"), reveal=step)
    return replace(
        between(),
        rounds=(public_round("published", published_to=("public",)), shown),
        screens=Screens(False, shown.id),
    )


def revealed_public() -> HearingView:
    """A public round's result, all of it revealed."""
    shown = public_round("published", published_to=("public",), reveal=4)
    return replace(
        between(), rounds=(shown, panel_round("certified")), screens=Screens(False, shown.id)
    )


def crowd() -> HearingView:
    """Twelve subjects revealed, the tenth just now."""
    subjects = tuple(
        SubjectView(f"s{i}", name, "局长", f"云澜市第{i + 1}局")
        for i, name in enumerate((*_NAMES, "糜知屿", "亓砚舟", "郗望棠"))
    )
    results = [
        {**RESULTS[i % 3], "subject": s.key, "total": f"{80 + i}.25"}
        for i, s in enumerate(subjects)
    ]
    shown = panel_round(
        "published",
        subjects=tuple(s.key for s in subjects),
        published_to=("hall",),
        reveal=11,
        result={"subjects": results, "valid": True},
    )
    return replace(
        revealing(), subjects=subjects, rounds=(shown,), screens=Screens(False, shown.id)
    )


def cleared() -> HearingView:
    """垫片 on the screens while a question is on stage."""
    return replace(full(), screens=Screens(True, None))


def resting() -> HearingView:
    """A break."""
    return replace(speaking(), position=_at("break", 8 * MINUTE, "pause"))


def over() -> HearingView:
    """The hearing has ended; results are public, one round was voided."""
    voided = public_round("voided", id="web-old", void_reason="误开", closed_at=AT - 20 * MINUTE)
    view = revealing(4)
    return _live(replace(view, rounds=(*view.rounds, voided), screens=Screens()), "ended")


CASES: Mapping[str, Callable[[], HearingView]] = {
    one.__name__: one
    for one in (
        empty,
        speaking,
        full,
        panelist_asks,
        overlong,
        rehearsal,
        paused,
        overrun,
        message,
        panel_open,
        public_open,
        between,
        revealing,
        revealed_public,
        crowd,
        cleared,
        resting,
        over,
    )
}


def asking(letters: int) -> HearingView:
    """A question of so many Chinese characters on stage: the longest of each step of type."""
    view = full()
    long_one = question(0, "on_stage", text=(LONG * 2)[: letters - 1] + "？")
    return replace(view, stage=StageView(long_one, "人大代表 沐青禾", "asking", AT, seat=1))


def subjects(n: int) -> HearingView:
    """So many subjects in a reveal, all but the last one shown."""
    people = tuple(
        SubjectView(f"s{i}", _NAMES[i % len(_NAMES)], "局长", f"云澜市第{i + 1}局")
        for i in range(n)
    )
    shown = panel_round(
        "published",
        subjects=tuple(s.key for s in people),
        published_to=("hall",),
        reveal=n,
        result={"subjects": [{**RESULTS[0], "subject": s.key} for s in people], "valid": True},
    )
    return replace(revealing(), subjects=people, rounds=(shown,), screens=Screens(False, shown.id))


EXTREMES: Mapping[str, Callable[[], HearingView]] = {
    **{f"asking_{n}": partial(asking, n) for n in (36, 80, 150, 260, 420, 600)},
    **{f"subjects_{n}": partial(subjects, n) for n in (1, 2, 8, 16, 27, 60)},
}
"""Views at the edges of a layout's steps: big screens must fit all of them."""
