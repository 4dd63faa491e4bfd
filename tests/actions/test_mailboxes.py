"""Letters of a real mailbox become questions: each once, masked, whatever crashes, and none is in another's way."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from moderation.intake.mail import LETTER_LARGEST
from moderation.intake.mailbox import Lost, Mailbox
from server import letters as visits
from server.actions.appeal_question import appeal_question
from server.actions.change_status import change_status
from server.actions.manage_sources import add_source, ask_now, change_source
from server.actions.moderate_question import reject_question
from server.actions.take_letters import SENDER_MOST, take_letters
from server.domain.refusals import Refusal
from server.domain.sources import IntakeSource
from tests.house import Home, home
from tests.mail_services import MailServer, Outbox, outbox
from tests.moderation.letters import FORMS, HOSTILE, WORDS, letter, multipart, part, word
from tests.real_data import real_data
from tests.running import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.system]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Home]:
    """The small hearing on SQLite; what differs between stores is tried with `lanxi`."""
    async with home(tmp_path / "data") as found:
        yield found


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A mailbox of the test's own."""
    return f"u{abs(hash(request.node.nodeid)) % 10**9}"


@pytest.fixture
def post(mail_server: MailServer) -> Iterator[Outbox]:
    with outbox(mail_server.here) as found:
        yield found


async def make(at: Home, key: str, **told: Any) -> None:
    office = at.person("office")
    await add_source(at.house, office, at.slug, key, key, "imap", "mailbox", told)


async def source(at: Home, key: str = "letters") -> IntakeSource:
    async with at.building.store.look(slug=at.slug) as unit:
        found = await unit.sources.get(key)
    assert found is not None
    return found


async def change(at: Home, key: str = "letters", **what: Any) -> None:
    version = (await source(at, key)).version
    await change_source(at.house, at.person("office"), at.slug, key, version, **what)


