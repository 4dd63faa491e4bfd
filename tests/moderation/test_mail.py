"""A letter in any of its forms is read as it was meant. Hostile ones are in `tests/contract/test_hostile.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.intake.acknowledgement import acknowledgement
from moderation.intake.cells import SHANGHAI
from moderation.intake.charsets import decoded
from moderation.intake.mail import (
    CUT,
    LETTER_REFUSALS,
    Letter,
    Refused,
    number_of,
    read_letter,
)
from moderation.intake.mailbox import modified_utf7
from moderation.screening.masking import mask_item
from server.domain.questions import TEXT_LONGEST
from tests.moderation.letters import FORMS, SUBJECTS, TITLE, letter, multipart, part
from tests.real_data import real_data


def read(raw: bytes, **how: object) -> Letter:
    found = read_letter(raw, **how)  # type: ignore[arg-type]
    assert isinstance(found, Letter), found
    return found


@pytest.mark.parametrize("name", FORMS)
def test_a_letter_in_any_form_says_what_it_says(name: str) -> None:
    raw, text = FORMS[name]
    item = read(raw).item
    assert item.content == text
    assert item.title == TITLE
    assert (item.requester_name, item.requester_phone) == ("王小明", "wang@citizen.example")
    assert item.accepted_at == datetime(2026, 11, 20, 8, tzinfo=SHANGHAI)
    masked, sealed = mask_item(item)
    told = repr(masked)
    assert "13912345678" not in told
    assert "wang@citizen" not in told
    assert sealed["requester_phone"] == "wang@citizen.example"


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_headline_in_any_form_says_what_it_says(name: str) -> None:
    assert read(letter(subject=SUBJECTS[name])).item.title == TITLE


@pytest.mark.parametrize(
    "head",
    [
        b'filename="=?gb2312?B?1dXGrA==?=.jpg"',
        b"filename*=gbk''%D5%D5%C6%AC.jpg",
        b"filename*0*=utf-8''%E7%85%A7; filename*1*=%E7%89%87.jpg",
        'filename="照片.jpg"'.encode("gbk"),
    ],
)
def test_attachments_are_told_by_name_and_not_read(head: bytes) -> None:
    more = b"Content-Disposition: attachment; " + head + b"\r\n"
    raw = multipart(part("见附件".encode()), part("坏".encode(), b"text/plain", more))
    item = read(raw).item
    assert (item.content, item.attachments) == ("见附件", "照片.jpg")


def test_the_receiving_servers_findings_are_told() -> None:
    more = b"Authentication-Results: mx.city.example;\r\n spf=fail smtp.mailfrom=x; dkim=none\r\n"
    found = read(letter(more=more))
    assert found.item.extra == {"邮件验证": "spf=fail dkim=none"}
    assert not found.answer_to


def test_a_letter_that_is_too_long_is_cut_and_says_so() -> None:
    item = read(letter(("字" * 30_000).encode())).item
    assert len(item.content) == TEXT_LONGEST
    assert item.content.endswith(CUT)


def test_a_letter_is_dated_as_it_says_but_not_after_it_came() -> None:
    came = datetime(2026, 11, 21, tzinfo=UTC)
    assert read(letter(), arrived=came).item.accepted_at == datetime(2026, 11, 20, tzinfo=UTC)
    for wrong in (b"Fri, 20 Nov 2066 08:00:00 +0800", b"never", b"", b"Fri, 99 Nov 2026 99:99"):
        raw = letter().replace(b"Fri, 20 Nov 2026 08:00:00 +0800", wrong)
        assert read(raw, arrived=came).item.accepted_at == came


def test_a_letter_keeps_its_number_wherever_it_lies_and_shares_it_with_no_other() -> None:
    assert number_of(letter()) == number_of(b"Received: by another server\r\n" + letter())
    assert number_of(letter()) != number_of(letter(b"another text under a stolen number"))
    assert number_of(letter(message_id=b"")) != number_of(letter(message_id=b"", subject=b"x"))
    assert "citizen" not in number_of(letter())


@pytest.mark.parametrize(
    "more",
    [
        b"Auto-Submitted: auto-generated\r\n",
        b"Precedence: bulk\r\n",
        b"Precedence: list\r\n",
        b"List-Id: <news.example>\r\n",
        b"List-Unsubscribe: <mailto:x@y.example>\r\n",
        b"Return-Path: <>\r\n",
        b"X-Auto-Response-Suppress: All\r\n",
        b"In-Reply-To: <0123456789abcdef.pingyi@city.example>\r\n",
        b"Authentication-Results: mx; dmarc=fail\r\n",
    ],
)
def test_no_machine_and_no_list_is_answered(more: bytes) -> None:
    assert not read(letter(more=more)).answer_to


@pytest.mark.parametrize(
    "sender",
    [
        b"<mayor@city.example>",
        b"MAILER-DAEMON@citizen.example",
        b"no-reply@shop.example",
        b"<>",
        b"Nobody",
        b"<a@b.example,c@d.example>",
        "<王@citizen.example>".encode(),
    ],
)
def test_no_address_that_is_none_of_a_person_is_answered(sender: bytes) -> None:
    assert not read(letter(sender=sender), own="Mayor@city.example").answer_to


def test_a_header_in_a_sender_reaches_nobody_else() -> None:
    for sender in (
        b"<wang@citizen.example\r\n Bcc: all@city.example>",
        b"wang@citizen.example\0,x",
    ):
        assert read(letter(sender=sender)).answer_to == "wang@citizen.example"


def test_a_person_may_be_answered() -> None:
    found = read(letter(more=b"Auto-Submitted: no\r\n"), own="mayor@city.example")
    assert (found.answer_to, found.message_id) == (
        "wang@citizen.example",
        "<1.letter@citizen.example>",
    )


def test_an_acknowledgement_tells_the_code_in_both_languages_and_that_a_machine_wrote_it() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    made = acknowledgement(
        "K7M2", "s3cret", "https://p.example/q/K7M2", "m@c.example", "w@c.example", "<1@x>", at
    )
    text = made.get_content()
    assert "查询码 K7M2" in text
    assert "Its code is K7M2" in text
    assert text.count("s3cret") == 2
    assert text.count("https://p.example/q/K7M2") == 2
    assert made["Auto-Submitted"] == "auto-replied"
    assert made["In-Reply-To"] == "<1@x>"
    assert not read_own(made.as_bytes())
    for wrong in ("w@c.example\r\nBcc: all@c.example", "w@c.example\nX: y"):
        with pytest.raises(ValueError, match=r"newline|linefeed|header"):
            acknowledgement("K7M2", "s", "", "m@c.example", wrong, "", at)


def read_own(raw: bytes) -> bool:
    """Whether our own acknowledgement, come back, would be taken for a letter."""
    return isinstance(read_letter(raw), Letter)


def test_every_reason_is_a_sentence_in_both_languages() -> None:
    for code, sentences in LETTER_REFUSALS.items():
        refused = Refused(code, "")
        assert (refused.zh, refused.en) == sentences
        assert all(len(one) > 4 for one in sentences)


@given(st.binary(max_size=2_000))
def test_whatever_comes_nothing_is_raised(noise: bytes) -> None:
    for raw in (
        noise,
        letter(noise),
        letter(subject=noise),
        letter(kind=noise),
        letter(more=noise),
    ):
        found = read_letter(raw)
        if isinstance(found, Letter):
            assert 0 < len(found.item.content) <= TEXT_LONGEST


@given(st.text(), st.sampled_from(["gb18030", "utf-8", "gbk", "", "nonsense", "utf-7", "hz"]))
def test_decoding_never_fails_and_keeps_what_is_rightly_labelled(text: str, label: str) -> None:
    data = text.encode("gb18030", "replace")
    assert isinstance(decoded(data, label), str)
    if label == "utf-8":
        utf8 = text.encode("utf-8", "replace")
        assert decoded(utf8, label) == utf8.decode()


def test_a_folder_may_have_a_chinese_name() -> None:
    assert modified_utf7("INBOX") == "INBOX"
    assert modified_utf7("信件&来信/Q") == "&T+FO9g-&-&Z2VP4Q-/Q"


def test_an_older_letter_is_not_taken_for_a_later_one() -> None:
    came = datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC)
    written = read(letter(), arrived=came + timedelta(hours=2)).item.accepted_at
    assert written is not None
    assert written < came


@pytest.mark.real_data
def test_real_letters_are_read() -> None:
    """Three from lists: GB18030 in two forms, GB2312 in eight bits, and UTF-8 that is called GB2312."""
    folder = real_data("mail-zh")
    for path in sorted(folder.glob("*.eml")):
        found = read(path.read_bytes())
        assert "\ufffd" not in found.item.content + found.item.title
        assert len(found.item.content) > 50
        assert found.item.accepted_at is not None
        is_list = b"\nPrecedence:" in path.read_bytes()
        assert bool(found.answer_to) != is_list
        masked, _ = mask_item(found.item)
        assert found.item.requester_phone not in repr(masked)
        assert "13600000001" not in repr(masked)
