"""A hearing's sources on every store: what a run brought is told, a paused one takes nothing in."""

from __future__ import annotations

from typing import Any

import pytest

from server.actions import import_questions as import_module
from server.actions.import_questions import AT_ONCE, Source, import_questions
from server.actions.manage_sources import add_source, ask_now, change_source, new_key
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.sources import IntakeSource, keys_of
from tests.house import Home

pytestmark = pytest.mark.anyio


def items(*numbers: object, said: str = "路灯不亮") -> list[Incoming]:
    return [Incoming(f"N-{n}", f"{n} {said}", "", 0, {}, f"{n} {said}") for n in numbers]


async def source(lanxi: Home, key: str) -> IntakeSource:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        found = await unit.sources.get(key)
    assert found is not None
    return found


async def make(lanxi: Home, key: str, connector: str = "push", **told: Any) -> None:
    office = lanxi.person("office")
    await add_source(lanxi.house, office, lanxi.slug, key, key, connector, "hotline", told)


async def test_a_file_makes_its_source_which_tells_what_came(lanxi: Home) -> None:
    desk, here = (
        lanxi.person("moderator"),
        Source("mayor-mailbox", "a.csv", {"编号": "external_id"}),
    )
    many = range(AT_ONCE + 5)
    heard: list[tuple[int, int]] = []
    await import_questions(
        lanxi.house, desk, lanxi.slug, here, items(*many),
        progress=lambda done, of: heard.append((done, of)),
    )  # fmt: skip
    assert heard == [(1, 2), (2, 2)]
    counted = await import_questions(lanxi.house, desk, lanxi.slug, here, items(1, "new"))
    assert vars(counted) == {"new": 1, "updated": 0, "unchanged": 1}
    kept = await source(lanxi, here.key)
    assert (kept.name, kept.connector, kept.channel) == ("市长信箱", "file", "mailbox")
    assert kept.counts == {"new": 1, "updated": 0, "unchanged": 1}
    assert kept.totals == {"new": AT_ONCE + 6, "updated": 0, "unchanged": 1}
    assert kept.mapping == {"编号": "external_id"}
    assert kept.last_at


async def test_a_paused_source_takes_nothing_in_not_even_to_try(lanxi: Home) -> None:
    office, desk, here = lanxi.person("office"), lanxi.person("moderator"), Source("hotline-12345")
    await import_questions(lanxi.house, desk, lanxi.slug, here, items(1))
    version = (await source(lanxi, here.key)).version
    await change_source(lanxi.house, office, lanxi.slug, here.key, version, paused=True)
    for dry_run in (True, False):
        with pytest.raises(Refusal, match="source_paused"):
            await import_questions(lanxi.house, desk, lanxi.slug, here, items(2), dry_run=dry_run)
    await change_source(lanxi.house, office, lanxi.slug, here.key, version + 1, paused=False)
    assert (await import_questions(lanxi.house, desk, lanxi.slug, here, items(2))).new == 1


