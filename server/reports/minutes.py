"""The minutes of a run: its journal, in its order, as a record that people can read. Pure.

Who spoke when, which questions were taken and when they were answered, which rounds were held and
what they found, as far as whoever asks for the minutes may see it. Times are those of the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from server.domain.explained import Lang, Sentence
from server.domain.hearing import Item
from server.domain.journal import Entry
from server.domain.questions import Question
from server.domain.rounds import Round
from server.domain.view import SOURCE_NAMES, HearingView
from server.reports.sheet import Sheet, sheet_of
from server.reports.tables import Table, summary
from server.reports.wording import clock, day, side, word

_WORDS: Mapping[str, Sentence] = {
    "before": ("会前", "Before the hearing"),
    "continued": ("{title}（续）", "{title} (continued)"),
    "results": ("测评与评价结果", "Results of the rounds"),
    "not_public": (
        "本轮结果未在本纪要的范围内公布。",
        "The result is not public to these minutes.",
    ),
    "held": (
        "{date}，{office}举行{hearing}。述法人 {subjects} 名；评议团应到 {due} 名，实到 {present} 名。",
        "{office} held “{hearing}” on {date}. Subjects: {subjects}. Panel: {due} due, {present} present.",
    ),
    "gathered": (
        "会议期间收到提问 {n} 件（{sources}），上台 {taken} 件，其中当场答复 {answered} 件。",
        "Questions received: {n} ({sources}); taken on stage: {taken}; answered there: {answered}.",
    ),
    "sources": ("{name} {n} 件", "{name}: {n}"),
    "present": ("出席（评议团）", "Present (panel)"),
    "absent": ("未到（评议团）", "Absent (panel)"),
    "subjects": ("述法人", "Subjects"),
    # what happened
    "live": ("会议开始。", "The hearing began."),
    "paused": ("会议暂停。", "The hearing paused."),
    "ended": ("会议结束。", "The hearing ended."),
    "certified": ("场次已确认。", "The hearing was certified."),
    "archived": ("场次已归档。", "The hearing was archived."),
    "check_in": ("签到开始。", "Check-in began."),
    "deputy": ("“{item}”更换发言人。", "Another person speaks in “{item}”."),
    "reordered": ("议程次序有调整。", "The order of the agenda was changed."),
    "cleared": ("公开画面切到垫片。", "Public screens showed the holding card."),
    "restored": ("公开画面恢复。", "Public screens were restored."),
    "notice_text": ("主持台提示发言席：{text}", "The console told the podium: {text}"),
    "notice_seen": ("发言席确认提示。", "The podium confirmed the message."),
    "question": ("提问（{who}）：{text}", "Question ({who}): {text}"),
    "no_text": ("（现场提问，没有文字记录）", "(asked in the hall, no text was kept)"),
    "answering": ("{at} 开始答复", "{at} answer began"),
    "follow_up": ("{at} 追问", "{at} follow-up"),
    "done": ("{at} 答复完毕", "{at} answer ended"),
    "answered": ("{at} 记为已答复", "{at} recorded as answered"),
    "deferred": ("{at} 撤下，留待答复", "{at} put back in the queue"),
    "withdrawn": ("{at} 撤下", "{at} withdrawn"),
    "reply": ("书面答复：{text}", "Reply in writing: {text}"),
    "round_opened": ("“{title}”开始。", "“{title}” opened."),
    "round_closed": ("“{title}”截止，已交 {n} 份。", "“{title}” closed: {n} ballots."),
    "round_tallied": ("“{title}”计票完成。", "“{title}” was tallied."),
    "tally_refused": ("“{title}”按计票规则不予计票。", "The rules refused to tally “{title}”."),
    "round_certified": ("“{title}”计票已确认。", "“{title}” was certified."),
    "round_voided": ("“{title}”作废。原因：{reason}", "“{title}” was voided. Reason: {reason}"),
    "result_published": ("“{title}”结果向公众公布。", "The result of “{title}” was published."),
    "result_released": (
        "“{title}”结果在会场公布。",
        "The result of “{title}” was released in the hall.",
    ),
    "result_internal": (
        "“{title}”结果内部公布。",
        "The result of “{title}” was released internally.",
    ),
    "result_contested": ("“{title}”结果进入复核。", "The result of “{title}” was contested."),
    "result_upheld": ("“{title}”结果经复核维持。", "The result of “{title}” was upheld."),
    "result_corrected": ("“{title}”结果已更正。", "The result of “{title}” was corrected."),
    # steps, as what somebody does
    "opening": ("开场", "opening"),
    "rules": ("宣布规则", "rules"),
    "film": ("短片", "film"),
    "statement": ("述法", "statement"),
    "questions": ("提问答复", "questions and answers"),
    "comment": ("点评", "comment"),
    "evaluation": ("测评", "evaluation"),
    "result": ("公布结果", "result"),
    "break": ("休息", "break"),
    "closing": ("总结", "closing"),
    "step": ("{step}。", "{step}."),
    "step_of": ("{who}{step}。", "{who}: {step}."),
    "to": ("{start} 至 {end}", "{start} to {end}"),
}
_SPOKEN = frozenset({"statement", "questions"})
"""Steps in which the subject (or the deputy) speaks."""
_ROUND_EVENTS = frozenset({
    "round_opened", "round_closed", "round_tallied", "tally_refused", "round_certified",
    "round_voided", "result_published", "result_released", "result_internal",
    "result_contested", "result_upheld", "result_corrected",
})  # fmt: skip


@dataclass(frozen=True)
class Heading:
    """A section of the minutes."""

    text: str


@dataclass(frozen=True)
class Line:
    """Something that happened: its time (or its span) and what."""

    at: str
    text: str


Block = Heading | Line | Table


@dataclass(frozen=True)
class Minutes:
    """The minutes as documents print them, in one language."""

    lang: Lang
    rehearsal: bool
    office: str
    hearing: str
    date: str
    intro: tuple[str, ...]
    blocks: tuple[Block, ...]
    attendance: tuple[tuple[str, str], ...]
    made_at: int


def minutes_of(
    view: HearingView,
    entries: Sequence[Entry],
    questions: Mapping[int, Question],
    notices: Mapping[int, str],
    seen: Collection[str],
    lang: Lang,
) -> Minutes:
    """The minutes of the run that `view` shows. `questions` are those that the journal names, by
    id, and so are the `notices` to the podium, whose texts no journal holds; `seen` are the rounds whose
    result the reader may see."""
    record = _Record(view, questions, notices, lang)
    for entry in entries:
        record.read(entry)
    sheets = [sheet_of(view, one, entries, lang) for one in view.rounds if one.id in seen]
    began = record.began or (entries[0].at if entries else None)
    return Minutes(
        lang=lang,
        rehearsal=view.rehearsal,
        office=view.office_name,
        hearing=view.hearing.title,
        date=day(began, lang),
        intro=_intro(view, record, day(began, lang), lang),
        blocks=(*record.blocks(), *_results(view.rounds, sheets, lang)),
        attendance=_attendance(view, lang),
        made_at=entries[-1].at if entries else 0,
    )


def questions_named(entries: Iterable[Entry]) -> frozenset[int]:
    """The ids of the questions that were taken on stage."""
    return frozenset(int(e.body["id"]) for e in entries if e.event == "question_taken")


def _say(key: str, lang: Lang, **values: object) -> str:
    text = side(_WORDS[key], lang)
    return text.format(**values) if values else text


# The journal, entry by entry --------------------------------------------------------------------


@dataclass
class _Open:
    """A line that later entries may still complete. `times` follow its text."""

    start: int
    text: str
    end: int | None = None
    times: list[str] = field(default_factory=list)
    after: str = ""

    def line(self, lang: Lang) -> Line:
        """The line as it stands now."""
        start = clock(self.start)
        end = clock(self.end)
        at = _say("to", lang, start=start, end=end) if end and end != start else start
        gap, stop = (", ", ".") if lang == "en" else ("，", "。")
        times = f" {gap.join(self.times)}{stop}" if self.times else ""
        return Line(at, f"{self.text}{times}{self.after}")


class _Record:
    """Reads entries one after the other and keeps sections of lines."""

    def __init__(
        self,
        view: HearingView,
        questions: Mapping[int, Question],
        notices: Mapping[int, str],
        lang: Lang,
    ) -> None:
        self.view, self.questions, self.notices, self.lang = view, questions, notices, lang
        self.sections: list[tuple[str, list[_Open]]] = []
        self.began: int | None = None
        self.taken: set[int] = set()
        self.answered: set[int] = set()
        self._item: str | None = None
        self._step: _Open | None = None
        self._asked: dict[int, _Open] = {}
        self._headed: set[str] = set()

    def blocks(self) -> Iterable[Block]:
        """What was read."""
        for heading, lines in self.sections:
            if lines:
                yield Heading(heading)
                yield from (one.line(self.lang) for one in lines)

    def read(self, entry: Entry) -> None:
        """One entry; events that say nothing to a reader of minutes are passed over."""
        if entry.event in _ROUND_EVENTS:
            self._round(entry)
            return
        match entry.event:
            case "hearing_changed":
                self._status(entry)
            case "position_changed":
                self._moved(entry)
            case "agenda_changed":
                self._agenda(entry)
            case "question_taken":
                self._question(entry)
            case "question_phase":
                self._time(entry, str(entry.body.get("phase")))
            case "question_answered" | "question_pulled":
                self._left(entry)
            case "screen_cleared":
                self._add(entry.at, _say("cleared", self.lang))
            case "screen_restored":
                self._add(entry.at, _say("restored", self.lang))
            case "notice":
                self._notice(entry)
            case "notice_seen":
                self._add(entry.at, _say("notice_seen", self.lang))

    def _add(self, at: int, text: str) -> _Open:
        if not self.sections:
            self.sections.append((_say("before", self.lang), []))
        line = _Open(at, text)
        self.sections[-1][1].append(line)
        return line

    def _end_step(self, at: int) -> None:
        if self._step is not None:
            self._step.end, self._step = at, None

    def _status(self, entry: Entry) -> None:
        status = str(entry.body.get("status"))
        if entry.body.get("next_run") or status not in _WORDS:
            return
        if status in {"paused", "ended"}:
            self._end_step(entry.at)
        if status == "live" and self.began is None:
            self.began = entry.at
        self._add(entry.at, _say(status, self.lang))

    def _moved(self, entry: Entry) -> None:
        self._end_step(entry.at)
        item = self.view.item(str(entry.body.get("item")))
        if item is None:
            return
        if item.id != self._item:
            again = item.id in self._headed
            title = _say("continued", self.lang, title=item.title) if again else item.title
            self.sections.append((title, []))
            self._headed.add(item.id)
            self._item = item.id
        self._step = self._add(entry.at, self._spoken(item, str(entry.body.get("step"))))

    def _spoken(self, item: Item, step: str) -> str:
        what = _say(step, self.lang) if step in _WORDS else step
        who = self.view.speaker(item) if step in _SPOKEN else ""
        if not who:
            return _say("step", self.lang, step=what[:1].upper() + what[1:])
        subject = self.view.subject(item.subject)
        gap, left, right = (", ", " (", ")") if self.lang == "en" else ("", "（", "）")
        if subject and not item.deputy:
            post = gap.join(part for part in (subject.unit, subject.post) if part)
            who = f"{who}{left}{post}{right}" if post else who
        return _say("step_of", self.lang, who=who, step=what)

    def _agenda(self, entry: Entry) -> None:
        item = self.view.item(entry.body.get("item"))
        if item is not None:
            self._add(entry.at, _say("deputy", self.lang, item=item.title))
        elif "order" in entry.body:
            self._add(entry.at, _say("reordered", self.lang))

    def _question(self, entry: Entry) -> None:
        id_ = int(entry.body["id"])
        question = self.questions.get(id_)
        stage = (entry.public or {}).get("stage") or {}
        text = (question.text if question else "") or str(stage.get("text") or "")
        source = SOURCE_NAMES.get(question.source) if question else None
        origin = side(source, self.lang) if source else str(stage.get("source") or "")
        asker = str(stage.get("asker") or "")
        if source and asker in source:  # The source itself stands as asker.
            asker = ""
        code = str(entry.body.get("code") or "")
        gap = ", " if self.lang == "en" else "，"
        who = gap.join(part for part in (asker, origin, code) if part)
        said = _say("question", self.lang, who=who, text=text or _say("no_text", self.lang))
        line = self._add(entry.at, said)
        if question and question.reply:
            line.after = " " + _say("reply", self.lang, text=question.reply)
        self._asked[id_] = line
        self.taken.add(id_)

    def _time(self, entry: Entry, what: str) -> None:
        line = self._asked.get(int(entry.body.get("id") or 0))
        if line is not None and what in _WORDS:
            line.times.append(_say(what, self.lang, at=clock(entry.at)))

    def _left(self, entry: Entry) -> None:
        outcome = str(entry.body.get("outcome"))
        self._time(entry, outcome)
        if outcome == "answered":
            self.answered.add(int(entry.body.get("id") or 0))

    def _notice(self, entry: Entry) -> None:
        text = self.notices[int(entry.body["id"])]
        self._add(entry.at, _say("notice_text", self.lang, text=text))

    def _round(self, entry: Entry) -> None:
        title = next((r.title for r in self.view.rounds if r.id == entry.body.get("round")), None)
        if title is None:
            return
        values = {"n": entry.body.get("cast", ""), "reason": entry.body.get("reason") or ""}
        self._add(entry.at, _say(entry.event, self.lang, title=title, **values))


# Around it --------------------------------------------------------------------------------------


def _intro(view: HearingView, record: _Record, date: str, lang: Lang) -> tuple[str, ...]:
    held = _say(
        "held",
        lang,
        date=date,
        office=view.office_name,
        hearing=view.hearing.title,
        subjects=len(view.subjects),
        due=len(view.seats),
        present=sum(seat.present for seat in view.seats),
    )
    counts = {source: n for source, n in view.source_counts.items() if n}
    if not counts:
        return (held,)
    gap = ", " if lang == "en" else "，"
    sources = gap.join(
        _say("sources", lang, name=side(SOURCE_NAMES.get(key, (key, key)), lang), n=n)
        for key, n in counts.items()
    )
    gathered = _say(
        "gathered",
        lang,
        n=sum(counts.values()),
        sources=sources,
        taken=len(record.taken),
        answered=len(record.answered),
    )
    return held, gathered


def _results(rounds: Sequence[Round], sheets: Sequence[Sheet], lang: Lang) -> Iterable[Block]:
    """One table for each round that has ended, in the show's order."""
    held = [one for one in rounds if one.after_closing]
    if not held:
        return
    known = {sheet.id: sheet for sheet in sheets}
    yield Heading(_say("results", lang))
    for one in held:
        sheet = known.get(one.id)
        turnout = word("turnout_public", lang, cast=one.cast)
        if one.audience == "panel":
            present = sum(seat.present for seat in one.entitled)
            turnout = word(
                "turnout_panel", lang, due=len(one.entitled), present=present, cast=one.cast
            )
        gap, stop = (": ", ". ") if lang == "en" else ("：", "。")
        notes = list(sheet.notes) if sheet else []
        if one.status == "voided" and not sheet:
            notes = [word("void_note", lang, reason=one.void_reason or "")]
        elif sheet is None or one.result is None:
            notes.append(_say("not_public", lang))
        yield Line("", f"{one.title}{gap}{turnout}{stop}{''.join(notes)}")
        if sheet is not None and one.result is not None:
            yield summary(sheet)


def _attendance(view: HearingView, lang: Lang) -> tuple[tuple[str, str], ...]:
    gap = ", " if lang == "en" else "、"
    left, right = (" (", ")") if lang == "en" else ("（", "）")
    subjects = gap.join(
        f"{s.name}{left}{s.unit}{right}" if s.unit else s.name for s in view.subjects
    )
    here = gap.join(seat.name for seat in view.seats if seat.present)
    away = gap.join(seat.name for seat in view.seats if not seat.present)
    found = ((_say("subjects", lang), subjects), (_say("present", lang), here),
             (_say("absent", lang), away))  # fmt: skip
    return tuple((name, text) for name, text in found if text)
