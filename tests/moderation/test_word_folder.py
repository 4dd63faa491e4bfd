"""The operator's lists are read from their folder, again when they changed, and stand with questions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moderation.desk.word_folder import WordFolder
from server.actions.screen_questions import screen_questions
from server.domain.view import desk_question
from tests.house import Home

pytestmark = pytest.mark.anyio


async def flags(folder: WordFolder, text: str) -> tuple[str, ...]:
    return (await folder.flagger())(text)


async def test_lists_are_read_and_read_again_when_they_changed(tmp_path: Path) -> None:
    words = tmp_path / "words"
    folder = WordFolder(words)
    assert await flags(folder, "他们强拆了") == ()
    words.mkdir()
    (words / "politics.txt").write_text("强拆\n", encoding="utf-8")
    assert await flags(folder, "他们强拆了") == ("politics:强拆",)
    (words / "gbk.txt").write_bytes("血汗钱\n".encode("gb18030"))
    (words / "note.md").write_text("路灯\n", encoding="utf-8")
    assert await flags(folder, "路灯，强拆，血汗钱") == ("politics:强拆", "gbk:血汗钱")
    (words / "politics.txt").write_text("# 强拆\n", encoding="utf-8")
    assert await flags(folder, "强拆，血汗钱") == ("gbk:血汗钱",)
    (words / "gbk.txt").unlink()
    assert await flags(folder, "强拆，血汗钱") == ()


async def test_a_list_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff\xff\xff")
    os.symlink(tmp_path / "nowhere", tmp_path / "gone.txt")
    (tmp_path / "good.txt").write_text("强拆", encoding="utf-8")
    assert await flags(WordFolder(tmp_path), "他们强拆了") in ((), ("good:强拆",))
    (tmp_path / "gone.txt").unlink()
    assert await flags(WordFolder(tmp_path), "他们强拆了") == ("good:强拆",)


async def test_a_question_is_flagged_and_goes_on_as_any_other(lanxi: Home) -> None:
    words = lanxi.building.settings.data / "words"
    words.mkdir()
    (words / "insults.txt").write_text("王八蛋\n", encoding="utf-8")
    ids = {}
    for text in ("哪个王八蛋修的路，一下雨就积水？", "路灯不亮，请尽快维修。"):
        async with lanxi.building.store.act(slug=lanxi.slug) as unit:
            made = await unit.questions.add(
                code=lanxi.house.code(),
                status="received",
                text=text,
                source="live",
                created_at=lanxi.house.now(),
            )
            ids[made.id] = text
    await screen_questions(lanxi.house, lanxi.slug)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        kept = await unit.questions.by_ids(ids)
    assert {one.text: one.flags for one in kept.values()} == {
        text: ("insults:王八蛋",) if "王八蛋" in text else () for text in ids.values()
    }
    assert {one.status for one in kept.values()} == {"screened"}
    assert [desk_question(kept[id_])["flags"] for id_ in ids] == [["insults:王八蛋"], []]
