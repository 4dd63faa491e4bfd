"""A secret round from its opening to its result, on every store: what is kept, what is not, and when."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError

from server.actions import destroy_seal as destroying
from server.actions.cast_ballot import cast_ballot
from server.actions.certify_round import certify_round
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.actions.perform import _repeat
from server.actions.publish_round import publish_round
from server.actions.recover import SEAL_LOST
from server.actions.tally_round import ballots_csv
from server.actions.void_round import void_round
from server.domain.journal import canonical
from server.domain.merkle import root_of
from server.domain.refusals import Refusal
from server.domain.rule_file import parse_rules
from server.domain.sealed_sheets import pack
from server.store.rows import table
from server.store.tables import AnswerRow, SealedBallotRow, SecretMarkRow
from tests.house import Home, home
from tests.schema import database_with_schema
from tests.secrecy.secret_home import (
    SECRET_SHOW,
    cast,
    everything,
    marks,
    opened,
    refusal,
    secret_home,
    the_round,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lanxi(tmp_path: Path, servers: tuple[str, str]) -> AsyncIterator[Home]:
    async with secret_home(tmp_path / "data", *servers) as found:
        yield found


def seals(one: Home) -> list[Path]:
    """The files in the folder of seals."""
    folder = one.building.settings.data / "seals"
    return sorted(folder.iterdir()) if folder.exists() else []


async def closed(one: Home, id_: str) -> Any:
    """The round after its closing and all that follows by itself."""
    await close_round(one.house, one.person("host"), id_)
    await one.settle()
    for _ in range(100):
        if not seals(one):
            break
        await asyncio.sleep(0.01)
    return await the_round(one, id_)


async def csv_of(one: Home, id_: str) -> list[list[str]]:
    async with one.building.store.look(round=id_) as unit:
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        return [line.split(",") for line in (await ballots_csv(unit, round_)).splitlines()[1:]]


async def test_from_opening_to_publication(lanxi: Home) -> None:
    host, id_ = lanxi.person("host"), await opened(lanxi)
    (seal,) = seals(lanxi)
    assert seal.name == (await the_round(lanxi)).seal
    assert stat.S_IMODE(seal.stat().st_mode) == 0o600
    assert stat.S_IMODE(seal.parent.stat().st_mode) == 0o700
    for seat, duty in enumerate(("8", "6", "10")):
        await cast(lanxi, id_, seat, marks(duty))
    round_ = await closed(lanxi, id_)
    assert (round_.status, round_.cast, seals(lanxi)) == ("tallied", 3, [])
    rows = await csv_of(lanxi, id_)
    assert sorted((group, dimension, value) for _, _, group, dimension, value in rows) == [
        ("citizens", "duty", "10"), ("citizens", "law", "9"), ("deputies", "duty", "6"),
        ("deputies", "duty", "8"), ("deputies", "law", "9"), ("deputies", "law", "9"),
    ]  # fmt: skip
    # No rule of this round looks at two marks of one rater together, so no two have one name.
    assert len({row[1] for row in rows}) == 6
    assert round_.result["subjects"][0]["total"] == "17.20"
    await certify_round(lanxi.house, host, id_)
    await publish_round(lanxi.house, host, id_, "public")
    events = [e.event for e in await lanxi.entries() if e.body.get("round") == id_]
    assert events[:2] == ["round_opened", "round_closed"]
    assert set(events[2:4]) == {"seal_destroyed", "round_tallied"}
    assert events[4:] == ["round_certified", "result_published"]
    entry = next(e for e in await lanxi.entries() if e.event == "round_closed")
    async with lanxi.building.store.look(round=id_) as unit:
        receipts = [code.encode() for code in await unit.sealed.receipts(id_)]
    assert len(receipts) == 3
    assert entry.body["receipts_root"] == root_of(sorted(receipts)).hex()


async def test_while_it_is_open_the_database_has_boxes_of_one_size_and_no_value(
    lanxi: Home,
) -> None:
    id_ = await opened(lanxi)
    # The shortest sheet, the longest, and one that says nothing of anybody.
    await cast(lanxi, id_, 0, {"water": {"duty": "7"}})
    await cast(lanxi, id_, 1, {"water": {"duty": "dont_know", "law": "dont_know"}})
    await cast(lanxi, id_, 2, {}, away=["water"])
    rows = await everything(lanxi)
    boxes = [row[-1] for row in rows["sealed_ballots"]]
    assert len({len(box) for box in boxes}) == 1
    assert len(set(boxes)) == 3
    assert rows["ballots"] == rows["secret_marks"] == rows["vote_counts"] == []
    assert not [row for row in rows["journal"] if "dont_know" in str(row)]
    assert len(rows["turnout"]) == 3
    said = str({name: kept for name, kept in rows.items() if name != "rounds"})
    assert "dont_know" not in said
    assert "recused" not in said


async def test_what_is_kept_under_a_key_cannot_be_tried_out(lanxi: Home) -> None:
    id_ = await opened(lanxi)
    await cast(lanxi, id_, 0, marks("7"))
    body = {"marks": marks("7"), "recused": []}
    plain = hashlib.sha256(canonical(["cast_ballot", {"round": id_}, body])).hexdigest()

    async def kept() -> str:
        async with lanxi.building.database.read() as connection:
            (row,) = await connection.execute(
                select(table(AnswerRow).c.body_hash).where(
                    table(AnswerRow).c.key == "key-of-seat-000"
                )
            )
        return str(row.body_hash)

    assert (await kept()).startswith(f"sealed:{id_}:")
    assert len(await kept()) == len(f"sealed:{id_}:") + 64
    assert plain not in await kept()
    await closed(lanxi, id_)
    assert await kept() == f"sealed:{id_}:"


async def test_one_key_one_answer_while_it_is_open_and_after(lanxi: Home) -> None:
    id_ = await opened(lanxi)
    first = await cast(lanxi, id_, 0, marks("7"), "first-key")
    again = await cast(lanxi, id_, 0, marks("7"), "first-key")
    assert again["receipt"] == first["receipt"]
    assert await refusal(cast(lanxi, id_, 0, marks("8"), "first-key")) == "key_reused"
    second = await cast(lanxi, id_, 0, marks("3"), "second-key")
    assert second["replaced"] is True
    assert second["receipt"] != first["receipt"]
    # A late repeat of the older key gets its answer and does not undo the newer ballot.
    late = await cast(lanxi, id_, 0, marks("7"), "first-key")
    assert (late["receipt"], late["replaced"]) == (first["receipt"], False)
    round_ = await closed(lanxi, id_)
    assert round_.cast == 1
    assert sorted(row[4] for row in await csv_of(lanxi, id_)) == ["3", "9"]
    # What told one body from another is gone: whatever comes under the key gets its first answer.
    for sheet in (marks("7"), marks("1"), {"water": {"duty": "99"}}):
        assert (await cast(lanxi, id_, 0, sheet, "first-key"))["receipt"] == first["receipt"]
        assert (await cast(lanxi, id_, 0, sheet, "second-key"))["receipt"] == second["receipt"]
    assert await refusal(cast(lanxi, id_, 0, marks("7"), "other-key")) == "round_closed"
    # A key that was used here is used up for everything else.
    host = lanxi.person("host")
    again_id = (await void_round(lanxi.house, host, id_, "重来")).body["again"]
    await open_round(lanxi.house, host, again_id)
    assert await refusal(cast(lanxi, again_id, 0, marks("7"), "first-key")) == "key_reused"


async def test_a_repeat_that_meets_the_closing_gets_its_first_answer() -> None:
    """On PostgreSQL the MAC may be worked out while the round is open, and looked for when it is gone."""
    first = {"receipt": "R"}
    assert _repeat(("sealed:A:", 200, first), "sealed:A:11", 0).body == first
    assert _repeat(("sealed:A:11", 200, first), "sealed:A:11", 0).body == first
    for kept, sent in (("sealed:A:11", "sealed:A:12"), ("sealed:A:", "sealed:B:11")):
        with pytest.raises(Refusal):
            _repeat((kept, 200, first), sent, 0)


async def test_the_first_ballot_holds_where_the_round_says_so(
    tmp_path: Path, servers: tuple[str, str]
) -> None:
    show = SECRET_SHOW.replace("secrecy: secret", "secrecy: secret\n    replacing: first")
    async with secret_home(tmp_path / "data", *servers, show=show) as one:
        id_ = await opened(one)
        await cast(one, id_, 0, marks("7"), "first-key")
        assert await refusal(cast(one, id_, 0, marks("8"), "other-key")) == "already_cast"
        assert (await cast(one, id_, 0, marks("7"), "first-key"))["replaced"] is False
        await closed(one, id_)
        assert sorted(row[4] for row in await csv_of(one, id_)) == ["7", "9"]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("", 6),
        ("\n      ballot: {required: all}", 3),
        ("\n      floor: 1", 3),
        ("\n      trim: {high: 1, low: 1, from: 9, on: total}", 3),
        ("\n      ballot: {void_all_equal: true}", 3),
    ],
)
async def test_marks_stay_together_only_where_a_rule_needs_it(
    tmp_path: Path, more: str, names: int
) -> None:
    show = SECRET_SHOW.replace("      across: sum", f"      across: sum{more}")
    async with secret_home(tmp_path / "data", show=show) as one:
        id_ = await opened(one)
        for seat, duty in enumerate(("8", "6", "10")):
            await cast(one, id_, seat, marks(duty))
        assert (await closed(one, id_)).status == "tallied"
        assert len({row[1] for row in await csv_of(one, id_)}) == names


async def test_a_group_below_the_floor_cannot_be_opened(
    tmp_path: Path, servers: tuple[str, str]
) -> None:
    show = SECRET_SHOW.replace("      across: sum", "      across: sum\n      floor: 2")
    async with secret_home(tmp_path / "data", *servers, show=show) as one:
        id_ = (await the_round(one)).id
        with pytest.raises(Refusal) as refused:
            await open_round(one.house, one.person("host"), id_)
        assert refused.value.code == "group_below_floor"
        assert "群众代表" in refused.value.message("zh")
        assert "1" in refused.value.message("en")
        assert seals(one) == []  # A seal that closed nothing is not left behind.
        assert (await the_round(one)).status == "ready"


async def test_a_group_that_weighs_nothing_may_be_small(tmp_path: Path) -> None:
    show = SECRET_SHOW.replace("      across: sum", "      across: sum\n      floor: 2").replace(
        '"0.6"', '"1"'
    )
    async with secret_home(tmp_path / "data", show=show.replace('"0.4"', '"0"')) as one:
        await opened(one)


async def test_voiding_an_open_round_ends_its_ballots_unread(lanxi: Home) -> None:
    id_ = await opened(lanxi)
    await cast(lanxi, id_, 0, marks("7"))
    voided = await void_round(lanxi.house, lanxi.person("host"), id_, "名单有误")
    for _ in range(200):
        if not seals(lanxi):
            break
        await asyncio.sleep(0.01)
    assert seals(lanxi) == []
    rows = await everything(lanxi)
    assert rows["sealed_ballots"] == rows["secret_marks"] == []
    events = [e.event for e in await lanxi.entries() if e.body.get("round") == id_]
    assert events == ["round_opened", "round_voided", "seal_destroyed"]
    again = await the_round(lanxi, voided.body["again"])
    assert (again.status, again.seal, again.secrecy) == ("ready", None, "secret")


async def test_a_process_without_the_seal_takes_nothing_and_closes_nothing(lanxi: Home) -> None:
    host, id_ = lanxi.person("host"), await opened(lanxi)
    await cast(lanxi, id_, 0, marks("7"))
    (seal,) = seals(lanxi)
    away = seal.rename(seal.with_suffix(".away"))
    assert await refusal(cast(lanxi, id_, 1, marks("7"))) == "seal_missing"
    assert await refusal(close_round(lanxi.house, host, id_)) == "seal_missing"
    assert (await the_round(lanxi)).status == "open"
    away.rename(seal)
    await cast(lanxi, id_, 1, marks("7"))
    assert (await closed(lanxi, id_)).cast == 2


@pytest.mark.parametrize("harm", ["changed", "taken away", "another seat's", "made by another"])
async def test_boxes_that_were_touched_are_not_opened(lanxi: Home, harm: str) -> None:
    host, id_ = lanxi.person("host"), await opened(lanxi)
    for seat in (0, 1):
        await cast(lanxi, id_, seat, marks("7"))
    boxes = table(SealedBallotRow)
    at = boxes.c.seat_id == lanxi.seats[0].id
    async with lanxi.building.database.write() as connection:
        other = await connection.execute(
            select(boxes.c.box).where(boxes.c.seat_id == lanxi.seats[1].id)
        )
        round_ = await the_round(lanxi)
        rules = parse_rules(dict(round_.rules or {}))
        sheet = pack(rules, round_.subjects, marks("10"), ())
        forged = {
            "changed": bytes(200),
            "another seat's": other.scalar_one(),
            "made by another": lanxi.house.seals.box(round_.seal or "", sheet + b"0" * 64),
        }
        if harm == "taken away":
            await connection.execute(delete(boxes).where(at))
        else:
            await connection.execute(update(boxes).where(at).values(box=forged[harm]))
    assert await refusal(close_round(lanxi.house, host, id_)) == "seal_differs"
    assert (await the_round(lanxi)).status == "open"
    await void_round(lanxi.house, host, id_, "数据被改动")


async def test_marks_that_were_changed_after_the_closing_stop_publication(lanxi: Home) -> None:
    host, id_ = lanxi.person("host"), await opened(lanxi)
    for seat in range(3):
        await cast(lanxi, id_, seat, marks("7"))
    await closed(lanxi, id_)
    await certify_round(lanxi.house, host, id_)
    async with lanxi.building.database.write() as connection:
        await connection.execute(
            update(table(SecretMarkRow))
            .where(table(SecretMarkRow).c.dimension == "duty")
            .values(value="8")
        )
    with pytest.raises(Refusal) as refused:
        await publish_round(lanxi.house, host, id_, "internal")
    assert refused.value.code == "paths_differ"
    assert refused.value.detail["place"] == "water duty: 7.00 / 8"


async def test_it_closes_by_time(lanxi: Home) -> None:
    host, id_ = lanxi.person("host"), await opened(lanxi)
    await cast(lanxi, id_, 0, marks("7"))
    await close_round(lanxi.house, host, id_, 1)
    await cast(lanxi, id_, 1, marks("7"))
    for _ in range(300):
        await asyncio.sleep(0.01)
        if (await the_round(lanxi)).status == "tallied" and not seals(lanxi):
            break
    round_ = await the_round(lanxi)
    assert (round_.status, round_.cast, seals(lanxi)) == ("tallied", 2, [])


async def test_each_ballot_at_the_closing_instant_is_wholly_before_or_after(lanxi: Home) -> None:
    """Planted fault, tried by hand: a ballot that does not lock the round's row."""
    host, id_ = lanxi.person("host"), await opened(lanxi)
    sent = [
        cast(lanxi, id_, seat, marks(str(n)), f"key-{seat}-{n:05d}")
        for n in range(8)
        for seat in range(3)
    ]

    async def close_soon() -> None:
        await asyncio.sleep(0.01)
        await close_round(lanxi.house, host, id_)

    outcomes = await asyncio.gather(*sent, close_soon(), return_exceptions=True)
    codes = {one.code for one in outcomes if isinstance(one, Refusal)}
    assert codes <= {"round_closed"}
    taken = [one for one in outcomes if isinstance(one, dict)]
    round_ = await closed_already(lanxi, id_)
    rows = await everything(lanxi)
    # Every acknowledged receipt that was the seat's last stands in the turnout.
    assert {row[4] for row in rows["turnout"]} <= {one["receipt"] for one in taken}
    assert round_.cast == len(rows["turnout"])
    assert len(rows["secret_marks"]) == 2 * round_.cast
    assert rows["sealed_ballots"] == []


