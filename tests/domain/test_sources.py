"""Sources: their keys, what a connector must be told, and that a paused one takes nothing in."""

from __future__ import annotations

from typing import Any

import pytest

from server.domain.refusals import Refusal
from server.domain.sources import (
    OVERLAP_MS,
    SourceKey,
    check_source,
    checked_mapping,
    settled,
    unsecret,
    with_key,
)

MAIL: dict[str, Any] = {"host": "mail.example", "user": "mayor", "password": "geheim"}


def test_what_is_not_told_has_its_default_and_secrets_stand_apart() -> None:
    settings, secrets = settled("imap", MAIL)
    assert secrets == {"password": "geheim"}
    assert "password" not in settings
    assert (settings["port"], settings["tls"], settings["folder"]) == (993, "tls", "INBOX")
    changed, none = settled("imap", {"folder": "Letters"}, settings)
    assert changed == {**settings, "folder": "Letters"}
    assert none == {}


@pytest.mark.parametrize(
    ("connector", "told", "place"),
    [
        ("imap", {"host": "mail.example", "user": "mayor"}, "password"),
        ("imap", {**MAIL, "host": "mail example"}, "host"),
        ("imap", {**MAIL, "host": ""}, "host"),
        ("imap", {**MAIL, "port": 70_000}, "port"),
        ("imap", {**MAIL, "port": True}, "port"),
        ("imap", {**MAIL, "port": "993"}, "port"),
        ("imap", {**MAIL, "tls": "ssl3"}, "tls"),
        ("imap", {**MAIL, "every_s": 1}, "every_s"),
        ("imap", {**MAIL, "acknowledge": "yes"}, "acknowledge"),
        ("imap", {**MAIL, "acknowledge": True}, "smtp_host"),
        ("imap", {**MAIL, "user": "a\nb"}, "user"),
        ("open311_pull", {}, "url"),
        ("open311_pull", {"url": "ftp://city.example"}, "url"),
        ("open311_pull", {"url": "javascript:alert(1)"}, "url"),
        ("open311_pull", {"url": "https://city.example", "format": "yaml"}, "format"),
    ],
)
def test_a_wrong_setting_is_named(connector: str, told: dict[str, Any], place: str) -> None:
    with pytest.raises(Refusal) as refused:
        settled(connector, told)
    assert refused.value.code == "setting_wrong"
    assert refused.value.detail["place"] == place
    assert refused.value.message("zh") != refused.value.message("en")


def test_a_setting_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refusal, match="unknown_field"):
        settled("push", {"host": "x"})


@pytest.mark.parametrize(
    ("key", "name", "connector", "channel", "code"),
    [
        ("Hotline", "x", "push", "hotline", "source_unknown"),
        ("a b", "x", "push", "hotline", "source_unknown"),
        ("", "x", "push", "hotline", "source_unknown"),
        ("a" * 41, "x", "push", "hotline", "source_unknown"),
        ("a", "", "push", "hotline", "malformed"),
        ("a", "x" * 61, "push", "hotline", "text_too_long"),
        ("a", "x", "fax", "hotline", "malformed"),
        ("a", "x", "push", "live", "malformed"),
    ],
)
def test_a_wrong_source_is_refused(
    key: str, name: str, connector: str, channel: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check_source(key, name, connector, channel)
    assert refused.value.code == code


def test_the_key_before_the_newest_is_good_for_a_day_and_older_ones_end() -> None:
    first, second, third = (SourceKey(str(n), f"secret {n}", n) for n in range(3))
    keys = with_key(with_key((), first, 1_000), second, 2_000)
    assert [one.id for one in keys] == ["0", "1"]
    assert keys[0].good(2_000 + OVERLAP_MS - 1)
    assert not keys[0].good(2_000 + OVERLAP_MS)
    assert keys[1].good(10**15)
    again = with_key(keys, third, 3_000)
    assert [one.id for one in again] == ["1", "2"]
    assert [one.until for one in again] == [3_000 + OVERLAP_MS, 0]
    assert [one.id for one in with_key(again, first, 3_000 + OVERLAP_MS)] == ["2", "0"]


def test_a_key_is_printed_without_its_secret() -> None:
    assert "secret 1" not in repr(SourceKey("1", "secret 1", 0))


@pytest.mark.parametrize("meaning", ["x y", "<b>", "", "a" * 41])
def test_a_mapping_names_meanings_only(meaning: str) -> None:
    assert checked_mapping({" a ": "content", "b": None}, str.strip) == {"a": "content", "b": None}
    with pytest.raises(Refusal):
        checked_mapping({"a": meaning}, str.strip)


def test_no_hash_is_kept_of_a_password() -> None:
    assert unsecret({**MAIL, "api_key": "k"}) == {
        "host": "mail.example", "user": "mayor", "password": None, "api_key": None,
    }  # fmt: skip