async def until(at: Home, holds: Callable[[IntakeSource], object], key: str = "letters") -> None:
    for _ in range(300):
        if holds(await source(at, key)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(await source(at, key))


async def rows(at: Home, sql: str) -> list[Any]:
    async with at.building.database.read() as connection:
        return list(await connection.execute(text(sql)))


async def questions(at: Home, key: str = "letters") -> list[Any]:
    return await rows(
        at,
        "select q.id, q.text, q.title, q.code, q.status, q.fields, q.external_id, s.box from questions q "
        f"left join sealed_originals s on s.question_id = q.id where q.source_key = '{key}' "
        "order by q.id",
    )


def came(n: int) -> Callable[[IntakeSource], bool]:
    return lambda one: one.totals.get("new") == n and not one.error


async def test_letters_in_all_forms_come_in_masked_with_their_originals_sealed(
    lanxi: Home, mail_server: MailServer, user: str
) -> None:
    forms = [
        raw.replace(b"<1.letter", b"<%d.letter" % n, 1)
        for n, (raw, _) in enumerate(FORMS.values(), 1)
    ]
    poison = HOSTILE["a thousand parts"][0]
    mail_server.put(user, *forms[:3], poison, *forms[3:])
    await make(lanxi, "letters", **mail_server.settings(user))
    await until(lanxi, came(len(forms)))
    found = await questions(lanxi)
    assert len(found) == len(forms)
    for row, (_, said) in zip(found, FORMS.values(), strict=True):
        assert "13912345678" not in str(row[:-1])
        assert "wang@citizen" not in str(row[:-1])
        assert row.text[:6] == said[:6]
        sealed = lanxi.house.unseal(row.box)
        assert sealed["requester_phone"] == "wang@citizen.example"
        original = zlib.decompress(base64.b64decode(sealed["letter"]))
        assert original.replace(b"\r", b"") in [raw.replace(b"\r", b"") for raw in forms]
    kept = await source(lanxi)
    assert kept.counts["quarantined"] == kept.totals["quarantined"] == 1
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        count, ((_, reason, at),) = await unit.sources.held_back(kept.id)
    assert (count, reason) == (1, "letter_parts")
    assert at
    with mail_server.owner(user) as owner:  # nothing was marked or deleted
        owner.select("INBOX", readonly=True)
        assert len(owner.search(None, "UNSEEN")[1][0].split()) == len(forms) + 1


async def test_a_letter_is_there_within_two_seconds(
    lanxi: Home, mail_server: MailServer, user: str
) -> None:
    await make(lanxi, "letters", **mail_server.settings(user, every_s=3_600))
    await until(lanxi, lambda one: one.last_at)
    for n in range(3):
        mail_server.put(user, letter(message_id=b"<%d@x>" % n))
        begun = time.monotonic()
        await until(lanxi, came(n + 1))
        assert time.monotonic() - begun < 2


async def test_the_same_letters_under_other_numbers_change_nothing(
    lanxi: Home, mail_server: MailServer, user: str
) -> None:
    sent = [letter(message_id=b"<%d@x>" % n) for n in range(3)]
    mail_server.put(user, *sent, letter(message_id=b""), sent[0], HOSTILE["a bounce"][0])
    await make(lanxi, "letters", **mail_server.settings(user))
    await until(lanxi, came(4))
    before = (await source(lanxi)).state
    await change(lanxi, paused=True)
    await asyncio.sleep(1.1)  # Dovecot takes the time in seconds for a new UIDVALIDITY
    mail_server.renumber(user)
    mail_server.put(user, letter(message_id=b"<new@x>"))
    await change(lanxi, paused=False)
    await until(lanxi, came(5))
    after = await source(lanxi)
    assert after.state["uidvalidity"] != before["uidvalidity"]
    assert len(await questions(lanxi)) == 5
    assert after.totals["quarantined"] == 1
    # Whoever moves the letters to another folder gets none twice either.
    with mail_server.owner(user) as owner:
        owner.create("Moved")
        owner.select("INBOX")
        owner.copy("1:*", "Moved")
    mail_server.put(user, letter(message_id=b"<moved@x>"), folder="Moved")
    await change(lanxi, told={"folder": "Moved"})
    await until(lanxi, came(6))
    assert len(await questions(lanxi)) == 6


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_between_fetch_and_commit_loses_and_doubles_none(
    lanxi: Home, mail_server: MailServer, user: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = []

    async def crash(*args: Any) -> Any:
        if not crashed:
            if when == "after":
                await take_letters(*args)
            crashed.append(True)
            raise ConnectionError
        return await take_letters(*args)

    monkeypatch.setattr(visits, "take_letters", crash)
    mail_server.put(user, *[letter(message_id=b"<%d@x>" % n) for n in range(4)])
    await make(lanxi, "letters", **mail_server.settings(user))
    await until(lanxi, lambda one: one.error == "source_failed")
    office = lanxi.person("office")
    await ask_now(lanxi.house, office, lanxi.slug, "letters")
    await until(lanxi, came(4))
    assert len(await questions(lanxi)) == 4
    assert crashed


async def test_a_mailbox_that_tells_nothing_is_asked_when_its_time_has_come(
    here: Home, mail_server: MailServer, user: str
) -> None:
    await make(here, "letters", **mail_server.settings(user, host="127.0.0.2", every_s=3_600))
    await until(here, lambda one: one.last_at)
    mail_server.put(user, letter())
    await asyncio.sleep(1)
    assert not (await source(here)).totals.get("new")
    await ask_now(here.house, here.person("office"), here.slug, "letters")
    await until(here, came(1))


async def test_a_letter_that_is_too_large_is_left_where_it_is(
    here: Home, mail_server: MailServer, user: str
) -> None:
    large = multipart(part(WORDS.encode()), part(b"x" * 78 * 10, b"application/zip"))
    large += b"A" * 76 * (LETTER_LARGEST // 76)
    mail_server.put(user, large, letter())
    await make(here, "letters", **mail_server.settings(user))
    await until(here, came(1))
    kept = await source(here)
    assert kept.totals["quarantined"] == 1
    ((reason, box),) = await rows(here, "select reason, box from quarantine")
    told = here.house.unseal(box)
    assert reason == "letter_large"
    assert told["bytes"] == len(large)
    assert len(zlib.decompress(base64.b64decode(told["beginning"]))) == 64 * 1024


async def test_a_letter_at_which_the_connection_is_lost_keeps_no_other_back(
    here: Home, mail_server: MailServer, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Mailbox.fetch

    def breaks(self: Mailbox, uid: int, *, head: bool = False) -> Any:
        if uid == 2:
            self.drop()
            raise Lost
        return fetch(self, uid, head=head)

    monkeypatch.setattr(Mailbox, "fetch", breaks)
    mail_server.put(user, *[letter(message_id=b"<%d@x>" % n) for n in range(3)])
    await make(here, "letters", **mail_server.settings(user))
    await until(here, came(2))
    assert [one.reason for one in await rows(here, "select reason from quarantine")] == [
        "letter_unfetched"
    ]


async def test_hostile_letters_keep_no_good_one_back(
    here: Home, mail_server: MailServer, user: str
) -> None:
    """Each becomes a question or is kept apart with its reason, and the next one comes in."""
    hostile = [
        (raw.replace(b"<1.letter", b"<%d.letter" % n, 1), becomes)
        for n, (raw, becomes) in enumerate(HOSTILE.values())
        if 0 < len(raw) < 1_000_000
    ]
    good = [letter(message_id=b"<good%d@x>" % n) for n in range(len(hostile))]
    pairs = zip(hostile, good, strict=True)
    mail_server.deliver(user, *[raw for (bad, _), well in pairs for raw in (bad, well)])
    await make(here, "letters", **mail_server.settings(user))
    read = sum(becomes == "read" for _, becomes in hostile)
    await until(here, came(len(good) + read))
    reasons = [one.reason for one in await rows(here, "select reason from quarantine")]
    assert sorted(reasons) == sorted(becomes for _, becomes in hostile if becomes != "read")
    assert len(hostile) > 20


async def test_a_connection_that_is_cut_is_made_again(
    here: Home, mail_server: MailServer, user: str
) -> None:
    await make(here, "letters", **mail_server.settings(user))
    await until(here, lambda one: one.last_at)
    await asyncio.sleep(0.2)
    mail_server.cut(user)
    await until(here, lambda one: one.error == "mailbox_unreachable")
    mail_server.put(user, letter())
    await ask_now(here.house, here.person("office"), here.slug, "letters")
    await until(here, came(1))


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"password": "wrong"}, "mailbox_login"),
        ({"folder": "Nowhere"}, "mailbox_folder"),
        ({"tls": "tls"}, "mailbox_tls"),
        ({"tls": "starttls"}, "mailbox_tls"),
        ({"port": 1}, "mailbox_unreachable"),
        ({"host": "no.such.host.invalid"}, "mailbox_unreachable"),
    ],
)
async def test_what_is_wrong_with_a_mailbox_is_told_and_mended_by_a_change(
    here: Home, mail_server: MailServer, user: str, told: dict[str, Any], code: str
) -> None:
    mail_server.put(user, letter())
    right = mail_server.settings(user)
    await make(here, "letters", **{**right, **told})
    await until(here, lambda one: one.error == code)
    await change(here, told={**right, "folder": "INBOX"})
    await until(here, came(1))