async def closed_already(one: Home, id_: str) -> Any:
    await one.settle()
    return await the_round(one, id_)


async def test_the_same_ballot_sent_twice_at_once_gets_one_answer(lanxi: Home) -> None:
    id_ = await opened(lanxi)
    answers = await asyncio.gather(*(cast(lanxi, id_, 0, marks("7"), "only-key") for _ in range(4)))
    assert len({one["receipt"] for one in answers}) == 1
    assert {one["replaced"] for one in answers} == {False}
    assert (await the_round(lanxi)).cast == 1


async def test_rows_lie_in_no_order_but_that_of_their_random_ids(lanxi: Home) -> None:
    """What a database keeps beside a row's columns: its place, its number, the transaction it came with."""
    id_ = await opened(lanxi)
    for seat in range(3):
        await cast(lanxi, id_, seat, marks("7"))
    await closed(lanxi, id_)
    async with lanxi.building.database.read() as connection:
        if lanxi.building.database.sqlite:
            ids = [row.id for row in await connection.execute(text("SELECT id FROM secret_marks"))]
            with pytest.raises(OperationalError, match="no such column: rowid"):
                await connection.execute(text("SELECT rowid FROM secret_marks"))
        else:
            rows = await connection.execute(
                text("SELECT id, xmin::text AS made FROM secret_marks ORDER BY ctid")
            )
            found = [(row.id, row.made) for row in rows]
            ids = [one for one, _ in found]
            assert len({made for _, made in found}) == 1
    assert len(ids) == 6
    assert ids == sorted(ids)


