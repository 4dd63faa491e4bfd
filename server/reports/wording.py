"""The fixed words of printed documents, one (Chinese, English) pair each, and how they write time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain import words
from server.domain.explained import Lang, Sentence
from server.domain.roles import ROLES
from server.domain.show import BEIJING

WORDS: Mapping[str, Sentence] = {
    # documents
    "result_title": ("测评结果", "Evaluation result"),
    "feedback_title": ("网络评价结果", "Public feedback result"),
    "tally_title": ("计票单", "Tally sheet"),
    "form_title": ("测评表", "Evaluation form"),
    "minutes_title": ("会议纪要", "Minutes"),
    "rehearsal": ("演练", "Rehearsal"),
    "rehearsal_note": (
        "本件产生于演练，数据不作为测评依据。",
        "Made in a rehearsal: nothing here counts.",
    ),
    "voided": ("作废", "Void"),
    "page": ("第 {n} 页 共 {of} 页", "Page {n} of {of}"),
    # facts of a round
    "hearing": ("场次", "Hearing"),
    "office": ("主办单位", "Held by"),
    "date": ("日期", "Date"),
    "round": ("轮次", "Round"),
    "number": ("编号", "Number"),
    "status": ("状态", "Status"),
    "secrecy": ("方式", "Ballots"),
    "named": ("记名", "named"),
    "secret": ("无记名", "secret"),
    "first": ("提交后不得更改", "final once sent"),
    "last": ("截止前可以更改，以最后一次为准", "may be changed until closing, the last one counts"),
    "turnout": ("到会与交表", "Turnout"),
    "turnout_panel": (
        "应到 {due}，实到 {present}，已交 {cast}",
        "{due} due, {present} present, {cast} cast",
    ),
    "turnout_public": ("{cast} 人参与", "{cast} took part"),
    "time": ("起止时间", "Open"),
    "between": ("{opened} 至 {closed}", "{opened} to {closed}"),
    # tables
    "no": ("序号", "No."),
    "subject": ("述法人", "Subject"),
    "unit": ("单位", "Unit"),
    "total": ("总分", "Total"),
    "rank": ("位次", "Place"),
    "grade": ("等次", "Grade"),
    "with_ballots": ("（含每张票，仅供监督）", "(with every ballot, for supervisors)"),
    "valid": ("有效票", "Valid"),
    "valid_marks": ("有效打分（项）", "Valid marks"),
    "abstain": ("弃权", "Abstain"),
    "dont_know": ("不了解", "Don't know"),
    "void": ("废票", "Void"),
    "recused": ("回避", "Recused"),
    "summary": ("测评结果汇总", "Summary"),
    "summary_public": ("网络评价汇总", "Summary"),
    "by_dimension": ("各维度得分", "Marks by dimension"),
    "by_group": ("各组得分", "Marks by group"),
    "by_channel": ("各渠道得分", "Marks by channel"),
    "sheets": ("票数", "Sheets"),
    "distribution": ("打分分布", "Distribution of marks"),
    "dimension": ("维度", "Dimension"),
    "values": ("打分（份数）", "Value (sheets)"),
    "choice": ("选项", "Choice"),
    "count": ("人数", "People"),
    "share": ("占比", "Share"),
    "chart": ("总分图示", "Totals"),
    "chart_public": ("各选项人数", "People by choice"),
    "counted": (
        "票数以份计：一位成员对一位述法人的一份测评表为一份。",
        "One sheet is what one rater said of one subject.",
    ),
    # rules and checking
    "rules": ("计票规则", "Rules of the tally"),
    "comments": ("意见建议", "Comments"),
    "rules_public": (
        "每人一票，{how}；按各选项的人数计，不设权重，仅供参考。",
        "One vote each, {how}; choices are counted by people, without weights, for information only.",
    ),
    "check": ("核对", "Checking"),
    "rules_hash": ("规则的 SHA-256", "SHA-256 of the rules"),
    "ballots_hash": ("票表的 SHA-256", "SHA-256 of the ballots"),
    "root": ("核验根值", "Root"),
    "no_root": ("（计票确认后生成）", "(made at certification)"),
    "check_note": (
        "凭本轮核验包和上面的核验根值，任何人可用包内的 verify.py 或 verify.html 离线复算本结果。",
        "With the round's bundle and the root above anybody can work this result out again, offline,"
        " by the verify.py or verify.html inside it.",
    ),
    # signing
    "signed": ("计票确认（系统内）", "Certified in the system"),
    "not_signed": ("待签", "not yet"),
    "on_paper": ("签字", "Signatures"),
    "chair": ("主持人", "Chair"),
    "sign_date": ("日期", "Date"),
    # notes
    "invalid": (
        "本轮不符合规则规定的有效条件（到会人数、收回票数或票数），以下数字只作记录，不作为测评结果。",
        "The round does not meet the conditions of its rules (quorum, ballots returned): the figures"
        " below are a record, not a result.",
    ),
    "void_note": ("本轮已作废。原因：{reason}", "This round was voided. Reason: {reason}"),
    "again": ("已由轮次 {id} 重新测评。", "It was held again as round {id}."),
    "replaces": (
        "本轮是轮次 {id} 作废后的重新测评。",
        "This round was held again after round {id} was voided.",
    ),
    "held_after_contest": (
        "本轮是对轮次 {id} 的结果复核后重新举行的。",
        "This round was held again after the result of round {id} was contested.",
    ),
    "contested": ("本结果正在复核。", "This result is being contested."),
    "upheld": ("本结果经复核维持。", "This result was contested and upheld."),
    "corrected": (
        "本结果已更正，以轮次 {id} 为准。",
        "This result was corrected: round {id} holds.",
    ),
    "public_note": (
        "网络评价仅供参考，不计入测评得分。",
        "Public feedback is for information and no part of the evaluation's marks.",
    ),
    "null_note": (
        "“—”表示没有得分：没有有效打分，或有效票少于规则规定的最低数。",
        "“—” means no mark: no valid mark was given, or fewer valid sheets than the rules ask for.",
    ),
    # workbook
    "tab_result": ("结果", "Result"),
    "tab_marks": ("维度与组别", "Dimensions and groups"),
    "tab_rules": ("计票规则", "Rules"),
    "tab_ballots": ("票", "Ballots"),
    "tab_about": ("说明", "About"),
    "about_numbers": (
        "各得分与系统内结果的文字逐字相同；比率以百分数显示；能用数字精确表示的存为数字，其余（如分数）存为文本。",
        "Every mark is, letter by letter, that of the result in the system, a rate as a percentage;"
        " where a number shows it exactly it is a number, else (fractions) a text.",
    ),
    "about_ballots": (
        "“票”是复算用的全部票表，其 SHA-256 须与上面的一致（以 ballots.csv 为准）。",
        "“Ballots” holds all rows from which the result is worked out; ballots.csv is the file whose"
        " SHA-256 stands above.",
    ),
    "about_no_ballots": (
        "本件不含票表：只有计票人、监票人和办公室可以查看。",
        "The ballots are not in this file: only tellers, scrutineers and the office may see them.",
    ),
}


def side(pair: Sentence, lang: Lang) -> str:
    """The words of one language."""
    return pair[1] if lang == "en" else pair[0]


def word(key: str, lang: Lang, **values: object) -> str:
    """The fixed word or sentence `key`; its `{names}` are filled from `values`."""
    text = side(WORDS[key], lang)
    return text.format(**values) if values else text


def role(key: str, lang: Lang) -> str:
    """What people call a role."""
    return side(ROLES.get(key, (key, key)), lang)


def round_status(status: str, lang: Lang) -> str:
    """What people call a round's status."""
    return side(words.ROUND[status], lang)


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day(at: int | None, lang: Lang) -> str:
    """A moment (ms since 1970) as a date in Beijing: 2026年3月5日, 5 March 2026."""
    if at is None:
        return ""
    then = datetime.fromtimestamp(at / 1000, BEIJING)
    if lang == "en":
        return f"{then.day} {MONTHS[then.month - 1]} {then.year}"
    return f"{then.year}年{then.month}月{then.day}日"


def clock(at: int | None, *, seconds: bool = False) -> str:
    """A moment as a clock time in Beijing."""
    if at is None:
        return ""
    form = "%H:%M:%S" if seconds else "%H:%M"
    return datetime.fromtimestamp(at / 1000, BEIJING).strftime(form)


def moment(at: int | None, lang: Lang) -> str:
    """A moment as date and clock time."""
    return "" if at is None else f"{day(at, lang)} {clock(at, seconds=True)}"