async def test_what_came_in_before_an_import_was_stopped_is_told_and_stands(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, here = (
        lanxi.person("moderator"),
        Source("hotline-12345", "a.csv", {"编号": "external_id"}),
    )
    pieces = 0

    def paused_meanwhile(source: IntakeSource | None) -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            raise Refusal("source_paused", name="热线")

    monkeypatch.setattr(import_module, "check_running", paused_meanwhile)
    monkeypatch.setattr(import_module, "AT_ONCE", 2)
    with pytest.raises(Refusal, match="import_stopped") as refused:
        await import_questions(lanxi.house, desk, lanxi.slug, here, items(*range(9)))
    told = refused.value
    assert (told.detail["new"], told.detail["done"], told.detail["of"]) == (4, 4, 9)
    assert told.detail["reason"] == "source_paused"
    assert "9 条中已处理 4 条" in told.message("zh")
    assert "已暂停" in told.message("zh")
    assert "4 of 9 items" in told.message("en")
    kept = await source(lanxi, here.key)
    assert kept.counts == {"new": 4, "updated": 0, "unchanged": 0}
    entries = [one for one in await lanxi.entries() if one.event == "questions_imported"]
    assert [one.body["new"] for one in entries] == [4]
    counted = await import_questions(lanxi.house, desk, lanxi.slug, here, items(*range(9)))
    assert vars(counted) == {"new": 5, "updated": 0, "unchanged": 4}


async def test_an_import_that_fails_is_no_less_told(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, here, done = lanxi.person("moderator"), Source("hotline-12345"), 0

    def fails(n: int, _: int) -> None:
        nonlocal done
        done = n
        if n == 2:
            raise OSError("disk")

    monkeypatch.setattr(import_module, "AT_ONCE", 2)
    with pytest.raises(OSError, match="disk"):
        await import_questions(
            lanxi.house, desk, lanxi.slug, here, items(*range(9)), progress=fails
        )
    assert done == 2
    assert (await source(lanxi, here.key)).counts["new"] == 4


async def test_two_changes_at_once_lose_none(lanxi: Home) -> None:
    office = lanxi.person("office")
    await make(lanxi, "pushed")
    await change_source(lanxi.house, office, lanxi.slug, "pushed", 1, name="推送")
    with pytest.raises(Refusal, match="version_stale") as refused:
        await change_source(lanxi.house, office, lanxi.slug, "pushed", 1, name="别名")
    assert refused.value.detail["current"]["name"] == "推送"
    with pytest.raises(Refusal, match="version_missing"):
        await change_source(lanxi.house, office, lanxi.slug, "pushed", None, name="别名")


async def test_keys_and_passwords_are_sealed_and_told_once(lanxi: Home) -> None:
    office = lanxi.person("office")
    await make(lanxi, "letters", "imap", host="mail.example", user="a", password="ein-Passwort")
    await make(lanxi, "pushed")
    first = (await new_key(lanxi.house, office, lanxi.slug, "pushed")).body["secret"]
    second = (await new_key(lanxi.house, office, lanxi.slug, "pushed")).body["secret"]
    assert first != second
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        boxes = {one.key: await unit.sources.box(one.id) for one in await unit.sources.all()}
        told = str(await unit.sources.all()) + str(await unit.journal.since(0, 10_000))
    assert [key.secret for key in keys_of(lanxi.house.unseal(boxes["pushed"] or b""))] == [
        first,
        second,
    ]
    assert lanxi.house.unseal(boxes["letters"] or b"") == {"password": "ein-Passwort"}
    for secret in (first, second, "ein-Passwort"):
        assert secret not in told
        assert all(secret.encode() not in (box or b"") for box in boxes.values())
    # Settings may change without the password being typed again.
    await change_source(lanxi.house, office, lanxi.slug, "letters", 1, told={"folder": "Letters"})
    kept = await source(lanxi, "letters")
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert lanxi.house.unseal(await unit.sources.box(kept.id) or b"") == {
            "password": "ein-Passwort"
        }
    assert kept.settings["folder"] == "Letters"


async def test_what_does_not_go_with_a_source_is_refused(lanxi: Home) -> None:
    office = lanxi.person("office")
    await make(lanxi, "pushed")
    await make(lanxi, "city", "open311_pull", url="https://city.example/v2")
    with pytest.raises(Refusal, match="source_taken"):
        await make(lanxi, "pushed")
    with pytest.raises(Refusal, match="source_keyless"):
        await new_key(lanxi.house, office, lanxi.slug, "city")
    with pytest.raises(Refusal, match="source_unasked"):
        await ask_now(lanxi.house, office, lanxi.slug, "pushed")
    with pytest.raises(Refusal, match="not_found"):
        await ask_now(lanxi.house, office, lanxi.slug, "nobody")
    with pytest.raises(Refusal, match="not_allowed"):
        await ask_now(lanxi.house, lanxi.person("moderator"), lanxi.slug, "city")


async def test_another_office_has_sources_of_its_own(lanxi: Home) -> None:
    """Two hearings may call a source alike, and outside systems still tell them apart."""
    await make(lanxi, "pushed")
    kept = await source(lanxi, "pushed")
    assert kept.address.startswith("pushed-")
    assert len(kept.address) > len("pushed-") + 6


async def test_what_is_kept_of_an_act_does_not_depend_on_its_password(lanxi: Home) -> None:
    """Sent again under its key with another password it is the same act: nothing of it was kept."""
    office, told = lanxi.person("office"), {"host": "mail.example", "user": "a"}
    for password in ("one", "another"):
        made = await add_source(
            lanxi.house, office, lanxi.slug, "letters", "Letters", "imap", "mailbox",
            {**told, "password": password}, "key-of-this-act",
        )  # fmt: skip
        assert made.status == 201
    with pytest.raises(Refusal, match="key_reused"):
        await add_source(
            lanxi.house, office, lanxi.slug, "letters", "Letters", "imap", "mailbox",
            {**told, "host": "other.example", "password": "one"}, "key-of-this-act",
        )  # fmt: skip
