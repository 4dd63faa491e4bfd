"""What a socket says, and what it is answered: the same for every road a socket may come by.

Nothing here waits. An act goes into the ballot box and is answered after its commit; meanwhile the
socket's next frame is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import orjson
import structlog

from server.actions.ask_question import question_of
from server.actions.cast_vote import vote_of
from server.actions.perform import check_key
from server.actions.support_question import support_of
from server.api.common import shown, whole
from server.domain.public_acts import Done, PublicAct
from server.domain.refusals import OutcomeUnknown, Refusal
from server.live import frames
from server.live.channels import Spot
from server.services import Services

log = structlog.get_logger()

_FIELDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "viewer": {"viewer": str},
    "vote": {"round": str, "choice": str, "key": str},
    "ask": {"text": str, "key": str},
    "support": {"question": str, "on": bool, "key": str},
    "like": {"n": int},
    "clock": {"behind_ms": (int, float)},
    "resume": {"epoch": str, "version": int},
    "tablet": {},
}
_OPTIONAL: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "vote": {"epoch": str},
    "ask": {"subject": (str, type(None)), "epoch": str, "work": str},
    "support": {"epoch": str},
    "like": {"epoch": str},
    "tablet": {"battery": (int, type(None)), "charging": (bool, type(None))},
}
"""`epoch` = of the run that the act is meant for: pages say it, a program may."""
_NAMES = {kind: {"type", *_FIELDS[kind], *_OPTIONAL.get(kind, ())} for kind in _FIELDS}


class Speaker(Protocol):
    """A socket that says something. `viewer` is the id of its token, which it may send later."""

    viewer: str | None

    @property
    def spot(self) -> Spot: ...
    @property
    def address(self) -> str: ...
    def put(self, frame: str) -> None:
        """A frame to it alone."""

    def resume(self, epoch: str, version: int) -> None:
        """It asks for the gap from where it stands."""


class Talk:
    """Reads what sockets say."""

    def __init__(self, here: Services) -> None:
        self._here = here

    def hear(self, who: Speaker, text: str) -> None:
        """One message; whatever is wrong with it is one refusal to its sender."""
        key: str | None = None
        try:
            try:
                frame = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise Refusal("bad_json") from None
            if not isinstance(frame, dict):
                raise Refusal("bad_json")
            raw = frame.get("key")
            key = raw if isinstance(raw, str) and len(raw) <= 64 else None
            kind = _checked(frame, text)
            if kind in {"vote", "ask", "support"}:
                check_key(key)
                self._here.box.submit(
                    self._act(who, kind, frame), partial(self._answer, who, key or "")
                )
            elif kind == "viewer":
                who.viewer = self._viewer_of(frame["viewer"])
            elif kind == "like":
                self._like(who, frame["n"], frame.get("epoch"))
            elif kind == "resume":
                who.resume(frame["epoch"], frame["version"])
            elif kind == "tablet":
                self._tablet(who, frame.get("battery"), frame.get("charging"))
        except Refusal as refusal:
            self._refuse(who, key, refusal)
        except Exception as error:  # the sender is told, and the log holds none of his words
            log.error("message_failed", error=type(error).__name__)
            self._refuse(who, key, Refusal("server_error"))

    def _tablet(self, who: Speaker, battery: Any, charging: bool | None) -> None:
        if battery is not None and (isinstance(battery, bool) or not 0 <= battery <= 100):
            raise Refusal("malformed", place="battery")
        self._here.tablets.beat(id(who), battery, charging)

    def _viewer_of(self, token: str) -> str:
        viewer = self._here.keys.viewer_of(token)
        if viewer is None:
            raise Refusal("viewer_needed")
        out = self._here.limiter.shut_out_for(viewer)
        if out:
            raise Refusal("too_many", retry_after=out)
        return viewer

    def _like(self, who: Speaker, n: int, epoch: str | None) -> None:
        ref = who.spot.place.ref
        if epoch not in (None, self._here.relay.epoch(ref.hearing)):
            return  # Applause that was kept without a network, for a run that is over.
        if who.spot.room == "public" and 1 <= n <= 10:
            self._here.pulse.like(ref.hearing, ref.run, n)

    def _act(self, who: Speaker, kind: str, frame: dict[str, Any]) -> PublicAct:
        if who.viewer is None:
            raise Refusal("viewer_needed")
        here, viewer, key, epoch = self._here, who.viewer, frame["key"], frame.get("epoch")
        here.limiter.check("ask" if kind == "ask" else "public_act", who.address, viewer, key)
        slug = who.spot.place.slug
        if kind == "vote":
            return vote_of(here.house, viewer, key, frame["round"], frame["choice"], epoch)
        if kind == "support":
            return support_of(here.house, viewer, key, slug, frame["question"], frame["on"], epoch)
        return question_of(
            here.house,
            viewer,
            key,
            slug,
            frame["text"],
            frame.get("subject"),
            epoch=epoch,
            work=frame.get("work"),
        )

    def _answer(self, who: Speaker, key: str, outcome: Done | Refusal | OutcomeUnknown) -> None:
        if isinstance(outcome, Done):
            who.put(frames.ack(self._here.house.now(), key, outcome.answer))
        elif isinstance(outcome, Refusal):
            self._refuse(who, key, outcome)
        else:
            who.put(frames.unknown(self._here.house.now(), key))

    def _refuse(self, who: Speaker, key: str | None, refusal: Refusal) -> None:
        who.put(
            frames.refusal(
                self._here.house.now(),
                key,
                refusal.code,
                refusal.message(who.spot.lang),
                refusal.detail.get("retry_after", frames.TOO_MANY_MS // 1000) * 1000,
                refusal.detail if refusal.code == "work_needed" else None,
            )
        )


def _checked(frame: dict[str, Any], text: str) -> str:
    """The frame's type, if it has exactly the fields of that type; else a refusal."""
    kind = frame.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise Refusal("malformed", place="type")
    nul = "\\u0000" in text  # Read as JSON, no text can hold one otherwise.
    needed, optional = _FIELDS[kind], _OPTIONAL.get(kind, {})
    if not frame.keys() <= _NAMES[kind]:
        name = next(name for name in frame if name not in _NAMES[kind])
        raise Refusal("unknown_field", field=shown(name)[:40])
    for name, wanted in needed.items():
        value = frame.get(name)
        if type(value) is wanted:  # As nearly always: votes come by the ten thousand.
            continue
        if name == "key" and name not in frame:
            raise Refusal("key_missing")
        value = frame[name] = whole(value)
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise Refusal("malformed", place=name)
    for name, wanted in optional.items():
        if name in frame and not isinstance(frame[name], wanted):
            raise Refusal("malformed", place=name)
    for name, value in frame.items() if nul else ():
        if isinstance(value, str) and "\0" in value:  # PostgreSQL keeps it nowhere
            raise Refusal("malformed", place=name)
    return kind
