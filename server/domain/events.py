"""Every event: who may see it, which members of the public state it changes, what is said.

A page's `live.py` must name every event of its room (law 6), and `docs/events.md` is made from
this table. `says` is the one sentence that assistive technology hears for the act (law 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROOMS = ("public", "panel", "desk", "host", "card", "stage", "overlay", "podium")
"""Every room of a hearing; each has its own version."""

_ALL = ROOMS
_SHOW = ("public", "panel", "host", "card", "stage", "overlay", "podium", "desk")
_STAFF = ("desk", "host")


@dataclass(frozen=True)
class Event:
    """One kind of act. `members` are the top-level members of `state` that its cue carries."""

    rooms: tuple[str, ...]
    members: tuple[str, ...]
    zh: str
    en: str


EVENTS: Mapping[str, Event] = {
    "hearing_changed": Event(_ALL, ("hearing", "slot"), "场次状态已更新", "The hearing changed"),
    "position_changed": Event(_SHOW, ("slot",), "进入下一环节", "The show moved on"),
    "agenda_changed": Event(_SHOW, ("slot",), "议程有调整", "The agenda changed"),
    "question_received": Event(("desk",), (), "收到新提问", "A question came in"),
    "questions_screened": Event(("desk",), (), "新提问可处理", "Questions are ready to review"),
    "questions_imported": Event(("desk",), (), "导入了一批问题", "Questions were imported"),
    "source_changed": Event((), (), "来源设置已更改", "A source was changed"),
    "topics_changed": Event((), (), "主题分类已更换", "The scheme of topics was replaced"),
    "question_approved": Event(
        ("public", *_STAFF), ("questions",), "有新的群众提问", "A question was approved"
    ),
    "question_changed": Event(
        ("public", "panel", "card", "stage", "overlay", "podium", *_STAFF),
        ("questions", "stage"),
        "问题文字已更新",
        "A question was reworded",
    ),
    "question_removed": Event(
        ("public", *_STAFF), ("questions",), "问题已移出列表", "A question left the list"
    ),
    "question_unmasked": Event((), (), "原文已被查看", "An original was read"),
    "question_moderated": Event(_STAFF, (), "问题状态已更新", "A question was moderated"),
    "question_claimed": Event(("desk",), (), "有人在处理一条提问", "Somebody works on a question"),
    "question_let_go": Event(("desk",), (), "一条提问不再有人处理", "A question is free again"),
    "question_escalated": Event(_STAFF, (), "一条提问已转专人处理", "A question was escalated"),
    "question_escalation_seen": Event(
        ("desk",), (), "值班负责人已收到", "The duty person has seen it"
    ),
    "review_asked": Event(_STAFF, (), "上台前的要求已更改", "What the stage asks for changed"),
    "aliases_changed": Event(("desk",), (), "单位别名已更改", "A unit's other names changed"),
    "queue_changed": Event(
        ("desk", "host", "card", "podium", "panel"), (), "队列已更新", "The queue changed"
    ),
    "question_given": Event(
        ("host", "card", "panel", "desk"), (), "问题已交给提问人", "A question was given out"
    ),
    "question_taken": Event(_ALL, ("stage", "questions"), "问题已上屏", "A question is on stage"),
    "question_phase": Event(_SHOW, ("stage",), "问答进入下一阶段", "The question moved on"),
    "question_pulled": Event(
        _ALL, ("stage", "questions"), "问题已撤下", "The question left the stage"
    ),
    "question_answered": Event(
        _ALL, ("stage", "questions"), "问题已答复", "A question was answered"
    ),
    "question_rated": Event(_STAFF, (), "提问人评价了答复", "An asker rated the answer"),
    "brief_switched": Event((), (), "会前送阅设置已更改", "Reading in advance was switched"),
    "brief_sent": Event((), (), "入选问题已送述法人阅", "A shortlist was sent to an office"),
    "brief_taken_back": Event((), (), "已收回送阅", "A shortlist was taken back"),
    "reply_proposed": Event(("desk",), (), "收到一条答复稿", "A reply was proposed"),
    "floor_requested": Event(("host", "panel"), (), "有成员申请提问", "A panelist asks to speak"),
    "floor_granted": Event(
        ("host", "panel"), (), "一项发言申请已安排", "A request to speak was granted"
    ),
    "floor_declined": Event(
        ("host", "panel"), (), "一项发言申请本次未安排", "A request to speak was declined"
    ),
    "comment_reviewed": Event(("host",), (), "一条意见建议已审阅", "A comment was reviewed"),
    "takeover_requested": Event(
        ("host",), (), "有席位请求换平板", "A spare tablet asks for a seat"
    ),
    "takeover_granted": Event(("host",), (), "已同意换平板", "A spare tablet took over a seat"),
    "takeover_declined": Event(
        ("host",), (), "未同意换平板", "A spare tablet's request was declined"
    ),
    "round_created": Event(
        ("public", "panel", "host", "stage", "overlay", "card"),
        ("rounds",),
        "新增一轮评价",
        "A round was added",
    ),
    "round_opened": Event(_ALL, ("rounds",), "评价开始", "A round opened"),
    "round_closing": Event(_ALL, ("rounds",), "评价即将截止", "A round is closing"),
    "round_closed": Event(_ALL, ("rounds",), "评价已截止", "A round closed"),
    "seal_destroyed": Event(
        ("host",), (), "封存密钥已销毁", "The seal of a secret round was destroyed"
    ),
    "round_tallied": Event(
        ("public", "host", "panel", "stage", "overlay", "card"),
        ("rounds",),
        "计票完成",
        "A round was tallied",
    ),
    "tally_refused": Event(("host",), (), "按计票规则不予计票", "The rules refused a tally"),
    "round_certified": Event(
        ("public", "host", "panel", "stage", "overlay", "card"),
        ("rounds",),
        "计票已确认",
        "A round was certified",
    ),
    "bundle_made": Event(
        ("public", "host", "panel", "stage", "overlay", "card"),
        ("rounds",),
        "核验包已生成",
        "The bundle to check was made",
    ),
    "paper_set": Event(("host", "panel"), (), "有席位改用纸质票", "A seat votes on paper"),
    "paper_counted": Event(("host",), (), "一张纸质票已计入", "A paper ballot counts"),
    "round_voided": Event(_ALL, ("rounds",), "本轮作废", "A round was voided"),
    "round_signed": Event(("host",), (), "已签字", "A signature was given"),
    "result_published": Event(_ALL, ("rounds",), "结果已公布", "A result was published"),
    "result_released": Event(
        ("host", "panel", "stage", "overlay", "card", "podium"),
        (),
        "结果已在会场公布",
        "A result was released in the hall",
    ),
    "result_internal": Event(("host",), (), "结果已内部公布", "A result was released internally"),
    "result_contested": Event(_ALL, ("rounds",), "有结果正在复核", "A result is contested"),
    "result_upheld": Event(_ALL, ("rounds",), "复核维持原结果", "A result was upheld"),
    "result_corrected": Event(_ALL, ("rounds",), "结果已更正", "A result was corrected"),
    "contest_noted": Event(
        ("host", "panel", "stage", "overlay", "card", "podium"),
        (),
        "一项复核有新进展",
        "A contest has moved on",
    ),
    "reveal_stepped": Event(
        ("host", "stage", "overlay", "card"), (), "揭晓下一项", "The reveal moved on"
    ),
    "screen_cleared": Event(
        ("public", "host", "stage", "overlay", "card"),
        ("hearing",),
        "画面切到垫片",
        "Screens cleared",
    ),
    "screen_restored": Event(
        ("public", "host", "stage", "overlay", "card"),
        ("hearing",),
        "画面已恢复",
        "Screens restored",
    ),
    "notice": Event(("host", "podium", "card"), (), "有新提示", "A message for the podium"),
    "notice_seen": Event(("host", "podium", "card"), (), "提示已确认", "The message was seen"),
    "lease_taken": Event(("host",), (), "控制权已转移", "Control changed hands"),
    "presence_changed": Event(("host",), (), "到场情况更新", "Presence changed"),
}


def sentence(event: str, lang: str) -> str:
    """What assistive technology hears for the event."""
    row = EVENTS[event]
    return row.en if lang == "en" else row.zh