@pytest.mark.system
async def test_of_several_processes_the_one_with_the_seal_takes_and_closes(
    tmp_path: Path, postgresql_server: str, redis_url: str
) -> None:
    database = database_with_schema(postgresql_server, f"t{token_hex(6)}")
    async with secret_home(tmp_path / "a", database, redis_url) as one:
        for _ in range(100):  # It has the duties; the other one will have the seal.
            if one.building.duty.mine:
                break
            await asyncio.sleep(0.05)
        async with home(tmp_path / "b", database, redis_url, beside=one) as other:
            id_ = await opened(other)
            assert (seals(one), len(seals(other))) == ([], 1)
            assert await refusal(cast(one, id_, 0, marks("7"))) == "seal_missing"
            await cast(other, id_, 0, marks("7"))
            # A start beside living processes voids nothing.
            async with home(tmp_path / "c", database, redis_url, beside=one) as third:
                assert (await the_round(third)).status == "open"
            # By the clock it closes where the seal is, although another one keeps the time.
            await close_round(one.house, one.person("host"), id_, 1)
            for _ in range(400):
                await asyncio.sleep(0.01)
                if (await the_round(one)).status == "tallied" and not seals(other):
                    break
            assert ((await the_round(one)).status, seals(other)) == ("tallied", [])
            events = [e.event for e in await one.entries() if e.body.get("round") == id_]
            assert events.count("seal_destroyed") == events.count("round_closed") == 1


