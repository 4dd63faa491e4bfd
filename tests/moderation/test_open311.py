"""Open311: the specification's own examples are read and written back; what is broken or hostile is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from moderation.intake.normal_form import IncomingItem
from moderation.intake.open311 import read_requests
from moderation.intake.open311_text import (
    Told,
    read_document,
    written_json,
    written_xml,
)
from moderation.intake.refusals import FileRefused, RowRefusal
from moderation.take_in import incoming
from tests.real_data import real_data

ROOTS = {
    "discovery": "discovery",
    "errors": "errors",
    "request-from-token": "service_requests",
    "service-definition": "service_definition",
    "service-list": "services",
    "service-request": "service_requests",
    "service-request-post": "service_requests",
    "service-requests": "service_requests",
}
"""The specification's examples, with their roots in XML."""
BROKEN = {
    "service-list": (3, 20),
    "service-request": (7, 20),
    "service-requests": (7, 20),
}
"""Those whose JSON is none: where a number begins with 0."""


@dataclass(frozen=True)
class Keys:
    """Seals as it is told to, and marks nothing."""

    seal: Callable[[Mapping[str, Any]], bytes]
    person: Callable[[str], str] = str
    mark: Callable[[str], str] = str


def example(name: str, form: str) -> bytes:
    return real_data("open311", f"{name}.{form}").read_bytes()


@pytest.mark.real_data
@pytest.mark.parametrize("name", ROOTS)
def test_the_examples_in_xml_are_read_and_written_back(name: str) -> None:
    told = read_document(example(name, "xml"), "xml")
    assert told
    assert read_document(written_xml(ROOTS[name], told), "xml") == told
    assert read_document(written_json(told), "json") == told


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(ROOTS.keys() - BROKEN.keys()))
def test_the_examples_in_json_say_what_those_in_xml_say(name: str) -> None:
    told = read_document(example(name, "json"), "json")
    assert told == read_document(example(name, "xml"), "xml")
    assert read_document(written_json(told), "json") == told
    assert read_document(written_xml(ROOTS[name], told), "xml") == told


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "place"), BROKEN.items())
def test_the_three_examples_that_are_no_json_are_refused_with_the_place(
    name: str, place: tuple[int, int]
) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(example(name, "json"))
    with pytest.raises(FileRefused) as caught:
        read_document(example(name, "json"), "json")
    error = caught.value
    assert error.code == "open311_leading_zero"
    assert (error.detail["line"], error.detail["column"]) == place
    assert f"第 {place[0]} 行第 {place[1]} 列的数字以 0 开头" in error.zh
    assert f"line {place[0]}, column {place[1]} begins with 0" in error.en


@pytest.mark.real_data
def test_the_examples_requests_become_items() -> None:
    found = read_requests(example("service-requests", "xml"), "xml")
    first, second = found.items
    assert isinstance(first, IncomingItem)
    assert isinstance(second, IncomingItem)
    assert (first.external_id, first.status, first.result) == (
        "638344",
        "closed",
        "Duplicate request.",
    )
    assert first.content == first.title == "Sidewalk and Curb Issues"
    west = timezone(timedelta(hours=-8))
    assert first.accepted_at == datetime(2010, 4, 14, 6, 37, 38, tzinfo=west)
    assert first.due_at == datetime(2010, 4, 15, 6, 37, 38, tzinfo=west)
    assert first.location == "8TH AVE and JUDAH ST, 94122, 545483, 37.762221815 -122.4651145"
    assert first.extra["service_code"] == "006"
    assert first.extra["media_url"].endswith("638344.jpg")
    assert second.status == "open"
    assert read_requests(example("service-request", "xml"), "xml").items[0] == first


def one(**told: object) -> bytes:
    return json.dumps([{"service_request_id": "7", "description": "路灯不亮", **told}]).encode()


def test_who_asked_and_where_he_lives_is_sealed() -> None:
    told = {
        "address": "东街8号3单元502室",
        "lat": 26.08,
        "long": 119.3,
        "last_name": "王",
        "first_name": "小明",
        "phone": "13912345678",
        "email": "wang@citizen.example",
        "account_id": "acc-77",
        "device_id": "dev-88",
        "description": "王小明家门口路灯不亮，电话13912345678",
    }
    sealed: dict[str, str] = {}
    (item,) = incoming(
        read_requests(one(**told), "json").items,
        Keys(lambda box: sealed.update(box) or b"box"),
        "private",
    )
    shown = repr((item.text, item.title, item.fields, item.tags))
    for secret in ("王小明", "13912345678", "东街8号", "26.08", "wang@", "acc-77", "dev-88"):
        assert secret not in shown
        assert any(secret in original for original in sealed.values())
    assert "路灯不亮" in item.text


