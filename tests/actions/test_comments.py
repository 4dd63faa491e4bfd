"""意见建议: kept apart from marks, unreadable before the closing, reviewed before anybody else reads them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text as sql

from server.actions.cast_ballot import cast_ballot
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.actions.review_comment import comments_to_review, review_comment
from server.actions.tally_round import ballots_csv
from server.domain.comments import LONGEST
from server.domain.refusals import Refusal
from server.reports.document import result_document
from server.reports.sheet import sheet_of
from server.reports.workbook import workbook
from tests.house import Home

pytestmark = pytest.mark.anyio
LOW, HIGH = {"duty": "2", "law": "3"}, {"duty": "8", "law": "9"}


async def opened(home: Home, secrecy: str, **more: Any) -> str:
    """A round about both officials, open; what may be written as `more` says."""
    view = await home.view()
    rules = next(r.rules for r in view.rounds if r.audience == "panel")
    new = NewRound(
        "测评",
        "panel",
        secrecy=secrecy,
        subjects=("water", "roads"),
        rules=rules,
        comments=True,
        reason_below="10",
    )
    new = replace(new, **more)
    made = await create_round(home.house, home.person("host"), home.slug, new)
    await open_round(home.house, home.person("host"), made.body["id"])
    return str(made.body["id"])


async def cast(home: Home, id_: str, seat: int, marks: Any, **texts: str) -> Any:
    """A ballot with what was written."""
    by = home.panelist(seat)
    key = f"key-of-seat-{seat}-{len(texts)}-{len(str(texts))}"
    return await cast_ballot(home.house, by, id_, marks, (), key, texts)


async def refused(work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await work
    return caught.value.code


async def texts_of(home: Home, id_: str, role: str = "scrutineer") -> Any:
    """What somebody reads of a round's texts."""
    async with home.building.store.look(round=id_) as unit:
        return await comments_to_review(unit, home.person(role), id_)


@pytest.mark.parametrize("secrecy", ["named", "secret"])
async def test_a_text_from_the_tablet_to_the_document(lanxi: Home, secrecy: str) -> None:
    home = lanxi
    await home.go_live()
    id_ = await opened(home, secrecy)
    assert await refused(cast(home, id_, 0, {"water": LOW})) == "reason_missing"
    await cast(
        home, id_, 0, {"water": LOW, "roads": HIGH}, water="水质通报\n不及时", roads="路修好了"
    )
    await cast(home, id_, 1, {"water": HIGH}, water="继续努力")
    await cast(
        home, id_, 1, {"water": HIGH}, water="  "
    )  # The last ballot holds, and it says nothing.
    await cast(home, id_, 2, {"roads": HIGH}, roads="桥头积水")
    assert await refused(texts_of(home, id_)) == "comments_sealed"
    await close_round(home.house, home.person("host"), id_)
    await home.settle()
    assert await refused(texts_of(home, id_, "teller")) == "not_allowed"
    found = await texts_of(home, id_)
    seats = {"路修好了": 1, "桥头积水": 3, "水质通报\n不及时": 1}
    assert {c.text: c.seat for c in found} == (
        seats if secrecy == "named" else dict.fromkeys(seats, None)
    )
    assert len({c.id for c in found}) == 3
    assert {c.status for c in found} == {"waiting"}

    async def sheet() -> Any:
        async with home.building.store.look(round=id_) as unit:
            view = await unit.view(home.house.now())
            round_ = next(r for r in view.rounds if r.id == id_)
            return sheet_of(view, round_, (), "zh", await unit.comments.all(id_))

    assert (await sheet()).comments == ()
    by = home.person("scrutineer")
    for one in found:
        outcome = "withheld" if one.text == "桥头积水" else "released"
        await review_comment(home.house, by, id_, one.id, outcome)
    released = await sheet()
    assert released.comments == (("敖知水", ("水质通报\n不及时",)), ("逄畅路", ("路修好了",)))
    for file, part in (
        (workbook(released), "xl/sharedStrings.xml"),
        (result_document(released), "word/document.xml"),
    ):
        with zipfile.ZipFile(io.BytesIO(file)) as opened_file:
            inside = opened_file.read(part).decode()
        assert "路修好了" in inside
        assert "桥头积水" not in inside
    async with home.building.store.look(round=id_) as unit:
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        ballots = await ballots_csv(unit, round_)
    assert not any(text.split("\n")[0] in ballots for text in seats)
    assert await refused(review_comment(home.house, by, id_, "none", "released")) == "not_found"
    host = home.person("host")
    assert (
        await refused(review_comment(home.house, host, id_, found[0].id, "released"))
        == "not_allowed"
    )
    told = str([e.body for e in await home.entries()])
    assert not any(text in told for text in seats)


async def test_a_secret_text_has_no_way_back_to_its_marks(lanxi: Home) -> None:
    home = lanxi
    await home.go_live()
    id_ = await opened(home, "secret")
    sizes = set()
    for seat, texts in enumerate(
        ({}, {"water": "短"}, {"water": "长" * LONGEST, "roads": '"' * 300})
    ):
        await cast(home, id_, seat, {"water": HIGH, "roads": HIGH}, **texts)
        async with home.building.store.look(round=id_) as unit:
            sizes |= {len(box) for box, _ in (await unit.sealed.boxes(id_)).values()}
    assert len(sizes) == 1  # A box does not say whether anything was written.
    await close_round(home.house, home.person("host"), id_)
    await home.settle()
    found = await texts_of(home, id_)
    async with home.building.database.read() as connection:
        marks = (await connection.execute(sql("SELECT id, rater FROM secret_marks"))).all()
        kept = (await connection.execute(sql("SELECT id, seat FROM comments"))).all()
    assert len(kept) == 3
    assert not {row.id for row in kept} & {x for row in marks for x in row}
    assert {row.seat for row in kept} == {None}
    assert len({c.id for c in found if c.subject == "water"}) == 2


async def test_what_is_not_taken(lanxi: Home) -> None:
    home = lanxi
    await home.go_live()
    plain = await opened(home, "named", comments=False, reason_below=None)
    assert await refused(cast(home, plain, 0, {"water": HIGH}, water="话")) == "comments_not_taken"
    id_ = await opened(home, "named", comments=False)
    assert await refused(cast(home, id_, 0, {"water": HIGH}, nobody="话")) == "subject_unknown"
    long = "话" * (LONGEST + 1)
    assert await refused(cast(home, id_, 0, {"water": LOW}, water=long)) == "text_too_long"
    # Only reasons are asked for: what else is written is not kept.
    await cast(home, id_, 0, {"water": LOW, "roads": HIGH}, water="理由", roads="闲话")
    await close_round(home.house, home.person("host"), id_)
    assert [c.text for c in await texts_of(home, id_)] == ["理由"]
    verdict = {
        "version": 1,
        "scale": {"kind": "labels", "labels": [{"key": "a"}, {"key": "b"}]},
        "dimensions": [{"key": "overall"}],
        "within": "rate",
        "positive": ["a"],
    }
    new = NewRound("测评", "panel", subjects=("water",), rules=verdict, reason_below="60")
    host = home.person("host")
    assert await refused(create_round(home.house, host, home.slug, new)) == "malformed"