# ── crashes ──


class Crash(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["committing", "wiping", "writing down", "forgetting"])
async def test_a_crash_at_any_step_of_the_closing_is_made_good(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    async with secret_home(data) as one:
        id_ = await opened(one)
        first = await cast(one, id_, 0, marks("7"))
        before = await everything(one)

        def crash(*_: Any, **__: Any) -> Any:
            raise Crash

        with monkeypatch.context() as patch:
            if step == "committing":
                patch.setattr(type(one.house.seals), "holds", lambda *_: False)
                patch.setattr("server.store.unit.Unit.write_down", crash)
            elif step == "wiping":
                patch.setattr(type(one.house.seals), "wipe", crash)
            elif step == "writing down":
                patch.setattr(destroying, "_write_down", crash)
            else:
                patch.setattr(type(one.house.seals), "forget", crash)
            patch.setattr(one.building, "later", lambda work: work.close())
            patch.setattr(one.building.duty, "mine", False)
            for task in one.building.tasks:
                task.cancel()
            if step == "committing":
                with pytest.raises(Crash):
                    await close_round(one.house, one.person("host"), id_)
            else:
                await close_round(one.house, one.person("host"), id_)
                with pytest.raises(Crash):
                    await destroying.destroy_seal_of(one.house, id_)
        rows = await everything(one)
        if step == "committing":
            assert rows == before
        else:
            assert len(rows["secret_marks"]) == 2
            assert rows["sealed_ballots"] == []
        size = seals(one)[0].stat().st_size
        assert size == (64 if step in {"committing", "wiping"} else 0)
    async with home_again(data, one) as one:
        if step == "committing":
            assert (await the_round(one)).status == "open"
            await close_round(one.house, one.person("host"), id_)
        for _ in range(300):
            await asyncio.sleep(0.01)
            if (await the_round(one)).status == "tallied" and not seals(one):
                break
        assert seals(one) == []
        round_ = await the_round(one)
        assert (round_.status, round_.cast) == ("tallied", 1)
        events = [e.event for e in await one.entries() if e.body.get("round") == id_]
        assert sorted(events) == ["round_closed", "round_opened", "round_tallied", "seal_destroyed"]
        assert (await cast(one, id_, 0, marks("1")))["receipt"] == first["receipt"]


def home_again(data: Path, before: Home) -> Any:
    """The same data after a restart."""
    return home(data, beside=before)


async def test_a_restart_keeps_an_open_round_open(tmp_path: Path) -> None:
    async with secret_home(tmp_path / "data") as one:
        id_ = await opened(one)
        await cast(one, id_, 0, marks("7"))
    async with home_again(tmp_path / "data", one) as one:
        await cast(one, id_, 1, marks("7"))
        assert (await closed(one, id_)).cast == 2


async def test_a_start_without_the_seal_voids_the_round_and_says_why(tmp_path: Path) -> None:
    async with secret_home(tmp_path / "data") as one:
        id_ = await opened(one)
        await cast(one, id_, 0, marks("7"))
        for path in seals(one):
            path.unlink()
    async with home_again(tmp_path / "data", one) as one:
        round_ = await the_round(one, id_)
        assert (round_.status, round_.void_reason) == ("voided", SEAL_LOST)
        rows = await everything(one)
        assert rows["sealed_ballots"] == rows["secret_marks"] == []
        again = [r for r in (await one.view()).rounds if r.audience == "panel"][-1]
        assert (again.status, again.secrecy) == ("ready", "secret")


async def test_a_secret_round_needs_a_panel_no_more_than_others(lanxi: Home) -> None:
    rules = dict((await the_round(lanxi)).rules or {})
    new = NewRound("无记名测评", "panel", secrecy="secret", subjects=("water",), rules=rules)
    made = await create_round(lanxi.house, lanxi.person("host"), "lanxi", new)
    assert made.status == 201
    stranger = lanxi.panelist(0)
    assert (
        await refusal(cast_ballot(lanxi.house, stranger, made.body["id"], marks("1"), (), "k" * 8))
        == "round_not_open"
    )
