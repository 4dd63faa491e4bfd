"""State tables tried exhaustively: every pair that is not in a table is refused (laws 3 and 4)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from server.domain import hearing, questions, rounds
from server.domain.hearing import Hearing, Item, Position, Ref, Step
from server.domain.questions import Question
from server.domain.refusals import Refusal
from server.domain.rounds import Round


def a_question(status: str) -> Question:
    return Question(1, "CODE", status, "text", 3, "live", before_merge="approved")


def a_round(status: str, **more: Any) -> Round:
    return Round(
        "R", "title", "panel", "named", "last", ("s1",), status, 1, publishers=("host",), **more
    )


def a_hearing(status: str) -> Hearing:
    return Hearing(Ref(1, 1, 1), "slug", "title", status, 4, "real", "epoch")


@pytest.mark.parametrize(
    ("act", "status"), list(itertools.product(questions.NEXT, questions.STATES)), ids=str
)
def test_question_acts(act: str, status: str) -> None:
    before = a_question(status)
    if status in questions.NEXT[act]:
        after = questions.step(before, act)
        assert after.status == (questions.NEXT[act][status] or "approved")
        assert after.version == before.version + 1
    else:
        with pytest.raises(Refusal, match="question_step_illegal"):
            questions.step(before, act)
    assert before == a_question(status)


@pytest.mark.parametrize("act", [a for a, moves in questions.NEXT.items() if "rejected" in moves])
def test_what_takes_a_rejection_away_grants_its_appeal(act: str) -> None:
    appealed = replace(a_question("rejected"), appealed=True)
    after = questions.step(appealed, act)
    assert after.appeal_outcome == (None if act == "uphold" else "granted")
    assert appealed.appeal_waits
    assert after.appeal_waits == (act == "uphold")
    assert questions.step(a_question("rejected"), act).appeal_outcome is None


def test_an_appeal_is_answered_once() -> None:
    with pytest.raises(Refusal, match="appeal_missing"):
        questions.uphold(a_question("rejected"), None)
    upheld = questions.uphold(replace(a_question("rejected"), appealed=True), "请写明路段。")
    assert (upheld.status, upheld.appeal_outcome) == ("rejected", "upheld")
    assert not upheld.appeal_waits
    with pytest.raises(Refusal, match="appeal_answered"):
        questions.uphold(upheld, None)
    granted = questions.step(upheld, "unreject")
    assert (granted.appeal_outcome, granted.appeal_note) == ("granted", None)
    again = questions.step(granted, "reject")
    assert not again.appeal_waits
    with pytest.raises(Refusal, match="appeal_answered"):
        questions.uphold(again, None)


def test_question_states_are_all_reachable_and_known() -> None:
    reached = {s for moves in questions.NEXT.values() for s in moves.values() if s}
    assert reached | {"received"} == set(questions.STATES)
    assert {s for moves in questions.NEXT.values() for s in moves} <= set(questions.STATES)


@pytest.mark.parametrize(
    ("act", "status"), list(itertools.product(rounds.NEXT, rounds.STATES)), ids=str
)
def test_round_acts(act: str, status: str) -> None:
    if status in rounds.NEXT[act]:
        assert rounds.step(a_round(status), act).status == rounds.NEXT[act][status]
    else:
        with pytest.raises(Refusal, match="round_step_illegal"):
            rounds.step(a_round(status), act)


@pytest.mark.parametrize("status", rounds.STATES)
def test_ballots_are_taken_only_while_open_or_closing(status: str) -> None:
    refusal = rounds.refusal_of(a_round(status))
    assert (refusal is None) == (status in {"open", "closing"})


def test_certification_needs_every_signer_once() -> None:
    round_ = a_round("tallied", signers=("teller", "host"))
    signed, role = rounds.certify(round_, ["host"])
    assert (signed.status, role) == ("tallied", "host")
    with pytest.raises(Refusal, match="already_signed"):
        rounds.certify(signed, ["host"])
    with pytest.raises(Refusal, match="not_a_signer"):
        rounds.certify(signed, ["moderator"])
    done, role = rounds.certify(signed, ["teller"])
    assert (done.status, role) == ("certified", "teller")


def test_publication_names_its_audience() -> None:
    certified = a_round("certified")
    public = rounds.publish(certified, "public", ["host"])
    assert public.published_for("internal")
    assert public.published_for("hall")
    internal = rounds.publish(certified, "internal", ["host"])
    assert not internal.published_for("hall")
    wider = rounds.publish(internal, "hall", ["host"])
    assert wider.published_to == ("internal", "hall")
    with pytest.raises(Refusal, match="already_published"):
        rounds.publish(wider, "hall", ["host"])
    with pytest.raises(Refusal, match="not_a_publisher"):
        rounds.publish(certified, "public", ["moderator"])
    with pytest.raises(Refusal, match="round_step_illegal"):
        rounds.void(public, "reason")


HEARING_STATES = tuple(hearing.STATUS_NEXT)


@pytest.mark.parametrize(
    ("status", "wanted"), list(itertools.product(HEARING_STATES, HEARING_STATES)), ids=str
)
def test_hearing_statuses(status: str, wanted: str) -> None:
    if wanted in hearing.STATUS_NEXT[status]:
        assert hearing.change_status(a_hearing(status), wanted).version == 5
    else:
        with pytest.raises(Refusal, match="hearing_step_illegal"):
            hearing.change_status(a_hearing(status), wanted)


@pytest.mark.parametrize(
    ("now", "wanted"), list(itertools.product(questions.PHASES, questions.PHASES)), ids=str
)
def test_phases(now: str, wanted: str) -> None:
    if wanted == now or wanted in questions.PHASE_NEXT[now]:
        questions.check_phase(now, wanted)
    else:
        with pytest.raises(Refusal, match="phase_illegal"):
            questions.check_phase(now, wanted)


ITEMS = (
    Item("a", "A", None, (Step("opening", 60),)),
    Item("b", "B", "s1", (Step("statement", 300), Step("questions"))),
    Item("c", "C", None, (Step("closing", 60),)),
)


def test_next_and_back_walk_the_whole_show() -> None:
    items, at, walked = ITEMS, None, []
    while (step := hearing.following(items, at)) is not None:
        items, at = hearing.move(items, at, *step, 1000, running=True)
        walked.append(step)
    assert walked == [("a", "opening"), ("b", "statement"), ("b", "questions"), ("c", "closing")]
    back = []
    while (step := hearing.preceding(items, at)) is not None:
        items, at = hearing.move(items, at, *step, 1000, running=True)
        back.append(step)
    assert back == walked[-2::-1]


def test_jumping_ahead_skips_what_never_began() -> None:
    items, at = hearing.move(ITEMS, None, "c", "closing", 1000, running=True)
    assert [i.status for i in items] == ["skipped", "skipped", "current"]
    assert at.ends_at == 61_000


def test_only_what_is_to_come_is_reordered() -> None:
    items, _ = hearing.move(ITEMS, None, "a", "opening", 0, running=True)
    assert [i.id for i in hearing.reorder(items, ["c", "b"])] == ["a", "c", "b"]
    for wrong, code in (
        (["c"], "order_incomplete"),
        (["c", "b", "a"], "item_past"),
        (["c", "c"], "order_incomplete"),
    ):
        with pytest.raises(Refusal, match=code):
            hearing.reorder(items, wrong)


def test_pausing_and_resuming_keep_the_time_left_also_below_zero() -> None:
    at = Position("b", "statement", 2, 0, 5_000, None)
    for now in (1_000, 9_000):
        stopped = hearing.pause(at, now)
        assert stopped is not None
        assert stopped.remaining == 5_000 - now
        again = hearing.resume(stopped, 50_000)
        assert again is not None
        assert again.ends_at == 50_000 + 5_000 - now
        assert again.version == at.version


@pytest.mark.parametrize("kind", ["rehearsal", "real"])
def test_runs_begin_from_ready_or_after_a_rehearsal(kind: str) -> None:
    for run_kind, status in itertools.product(hearing.RUN_KINDS, HEARING_STATES):
        current = Hearing(Ref(1, 1, 1), "s", "t", status, 0, run_kind, "e")
        if run_kind == "rehearsal" or (run_kind == "preparation" and status == "ready"):
            hearing.check_run(current, kind)
        else:
            with pytest.raises(Refusal, match="run_illegal"):
                hearing.check_run(current, kind)


def test_a_show_may_allow_no_rehearsal() -> None:
    current = Hearing(Ref(1, 1, 1), "s", "t", "ready", 0, "preparation", "e")
    hearing.check_run(current, "real", rehearsals=False)
    with pytest.raises(Refusal, match="rehearsal_not_allowed"):
        hearing.check_run(current, "rehearsal", rehearsals=False)
