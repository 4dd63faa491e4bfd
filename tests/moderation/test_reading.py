"""A file that is read by a process apart says the same, within bounds, and what is sealed is sealed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from moderation import reading
from moderation.intake.hotline_file import read_hotline_bytes
from moderation.intake.refusals import FileRefused
from moderation.reading import Head, read_apart
from moderation.take_in import incoming
from server.domain.incoming import Incoming, MaskedNames
from server.domain.journal import canonical
from tests.moderation import dirty_files
from tests.moderation.dirty_files import csv_bytes, xlsx_bytes


class Keys:
    """Seals that can be compared."""

    @staticmethod
    def seal(original: Any) -> bytes:
        return b"sealed:" + canonical(dict(original))

    @staticmethod
    def person(told: str) -> str:
        return "p." + told

    @staticmethod
    def mark(told: str) -> str:
        return "m." + told


def read(path: Path, **how: Any) -> tuple[Head, list[Incoming], list[int]]:
    found: list[Incoming] = []
    pieces: list[int] = []
    heads: list[Head] = []

    def take(piece: Sequence[Incoming]) -> None:
        assert heads
        pieces.append(len(piece))
        found.extend(piece)

    names = how.get("names", "private")
    known = how.get("known", {})
    head = read_apart(path, how.get("mapping"), known, Keys(), names, take, heads.append)
    assert heads == [head]
    return head, found, pieces


@pytest.mark.parametrize("data", [csv_bytes(), xlsx_bytes()], ids=["csv", "xlsx"])
def test_it_says_what_it_says_here(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "orders"
    path.write_bytes(data)
    head, found, _ = read(path)
    here = read_hotline_bytes(data)
    assert found == incoming(here.items, Keys(), "private")
    assert (head.rows, head.columns, head.mapping) == (here.rows, here.columns, here.mapping)
    assert (head.refusals, head.repeats) == (here.refusals, len(here.repeats))
    assert Head.of(head.told()) == head
    assert any(one.sealed for one in found)
    assert any(one.person for one in found)


def test_items_come_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_bytes(
        csv_bytes([("工单编号", "主要内容"), *((f"Q{n}", "路灯") for n in range(450))])
    )
    _, found, pieces = read(path)
    assert pieces == [200, 200, 50]
    assert [one.external_id for one in found] == [f"Q{n}" for n in range(450)]


def test_what_is_remembered_holds_for_the_columns_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_bytes(csv_bytes([("工单编号", "主要内容", "事由"), ("Q1", "路灯不亮", "甲")]))
    known = {"事由": "title", "不在": "tags"}
    assert read(path, known=known)[1][0].title == "甲"
    assert read(path, known=known, mapping={"事由": None})[1][0].title == ""


def test_a_refusal_comes_back_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_bytes(csv_bytes([("编号", "正文"), ("Q1", "x")]))
    with pytest.raises(FileRefused) as caught:
        read(path)
    assert caught.value.code == "content_column_missing"
    assert caught.value.detail["headers"] == ["编号", "正文"]
    assert "编号、正文" in caught.value.zh


def test_a_file_that_takes_too_much_ends_its_reader_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "orders"
    rows = ((f"Q{n}", "路灯不亮" * 100) for n in range(20_000))
    path.write_bytes(csv_bytes([("工单编号", "主要内容"), *rows]))
    monkeypatch.setattr(reading, "MEMORY", 60 << 20)
    with pytest.raises(FileRefused) as caught:
        read(path)
    assert caught.value.code == "workbook_too_heavy"
    path.write_bytes(csv_bytes(dirty_files.TABLE))
    monkeypatch.undo()
    assert read(path)[1]


@pytest.mark.parametrize("names", ["private", "all"])
def test_whose_names_are_masked_is_told_to_the_child(tmp_path: Path, names: MaskedNames) -> None:
    path = tmp_path / "orders"
    path.write_bytes("工单编号,诉求内容\nN-1,局长王建国说三天修好\n".encode())
    _, (item,), _ = read(path, names=names)
    assert ("王建国" in item.text) == (names == "private")


def test_what_is_remembered_tells_columns_that_nobody_else_knows(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_bytes(csv_bytes([("甲", "乙"), ("Q1", "路灯不亮")]))
    with pytest.raises(FileRefused):
        read(path)
    known = {"甲": "external_id", "乙": "content", "丙": "title"}
    head, (item,), _ = read(path, known=known)
    assert (item.external_id, item.text) == ("Q1", "路灯不亮")
    assert head.mapping == {"甲": "external_id", "乙": "content"}
    with pytest.raises(FileRefused):  # What a person chose stands, also where it is not enough.
        read(path, known=known, mapping={"甲": "external_id"})