def test_pictures_are_kept_as_links_and_nothing_else_is_one() -> None:
    good = ["https://city.example/7.jpg", "http://city.example/8.jpg?a=b#c"]
    bad = ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "//city.example/9.jpg",
           "https://", "https://mayor:geheim@city.example/", "http://[::1", "https://c.example/\u202e",
           "https://c.example/" + "x" * 2_000]  # fmt: skip
    for told in ({"media_url": " ".join(bad + good)}, {"media_urls": [*bad, *good, None, good[0]]}):
        (item,) = read_requests(one(**told), "json").items
        assert isinstance(item, IncomingItem)
        assert item.extra["media_url"].split() == good
        assert "media_urls" not in item.extra
    (none,) = read_requests(one(media_url=bad[0]), "json").items
    assert isinstance(none, IncomingItem)
    assert "media_url" not in none.extra
    (masked,) = incoming([item], Keys(lambda _: b"box"), "private")
    assert masked.fields["extra"]["media_url"].split() == good


def test_requests_that_lack_something_are_refused_alone() -> None:
    told = [
        {"service_request_id": 1, "description": "好"},
        {"description": "没有编号"},
        {"service_request_id": 2},
        {"service_request_id": 3, "description": "x", "requested_datetime": "yesterday"},
        {"service_request_id": 4, "description": "长" * 20_001},
        {"service_request_id": 1, "description": "好"},
        {"service_request_id": 1, "description": "另一件"},
        {"service_request_id": 12345678901234567890, "description": "一位不少"},
    ]
    found = read_requests(json.dumps(told).encode(), "json")
    said = [one.code if isinstance(one, RowRefusal) else one.external_id for one in found.items]
    assert said == [
        "row_repeated", "external_id_missing", "content_missing", "date_invalid", "content_too_long",
        "row_repeated", "1", "12345678901234567890",
    ]  # fmt: skip
    assert [one.column for one in found.refusals[3:5]] == ["requested_datetime", "description"]


def test_what_no_database_keeps_is_taken_out_of_names_and_values() -> None:
    odd = {
        "a\0b\u202e": "c\0d",
        "x" * 5_000: "y",
        "first_name": "小\0明",
        "lat": "1\0",
        "long": "2",
    }
    (item,) = read_requests(one(**odd, deep={"e": [1, {"f": None}]}), "json").items
    assert isinstance(item, IncomingItem)
    assert "\0" not in repr(item)
    assert item.extra["ab"] == "cd"
    assert max(map(len, item.extra)) <= 80
    (refused,) = read_requests(one(address="x" * 40_000), "json").refusals
    assert (refused.column, refused.code) == ("address", "cell_too_long")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>", "open311_not_json"),
        (b'[{"a":NaN}]', "open311_not_json"),
        (b'[{"a":-012}]', "open311_leading_zero"),
        (b'{"service_requests": []}', "open311_shape"),
        (b"[1]", "open311_shape"),
        (b"[" * 20 + b"]" * 20, "open311_too_deep"),
    ],
)
def test_what_is_no_answer_is_told(body: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read_requests(body, "json")
    assert caught.value.code == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb2312", "GBK", "gb18030"])
def test_chinese_xml_is_read_in_every_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><service_requests><request><service_request_id>1'
    text += "</service_request_id><description>路灯&lt;不亮&gt;</description></request></service_requests>"
    told = read_document(text.encode(encoding), "xml")
    assert told == [{"service_request_id": "1", "description": "路灯<不亮>"}]


def test_what_is_written_is_read_again_whatever_it_holds() -> None:
    told: Told = [{"description": 'a & b <c> "d" ]]> 路灯 😀', "status_notes": None}]
    assert read_document(written_xml("service_requests", told), "xml") == told
    assert read_document(
        written_xml("errors", [{"code": 403, "description": "x\0\x0b\ud800"}]), "xml"
    ) == [{"code": "403", "description": "x"}]