@pytest.mark.parametrize("how", ["tls", "starttls"])
async def test_letters_come_over_tls_from_a_server_whose_authority_is_trusted(
    here: Home, mail_server: MailServer, user: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", mail_server.authority)
    port = mail_server.tls if how == "tls" else mail_server.plain
    await make(here, "letters", **mail_server.settings(user, tls=how, port=port, every_s=3_600))
    await until(here, lambda one: one.last_at)
    mail_server.put(user, letter())
    begun = time.monotonic()
    await until(here, came(1))
    assert time.monotonic() - begun < 2


async def test_a_paused_mailbox_is_left_alone_until_it_goes_on(
    here: Home, mail_server: MailServer, user: str
) -> None:
    await make(here, "letters", **mail_server.settings(user))
    await until(here, lambda one: one.last_at)
    await change(here, paused=True)
    await asyncio.sleep(0.7)

    def visited() -> int:
        return (mail_server.here / "log").read_text().count(f"Login: user=<{user}>")

    before = visited()
    mail_server.put(user, letter())
    await asyncio.sleep(1)
    assert visited() == before + 1  # whoever put the letter there
    assert not await questions(here)
    await change(here, paused=False)
    await until(here, came(1))


async def test_one_mailbox_in_trouble_holds_up_no_other(
    here: Home, mail_server: MailServer, user: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for n in range(5):
            told = mail_server.settings(user, port=silent.getsockname()[1])
            await make(here, f"silent-{n}", **told)
        mail_server.put(user, letter())
        begun = time.monotonic()
        await make(here, "letters", **mail_server.settings(user))
        await until(here, came(1))
        assert time.monotonic() - begun < 3


# ── Acknowledgements ──


def answering(server: MailServer, user: str, box: Outbox, **other: Any) -> dict[str, Any]:
    told = {"acknowledge": True, "smtp_host": "127.0.0.1", "smtp_port": box.port,
            "smtp_tls": "none", "from": "mayor@city.example", **other}  # fmt: skip
    return server.settings(user, **told)


async def test_a_sender_is_told_the_code_once_and_no_list_is(
    lanxi: Home, mail_server: MailServer, user: str, post: Outbox
) -> None:
    mail_server.put(
        user, letter(), letter(message_id=b"<2@x>", more=b"Precedence: bulk\r\n"), letter()
    )
    await make(lanxi, "letters", **answering(mail_server, user, post))
    await until(lanxi, lambda one: came(2)(one) and not one.state["waiting"])
    wait_until(lambda: post.letters)
    office = lanxi.person("office")
    await ask_now(lanxi.house, office, lanxi.slug, "letters")
    await asyncio.sleep(1)
    (answer,) = post.letters
    code = (await questions(lanxi))[0].code
    assert str(answer["To"]) == "wang@citizen.example"
    assert answer["In-Reply-To"] == "<1.letter@citizen.example>"
    assert code in answer["Subject"]
    # With the secret in it its writer may appeal.
    found = re.search(r"凭证 (\S+)：", bytes(answer.get_payload(decode=True)).decode())
    assert found
    question = (await questions(lanxi))[0]
    await change_status(lanxi.house, lanxi.person("host"), lanxi.slug, "ready", 0)
    with pytest.raises(Refusal, match="secret_wrong"):
        await appeal_question(lanxi.house, code, "x", "请再看一次。")
    await reject_question(
        lanxi.house, lanxi.person("moderator"), lanxi.slug, question.id, "unclear"
    )
    await appeal_question(lanxi.house, code, found[1], "请再看一次。")
    assert post.logins
    assert "wang@" not in str((await source(lanxi)).state)


async def test_answers_wait_for_a_server_that_is_away_and_letters_do_not(
    here: Home, mail_server: MailServer, user: str, post: Outbox
) -> None:
    mail_server.put(user, letter())
    await make(here, "letters", **answering(mail_server, user, post, smtp_port=1))
    await until(here, lambda one: one.error == "mailbox_answers")
    assert len(await questions(here)) == 1
    await change(here, told={"smtp_port": post.port, "smtp_tls": "starttls"})
    await until(here, lambda one: one.error == "mailbox_answers" and one.state["waiting"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", mail_server.authority)
        await change(here, told={"smtp_port": post.port})
        await until(here, lambda one: not one.state["waiting"] and not one.error)
    assert post.to() == ["wang@citizen.example"]


async def test_an_answer_that_may_have_gone_out_is_not_sent_again(
    here: Home, mail_server: MailServer, user: str, post: Outbox
) -> None:
    post.breaks = True
    mail_server.put(user, letter(), letter(message_id=b"<2@x>", sender=b"<li@citizen.example>"))
    await make(here, "letters", **answering(mail_server, user, post))
    await until(here, lambda one: came(2)(one) and not one.state["waiting"])
    post.breaks = False
    await ask_now(here.house, here.person("office"), here.slug, "letters")
    await asyncio.sleep(1)
    assert len(post.to()) == len(set(post.to()))
    assert "wang@citizen.example" in post.to()


@pytest.mark.parametrize(("says", "waits"), [(b"550 nobody", False), (b"451 later", True)])
async def test_a_recipient_who_is_refused_for_good_is_not_tried_again(
    here: Home, mail_server: MailServer, user: str, post: Outbox, says: bytes, waits: bool
) -> None:
    post.refuses = says
    mail_server.put(user, letter())
    await make(here, "letters", **answering(mail_server, user, post))
    await until(here, lambda one: post.refused and bool(one.state["waiting"]) == waits)
    await until(here, lambda one: bool(one.error) == waits)
    post.refuses = b""
    await ask_now(here.house, here.person("office"), here.slug, "letters")
    await until(here, lambda one: not one.state["waiting"] and not one.error)
    await asyncio.sleep(0.5)
    assert len(post.to()) == int(waits)


async def test_one_address_is_not_told_without_end(
    here: Home, mail_server: MailServer, user: str, post: Outbox
) -> None:
    """Whoever writes under another's address has him told ten times a day, not a thousand."""
    sent = [letter(message_id=b"<%d@x>" % n) for n in range(SENDER_MOST + 5)]
    other = letter(message_id=b"<o@x>", sender=b"<li@citizen.example>")
    mail_server.put(user, *sent, other)
    await make(here, "letters", **answering(mail_server, user, post))
    await until(here, lambda one: came(SENDER_MOST + 6)(one) and not one.state["waiting"])
    await asyncio.sleep(0.3)
    assert post.to().count("wang@citizen.example") == SENDER_MOST
    assert post.to().count("li@citizen.example") == 1


async def test_letters_of_long_ago_are_taken_in_without_an_answer(
    here: Home, mail_server: MailServer, user: str, post: Outbox
) -> None:
    with mail_server.owner(user) as owner:
        owner.append("INBOX", "", '"01-Nov-2020 08:00:00 +0800"', letter())
    mail_server.put(user, letter(message_id=b"<2@x>", sender=word("李") + b" <li@citizen.example>"))
    await make(here, "letters", **answering(mail_server, user, post))
    await until(here, lambda one: came(2)(one) and not one.state["waiting"])
    await asyncio.sleep(0.3)
    assert post.to() == ["li@citizen.example"]


@pytest.mark.real_data
async def test_real_letters_come_in(here: Home, mail_server: MailServer, user: str) -> None:
    """Three from lists, as they are."""
    sent = [path.read_bytes() for path in sorted(real_data("mail-zh").glob("*.eml"))]
    mail_server.put(user, *sent)
    await make(here, "letters", **mail_server.settings(user))
    await until(here, came(len(sent)))
    for row in await questions(here):
        assert "\ufffd" not in row.text + row.title
        assert "13600000001" not in str(row[:-1])
