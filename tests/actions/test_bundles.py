"""A certified round has a bundle that the verifier accepts, under the root that the journal bears."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.actions.cast_ballot import cast_ballot
from server.actions.certify_round import certify_instead, certify_round
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.actions.publish_round import publish_round
from server.domain.refusals import Refusal
from server.domain.view import round_state
from tests.house import Home

pytestmark = pytest.mark.anyio


async def bundled(home: Home, id_: str) -> Any:
    """The round held, certified and bundled."""
    host = home.person("host")
    await open_round(home.house, host, id_)
    for index in range(3):
        marks = {"water": {"duty": str(6 + index), "law": "9"}}
        await cast_ballot(
            home.house, home.panelist(index), id_, marks, (), f"key-{id_}-{index:06d}"
        )
    await close_round(home.house, host, id_)
    await home.settle()
    await certify_round(home.house, host, id_)
    for _ in range(100):
        round_ = next(r for r in (await home.view()).rounds if r.id == id_)
        if round_.root:
            return round_
        await asyncio.sleep(0.05)
    raise AssertionError("no bundle was made")


async def checked(home: Home, round_: Any, folder: Path) -> None:
    """Both editions are accepted by the verifier, and only under this root."""
    from server.reports import verify

    async with home.building.store.look(round=round_.id) as unit:
        for edition in ("public", "sealed"):
            path = folder / f"{edition}.zip"
            path.write_bytes(await unit.bundles.edition(round_.id, edition) or b"")
            assert verify.main([str(path), "--root", round_.root]) == 0, edition
            other = "0" * 64
            assert verify.main([str(path), "--root", other]) == 1


@pytest.mark.parametrize("secrecy", ["named", "secret"])
async def test_both_editions_can_be_checked(lanxi: Home, tmp_path: Path, secrecy: str) -> None:
    await lanxi.go_live()
    panel = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    new = NewRound("测评", "panel", secrecy, subjects=("water",), rules=panel.rules)
    id_ = (await create_round(lanxi.house, lanxi.person("host"), lanxi.slug, new)).body["id"]
    round_ = await bundled(lanxi, id_)
    await checked(lanxi, round_, tmp_path)
    made = [entry for entry in await lanxi.entries() if entry.event == "bundle_made"]
    assert [entry.body["root"] for entry in made] == [round_.root]
    assert "root" not in round_state(round_)
    await publish_round(lanxi.house, lanxi.person("host"), id_, "public")
    published = next(r for r in (await lanxi.view()).rounds if r.id == id_)
    assert round_state(published)["root"] == round_.root


async def test_a_missing_signer_is_replaced_by_name_and_with_a_reason(lanxi: Home) -> None:
    await lanxi.go_live()
    host, house = lanxi.person("host"), lanxi.house
    panel = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(house, host, panel.id)
    marks = {"water": {"duty": "6", "law": "9"}}
    await cast_ballot(house, lanxi.panelist(0), panel.id, marks, (), "key-00000001")
    approver = lanxi.person("approver")
    for refused, code in (("teller", "round_step_illegal"),):
        with pytest.raises(Refusal) as caught:
            await certify_instead(house, approver, panel.id, refused, "突发疾病")
        assert caught.value.code == code
    await close_round(house, host, panel.id)
    await lanxi.settle()
    for who, missing, reason, code in (
        (approver, "teller", "突发疾病", "not_a_signer"),
        (approver, "host", " ", "malformed"),
        (approver, "host", "长" * 301, "text_too_long"),
        (lanxi.person("teller"), "host", "突发疾病", "not_allowed"),
    ):
        with pytest.raises(Refusal) as caught:
            await certify_instead(house, who, panel.id, missing, reason)
        assert caught.value.code == code
    done = await certify_instead(house, approver, panel.id, "host", "突发疾病")
    assert done.body["status"] == "certified"
    round_ = next(r for r in (await lanxi.view()).rounds if r.id == panel.id)
    assert round_.overrides["host"]["as"] == "approver"
    assert round_.overrides["host"]["reason"] == "突发疾病"
    (entry,) = [e for e in await lanxi.entries() if e.event == "round_certified"]
    assert entry.body["signed_as"] == "host"
    assert (entry.body["instead_as"], entry.body["reason"]) == ("approver", "突发疾病")
    assert entry.role == "approver"
