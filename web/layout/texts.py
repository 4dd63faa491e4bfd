"""Fixed words and small formats that templates share: states, steps, clock times, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain import words
from server.domain.events import sentence
from server.domain.questions import REJECTION_REASONS, STATES, TOLD
from server.domain.roles import ROLES
from server.domain.show import BEIJING
from server.domain.view import SOURCE_NAMES

WORDS: Mapping[str, tuple[str, str]] = {
    **words.HEARING,
    # steps
    "opening": ("开场", "Opening"),
    "rules": ("宣布规则", "Rules"),
    "film": ("短片", "Film"),
    "statement": ("述法", "Statement"),
    "questions": ("提问答复", "Questions"),
    "comment": ("点评", "Comment"),
    "evaluation": ("测评", "Evaluation"),
    "result": ("公布结果", "Result"),
    "break": ("休息", "Break"),
    "closing_step": ("总结", "Closing"),
    **{k: v for k, v in words.QUESTION.items() if k != "closed"},
    **words.PHASE,
    "all": ("全部", "All"),
    "live_lane": ("直播间", "Live page"),
    "mine": ("我的", "Mine"),
    "appeals": ("申诉", "Appeals"),
    # a panelist asks for the floor
    "floor_ask": ("申请提问", "Ask to speak"),
    "floor_follow_up": ("追问", "Follow-up"),
    **{k: v for k, v in words.ROUND.items() if k not in words.HEARING},
    "panel": ("测评", "Panel evaluation"),
    "public": ("网络评价", "Public feedback"),
    # audiences of a publication, as what a button does
    "to_internal": ("内部公布", "Release internally"),
    "to_hall": ("会场公布", "Release in the hall"),
    "to_public": ("向公众公布", "Publish to the public"),
    **{f"lease_{key}": pair for key, pair in words.LEASE.items()},
    # items
    "coming": ("未开始", "To come"),
    "current": ("进行中", "Now"),
    "skipped": ("跳过", "Skipped"),
    "item_done": ("已完成", "Done"),
    "rehearsal": ("演练", "Rehearsal"),
    # values
    "abstain": ("弃权", "Abstain"),
    "dont_know": ("不了解", "Don't know"),
    "void": ("废票", "Void"),
}


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def side(pair: tuple[str, str], lang: str) -> str:
    """The word of one language, of (Chinese, English)."""
    return pair[1] if lang == "en" else pair[0]


class Texts:
    """The words of one language, for templates (`texts.word("live")`)."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def word(self, key: str) -> str:
        """The fixed word for a hearing's state, a step, a phase."""
        return side(WORDS[key], self.lang)

    def act(self, event: str, act: str) -> str:
        """What was done to a question: an act of the desk, or the event."""
        return side(words.ACT[act], self.lang) if act in words.ACT else sentence(event, self.lang)

    def step(self, key: str) -> str:
        """A step of the agenda (`closing` there is the closing speech)."""
        return self.word("closing_step" if key == "closing" else key)

    def round(self, status: str) -> str:
        """A round's status."""
        return side(words.ROUND[status], self.lang)

    def question(self, status: str) -> str:
        """A question's status."""
        return side(words.QUESTION[status], self.lang)

    def item(self, status: str) -> str:
        """An agenda item's status (`done` there is over, not a phase)."""
        return self.word("item_done" if status == "done" else status)

    def role(self, key: str) -> str:
        """What a person is here."""
        return side(ROLES.get(key, (key, key)), self.lang)

    def fates(self) -> dict[str, str]:
        """What the author of a question is told it is: what the desk plans stays the desk's."""
        return {status: self.question(TOLD[status]) for status in STATES}

    def reasons(self) -> tuple[tuple[str, str], ...]:
        """(code, sentence) of every reason for which a question is refused."""
        return tuple((code, side(said, self.lang)) for code, said in REJECTION_REASONS.items())

    def sources(self) -> tuple[tuple[str, str], ...]:
        """(kind, word) of every source of questions, for a filter."""
        return tuple((kind, side(name, self.lang)) for kind, name in SOURCE_NAMES.items())

    def clock(self, at: int | None, *, seconds: bool = False) -> str:
        """A moment (ms since 1970) as a clock time in Beijing."""
        if at is None:
            return ""
        moment = datetime.fromtimestamp(at / 1000, BEIJING)
        return moment.strftime("%H:%M:%S" if seconds else "%H:%M")

    @staticmethod
    def spaced(digits: str) -> str:
        """Hex digits in groups of eight, to be compared by eye."""
        return " ".join(digits[i : i + 8] for i in range(0, len(digits), 8))

    def day(self, at: int) -> str:
        """A moment as a date."""
        return datetime.fromtimestamp(at / 1000, BEIJING).strftime("%Y-%m-%d")

    def moment(self, at: int, now: int) -> str:
        """A moment as a clock time, with its date when it lies on another day than `now`."""
        then, today = (datetime.fromtimestamp(ms / 1000, BEIJING) for ms in (at, now))
        if then.date() == today.date():
            return self.clock(at)
        if self.lang == "en":
            year = "" if then.year == today.year else f" {then.year}"
            return f"{then.day} {MONTHS[then.month - 1]}{year} {self.clock(at)}"
        year = "" if then.year == today.year else f"{then.year}年"
        return f"{year}{then.month}月{then.day}日 {self.clock(at)}"

    def minutes(self, seconds: int) -> str:
        """A length as m:ss."""
        return f"{seconds // 60}:{seconds % 60:02d}"

    def share(self, part: int, whole: int) -> str:
        """A whole percentage for a bar, rounded half up; an exact figure stands beside it."""
        return f"{(200 * part + whole) // (2 * whole)}%" if whole else "0%"
