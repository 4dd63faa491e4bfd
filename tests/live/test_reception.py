"""The public's handshake: what is taken, what is left to the server's own, and what comes first."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.frames import Close, Opcode

from server.api.public_socket import Reception
from server.api.sockets import not_let_in, wait_outside
from server.domain.refusals import CATALOGUE, Refusal
from server.live import frames
from server.live.viewer import Viewer
from tests.house import Home
from tests.live.test_bus import until
from tests.live.test_viewer import Transport, masked, received, text

pytestmark = pytest.mark.anyio


class Connection(Transport):
    """A transport whose protocol can be changed, as the reception does."""

    viewer: Viewer | None = None

    def set_protocol(self, protocol: Any) -> None:
        self.viewer = protocol

    def frames(self) -> list[Any]:
        """The frames after the handshake; a close as its code."""
        head, _, rest = bytes(self.sent).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        after = Transport()
        after.sent += rest
        return [
            Close.parse(bytes(f.data)).code
            if f.opcode is Opcode.CLOSE
            else json.loads(bytes(f.data))
            for f in received(after)
        ]


def asking(path: str = "/h/lanxi/socket?as=json", **headers: str) -> tuple[dict[str, Any], bytes]:
    """A handshake for this address."""
    named = {
        "host": "hall.example",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    scope = {
        "type": "websocket",
        "method": "GET",
        "scheme": "ws",
        "path": path.split("?")[0],
        "query_string": path.partition("?")[2].encode(),
        "headers": [(k.encode(), v.encode()) for k, v in named.items() if v],
        "client": ("10.0.0.7", 4000),
        "server": ("hall.example", 80),
    }
    return scope, path.encode()


async def test_what_is_no_sound_handshake_of_the_public_is_left_to_the_servers_own(
    lanxi: Home,
) -> None:
    reception = Reception(lanxi.building.services, 10)
    for connection, url in (
        asking("/h/lanxi/host/socket"),
        asking("/h/lanxi/socket/"),
        asking(sec_websocket_key="short"),
        asking(sec_websocket_key=""),
        asking(sec_websocket_version="8"),
        asking(origin="https://elsewhere.example"),
        asking(origin="null"),
    ):
        transport = Connection()
        assert not reception.admit(connection, url, transport)  # type: ignore[arg-type]
        assert not transport.sent
    assert reception.admit(*asking(origin="http://hall.example"), Connection())  # type: ignore[arg-type]


async def test_what_is_said_before_the_snapshot_is_heard_after_it(lanxi: Home) -> None:
    await lanxi.go_live()
    view = await lanxi.view()
    reception, transport = Reception(lanxi.building.services, 10), Connection()
    assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
    assert transport.viewer is not None
    like = {"type": "like", "n": 3, "epoch": view.hearing.epoch}
    transport.viewer.data_received(masked(*text(json.dumps(like))))
    await until(lambda: lanxi.building.hub.total() == 1)
    assert lanxi.building.pulse._likes == {view.hearing.ref.hearing: 3}
    first, second = transport.frames()[:2]
    assert (first["type"], first["epoch"]) == ("snapshot", view.hearing.epoch)
    assert second["type"] == "pulse"
    transport.viewer.connection_lost(None)
    assert lanxi.building.hub.total() == 0


async def test_a_crowd_that_comes_at_once_has_one_snapshot_made(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    await lanxi.settle()
    relay, made = lanxi.building.relay, []
    snapshot = relay.snapshot

    async def counted(channel: Any) -> Any:
        made.append(channel)
        return await snapshot(channel)

    monkeypatch.setattr(relay, "snapshot", counted)
    reception, transports = (
        Reception(lanxi.building.services, 1000),
        [Connection() for _ in range(50)],
    )
    for transport in transports:
        assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
    await until(lambda: lanxi.building.hub.total() == 50)
    assert len(made) == 1
    assert all(each.frames()[0]["type"] == "snapshot" for each in transports)


async def test_who_asks_for_snapshots_again_and_again_has_one_made(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    await lanxi.settle()
    relay, made = lanxi.building.relay, []
    reception, transports = (
        Reception(lanxi.building.services, 1000),
        [Connection() for _ in range(5)],
    )
    for transport in transports:
        assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
    await until(lambda: lanxi.building.hub.total() == 5)
    snapshot, away = relay.snapshot, [True]

    async def counted(channel: Any) -> Any:
        made.append(channel)
        if away:
            raise OSError(away.pop())
        return await snapshot(channel)

    monkeypatch.setattr(relay, "snapshot", counted)
    monkeypatch.setattr("server.api.public_socket.AGAIN_S", 0.01)
    for stream in relay._feeds[lanxi.building.hub.channels()[0].hearing].streams.values():
        stream.snapshot = None
    resume = masked(*text(json.dumps({"type": "resume", "epoch": "none", "version": 0})))
    for transport in transports:
        assert transport.viewer is not None
        transport.sent.clear()
        transport.viewer.data_received(resume * 20)
    await until(lambda: all(b'"snapshot"' in bytes(each.sent) for each in transports))
    assert len(made) == 2  # Once in vain: the database was away.
    assert all(bytes(each.sent).count(b'"snapshot"') == 1 for each in transports)


async def test_who_comes_to_a_full_process_is_told_when_to_come_back(lanxi: Home) -> None:
    reception, transport = Reception(lanxi.building.services, 0), Connection()
    assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
    wait, code = transport.frames()
    assert (wait["type"], wait["retry_ms"] > 0, code) == ("wait", True, 1013)


async def test_those_who_wait_to_be_let_in_count_too(lanxi: Home) -> None:
    await lanxi.go_live()
    reception, transports = (
        Reception(lanxi.building.services, 10),
        [Connection() for _ in range(30)],
    )
    for transport in transports:
        assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
    await until(lambda: lanxi.building.hub.total() == 10)
    assert sum(1013 in each.frames() for each in transports) == 20


async def test_who_is_not_let_in_yet_is_not_listened_to_without_end(lanxi: Home) -> None:
    reception, transport = Reception(lanxi.building.services, 10), Connection()
    assert reception.admit(*asking("/h/nowhere/socket"), transport)  # type: ignore[arg-type]
    assert transport.viewer is not None
    for n in range(6):
        transport.viewer.data_received(masked(*text("x" * 10_000)))
        assert transport.viewer.open == (n < 3)
    assert transport.frames() == [1013]


async def test_a_hearing_that_is_not_there_is_told_inside(lanxi: Home) -> None:
    reception, transport = Reception(lanxi.building.services, 10), Connection()
    assert reception.admit(*asking("/h/nowhere/socket?lang=en"), transport)  # type: ignore[arg-type]
    await until(lambda: len(transport.frames()) == 2)
    refusal, code = transport.frames()
    assert (refusal["type"], refusal["code"], code) == ("refusal", "not_found", 4403)
    assert refusal["message"].isascii()


async def test_numbers_wait_until_the_last_frames_are_written(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    reception, transport = Reception(lanxi.building.services, 10), Connection()
    assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
    await until(lambda: lanxi.building.hub.total() == 1)
    await asyncio.sleep(0.6)
    ref, hub = (await lanxi.view()).hearing.ref, lanxi.building.hub
    monkeypatch.setattr(hub, "busy", lambda hearing: True)
    before = len(transport.frames())
    lanxi.building.pulse.like(ref.hearing, ref.run, 3)
    await asyncio.sleep(1.5)
    assert len(transport.frames()) == before
    monkeypatch.undo()
    await until(lambda: any(f.get("likes") == 3 for f in transport.frames()[before:]), 3)


@pytest.mark.parametrize(
    "fault", [OSError("away"), Refusal("not_ready")], ids=["gone", "not_ready"]
)
@pytest.mark.parametrize("step", ["found", "welcomed"])
async def test_who_comes_while_the_database_cannot_be_read_is_told_to_come_back(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch, fault: Exception, step: str
) -> None:
    await lanxi.go_live()

    def away(*_: Any, **__: Any) -> Any:
        raise fault

    reception, transports = (
        Reception(lanxi.building.services, 10),
        [Connection() for _ in range(3)],
    )
    with monkeypatch.context() as patch:
        if step == "found":
            patch.setattr(lanxi.building.store, "look", away)
        else:
            patch.setattr(lanxi.building.relay, "welcome", away)
        for transport in transports:
            assert reception.admit(*asking(), transport)  # type: ignore[arg-type]
        await until(lambda: all(len(each.frames()) == 2 for each in transports))
    for wait, code in (each.frames() for each in transports):
        assert (wait["type"], wait["retry_ms"] > 0, code) == ("wait", True, 1013)
    back = Connection()
    assert reception.admit(*asking(), back)  # type: ignore[arg-type]
    await until(lambda: bool(back.frames()))
    assert back.frames()[0]["type"] == "snapshot"


def test_only_the_rules_keep_anybody_out_for_good() -> None:
    out = {code: not_let_in(0, "zh", Refusal(code))[1] for code in CATALOGUE}
    assert {out["not_signed_in"], out["bad_token"]} == {4401}
    assert {out["not_found"], out["not_allowed"], out["malformed"]} == {4403}
    for code, row in CATALOGUE.items():
        assert (out[code] == 1013) is (row.status >= 500 or row.status == 429), code
    frame, code, _ = not_let_in(7, "zh", ValueError("a fault of ours"))
    assert (json.loads(frame), code) == ({"type": "wait", "at": 7, "retry_ms": 4000}, 1013)


def test_too_many_tells_when_to_send_the_act_again() -> None:
    told = json.loads(frames.refusal(7, "k", "too_many", "…"))
    assert told["retry_ms"] >= 1000
    assert "retry_ms" not in json.loads(frames.refusal(7, "k", "round_closed", "…"))
    refusal, wait = map(json.loads, wait_outside(7, "zh", 60))
    assert (refusal["retry_ms"], wait["retry_ms"]) == (60_000, 60_000)
