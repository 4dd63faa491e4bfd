"""The rule book in a hearing: presets, the counts of the hall, and what the result then says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from server.actions.cast_ballot import cast_ballot
from server.actions.check_in import note_presence
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.actions.void_round import void_round
from server.domain.refusals import Refusal
from server.domain.rule_file import parse_rules
from server.domain.rules import rules_hash
from server.shows.rule_presets import presets
from tests.house import Home
from web.pages.host import context as host_page

pytestmark = pytest.mark.anyio


async def made(home: Home, rules: Mapping[str, Any], *subjects: str) -> str:
    """A round that is ready; its id."""
    new = NewRound("测评", "panel", subjects=subjects or ("water",), rules=rules)
    return str((await create_round(home.house, home.person("host"), home.slug, new)).body["id"])


async def held(home: Home, round_id: str, sheets: list[dict[str, Any]]) -> Any:
    """The round opened, a ballot of each seat cast, closed and tallied."""
    host = home.person("host")
    await open_round(home.house, host, round_id)
    for index, marks in enumerate(sheets):
        seat, key = home.panelist(index), f"key-{index:05d}"
        await cast_ballot(home.house, seat, round_id, marks, (), key)
    await close_round(home.house, host, round_id)
    await home.settle()
    return next(r for r in (await home.view()).rounds if r.id == round_id)


async def test_a_verdict_counts_against_all_members_that_the_opening_found(lanxi: Home) -> None:
    round_id = await made(lanxi, presets()["zhenhai-verdict"].rules)
    draft = next(r for r in (await lanxi.view()).rounds if r.id == round_id)
    assert "groups" not in draft.rules
    assert "session" not in draft.rules
    await lanxi.go_live()
    round_id = await made(lanxi, presets()["zhenhai-verdict"].rules)
    round_ = await held(
        lanxi, round_id, [{"water": {"overall": "satisfied"}}, {"water": {"overall": "basic"}}]
    )
    assert round_.rules["session"] == {"members": 3}
    assert round_.rules_hash == rules_hash(parse_rules(dict(round_.rules)))
    assert round_.rules_hash != draft.rules_hash
    assert round_.result["rules_hash"] == round_.rules_hash
    # One of three is not half; two of three are.
    assert round_.result["subjects"][0]["grade"] == "basic"
    assert round_.result["subjects"][0]["total"] is None


async def test_a_quorum_of_the_hall(lanxi: Home) -> None:
    await lanxi.go_live()
    quorum = {"quorum": {"share": "1", "compare": ">=", "of": "due"}}
    round_id = await made(lanxi, {**presets()["trimmed-mean"].rules, "session": quorum})
    # Whoever has left is missing, and is there again when signed in by hand.
    host, slug = lanxi.person("host"), lanxi.slug

    async def told() -> Any:
        lines = host_page.rounds(await lanxi.view(), "zh").lines
        return next(line.quorum for line in lines if line.round.id == round_id)

    assert (await told()) == host_page.Quorum(3, 3, True)
    await note_presence(lanxi.house, host, slug, 2, present=False)
    assert (await told()) == host_page.Quorum(2, 3, False)
    await note_presence(lanxi.house, host, slug, 2, present=False)
    await note_presence(lanxi.house, host, slug, 2, present=True)
    noted = [e.body for e in await lanxi.entries() if e.body.get("by_hand")]
    assert [one["present"] for one in noted] == [False, True]
    with pytest.raises(Refusal) as caught:
        await note_presence(lanxi.house, host, slug, 99, present=True)
    assert caught.value.code == "not_found"
    round_ = await held(lanxi, round_id, [{"water": {"overall": "90"}}])
    assert round_.rules["session"] == {**quorum, "present": 3, "due": 3}
    assert round_.result["valid"] is True


@pytest.mark.parametrize("key", sorted(presets()))
async def test_every_preset_can_be_held(lanxi: Home, key: str) -> None:
    await lanxi.go_live()
    rules = presets()[key].rules
    round_id = await made(lanxi, rules, "water", "roads")
    round_ = next(r for r in (await lanxi.view()).rounds if r.id == round_id)
    labels = [one["key"] for one in rules["scale"].get("labels", ())]
    best, other = (labels[0], labels[-1]) if labels else ("18", "9")
    keys = [one["key"] for one in rules["dimensions"]]
    sheet = {"water": dict.fromkeys(keys, best), "roads": dict.fromkeys(keys, other)}
    round_ = await held(lanxi, round_id, [sheet, sheet, sheet])
    assert round_.status == "tallied", round_.tally_refused
    water, roads = round_.result["subjects"]
    assert (water["total"], water["grade"]) != (roads["total"], roads["grade"])


async def test_rules_that_contradict_themselves_make_no_round(lanxi: Home) -> None:
    groups = [{"key": "deputies", "weight": "0.6"}, {"key": "citizens", "weight": "0.3"}]
    with pytest.raises(Refusal) as caught:
        await made(lanxi, {**presets()["trimmed-mean"].rules, "groups": groups})
    assert caught.value.code == "rules_invalid"


async def test_a_ballot_that_breaks_a_rule_about_whole_ballots_is_told_which(lanxi: Home) -> None:
    await lanxi.go_live()
    quota = {"ballot": {"quota": [{"at_least": "90", "most": 1}]}}
    round_id = await made(lanxi, {**presets()["trimmed-mean"].rules, **quota}, "water", "roads")
    await open_round(lanxi.house, lanxi.person("host"), round_id)
    marks = {"water": {"overall": "95"}, "roads": {"overall": "91"}}
    with pytest.raises(Refusal) as caught:
        await cast_ballot(lanxi.house, lanxi.panelist(0), round_id, marks, (), "key-00001")
    assert caught.value.code == "ballot_invalid"
    assert "最多 1 名" in caught.value.message("zh")


async def test_a_round_held_again_counts_the_hall_anew(lanxi: Home) -> None:
    await lanxi.go_live()
    quorum = {"quorum": {"share": "1", "compare": ">=", "of": "due"}}
    given = {**presets()["trimmed-mean"].rules, "session": quorum}
    host, slug = lanxi.person("host"), lanxi.slug
    await note_presence(lanxi.house, host, slug, 2, present=False)
    first = await made(lanxi, given)
    ready = next(r for r in (await lanxi.view()).rounds if r.id == first)
    await open_round(lanxi.house, host, first)
    again = (await void_round(lanxi.house, host, first, "人数不足")).body["again"]
    rounds = {r.id: r for r in (await lanxi.view()).rounds}
    assert rounds[first].rules["session"] == {**quorum, "present": 2, "due": 3}
    assert (rounds[again].rules, rounds[again].rules_hash) == (ready.rules, ready.rules_hash)
    await note_presence(lanxi.house, host, slug, 2, present=True)
    lines = host_page.rounds(await lanxi.view(), "zh").lines
    assert next(line.quorum for line in lines if line.round.id == again) == host_page.Quorum(
        3, 3, True
    )
    await open_round(lanxi.house, host, again)
    opened = next(r for r in (await lanxi.view()).rounds if r.id == again)
    assert opened.rules["session"] == {**quorum, "present": 3, "due": 3}
