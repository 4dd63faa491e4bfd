"""Systematically wrong input to every route, as every kind of person: one sentence, nothing changed.

Each operation of the live OpenAPI has one right call (`right_calls.py`). From it come the wrong ones: every
value of its body, of its path and of its query is replaced by each of `WRONG` in turn, members are
left out and added, and what is no JSON at all is sent. An answer is either a refusal, after which
the database holds what it held before, or a success, which the description must allow for what was
sent: a thing that is refused nowhere else shows up here as a description that is too narrow.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.domain.refusals import CATALOGUE
from tests.contract.kept import Kept
from tests.contract.right_calls import (
    ADMIN,
    TARGET,
    VERSION,
    Call,
    office_of,
    right_calls,
    session_of,
)
from tests.documented import Documented, documented
from tests.running import Running, frames_until, new_key, running

PHONE = "13800138000"
RAW = "\ue000"
"""Stands in a body for text that no JSON writer would write."""
WRONG: dict[str, str] = {
    "null": "null",
    "true": "true",
    "zero": "0",
    "negative": "-1",
    "over 32 bits": "2147483648",
    "over 64 bits": "9223372036854775808",
    "fraction": "1.5",
    "huge": "1e400",
    "5,000 digits": "1" + "0" * 5000,
    "not a number": "NaN",
    "empty": '""',
    "blank": '"  \\u3000 "',
    "digit that is none": '"²"',
    "many digits": '"' + "9" * 5000 + '"',
    "5,000 characters": '"' + "字" * 5000 + '"',
    "20,001 characters": '"' + "字" * 20_001 + '"',
    "control and bidi": f'"\\u0007\\u202e{PHONE}\\u200b\\u2066 ab\\u0085"',
    "NUL": '"a\\u0000b"',
    "half a surrogate": '"\\ud800"',
    "markup": '"<script>alert(1)</script>\'; -- ../../etc/passwd"',
    "list": "[]",
    "list of itself": '["x", null]',
    "object": "{}",
    "another object": '{"a": 1}',
    "nested": "[" * 1000 + "]" * 1000,
    "deeply nested": "[" * 100_000 + "]" * 100_000,
}
NO_TEXT = {"NUL": "malformed", "half a surrogate": "malformed"}
"""What no text may hold: PostgreSQL would fail at it."""
PATHS = {
    "absent": "999999",
    "zero": "0",
    "negative": "-1",
    "over 32 bits": "2147483648",
    "over 64 bits": "9223372036854775808",
    "5,000 digits": "9" * 5000,
    "long": "x" * 300,
    "traversal": "..%2f..%2fetc%2fpasswd",
    "quote": "'%20or%20'1'='1",
    "NUL": "a%00b",
    "bidi": "%e2%80%ae",
    "no UTF-8": "%ff",
    "surrogate": "%ed%a0%80",
}
QUERIES = ("", "x", "-1", "2147483648", "9223372036854775808", "9" * 5000, "1.5", "%00", "%ff", "'")
NO_JSON: dict[str, tuple[bytes, str, str | None]] = {
    "empty": (b"", "application/json", None),
    "blank": (b"  ", "application/json", None),
    "no JSON": (b"{not json", "application/json", "bad_json"),
    "cut off": (b'{"text": "', "application/json", "bad_json"),
    "no UTF-8": (b'{"text": "\xff\xfe"}', "application/json", "bad_json"),
    "UTF-16": ('{"text": "x"}'.encode("utf-16"), "application/json", None),
    "a form": (b"text=x&version=1", "application/x-www-form-urlencoded", "malformed"),
    "a file": (b"--x\r\n\r\nx\r\n--x--", "multipart/form-data; boundary=x", "malformed"),
    "text": (b"{}", "text/plain", None),
    "no type": (b"{}", "", None),
    "3 MB": (b'{"text": "' + b"x" * 3_000_000 + b'"}', "application/json", "too_large"),
}
KEYS = ("", "short", "k" * 65, "with space 1", "quote'quote'", "键键键键键键键键", "a/b/c/d/e")


@dataclass(frozen=True)
class Shot:
    """One wrong call as it goes over the wire."""

    what: str
    method: str
    path: str
    body: bytes | None = None
    kind: str = "application/json"
    key: str | None = None
    chunked: bool = False
    refused: str | None = None
    """The code that who may do the right thing must be refused with; "" = any code; None = what is
    sent may be right after all."""


class Range:
    """A demonstration that is fired at, its people, and what its database holds."""

    def __init__(self, demo: Running) -> None:
        self.demo = demo
        self.described: Documented = documented(demo.url)
        self.tokens: dict[str, str | None] = {
            "nobody": None,
            **{k: v for k, v in demo.line["tokens"].items() if isinstance(v, str)},
            "panel": demo.line["tokens"]["panel"][0],
        }
        self.cookies: dict[str, str] = {}
        self._wire = http.client.HTTPConnection(urlsplit(demo.url).netloc, timeout=30)
        self.kept = Kept(demo.data)
        self.wrong: list[str] = []
        self.shots = 0

    def close(self) -> None:
        """Lets go of the server and of its database."""
        self._wire.close()
        self.kept.close()

    # ── the wire ──

    def send(self, who: str, shot: Shot, lang: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """The answer's status, headers and body."""
        headers = {"Content-Type": shot.kind} if shot.kind and shot.body is not None else {}
        if shot.key is not None:
            headers["Idempotency-Key"] = shot.key
        if who in self.cookies:
            headers["Cookie"] = self.cookies[who]
        elif who == "viewer":
            headers["Authorization"] = f"Bearer {self.viewer()}"
        elif self.tokens[who] is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        path = shot.path + ("&" if "?" in shot.path else "?") + f"lang={lang}"
        body = iter([shot.body]) if shot.chunked and shot.body is not None else shot.body
        # What is refused before it was read whole has its answer all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._wire.request(shot.method, path, body, headers, encode_chunked=shot.chunked)
        try:
            answer = self._wire.getresponse()
            told = answer.status, answer.headers, answer.read()
        finally:
            if len(shot.body or b"") > 1_000_000:
                self._wire.close()
        return told

    def aimed(self, call: Call, shot: Shot) -> Shot:
        """The shot at the present target, in its present version."""
        target = str(call.targets[0]) if call.targets else ""
        body = shot.body
        if call.version and body:
            found = self.kept.one(call.version.replace(TARGET, target))
            body = body.replace(f'"{VERSION}"'.encode(), str(found).encode())
        body = body and body.replace(f'"{TARGET}"'.encode(), target.encode())
        return replace(shot, path=shot.path.replace(TARGET, target), body=body)

    def done(self, call: Call) -> None:
        """An act on the target succeeded."""
        if len(call.targets) > 1:
            call.targets.pop(0)
        if call.undo is not None:
            status, _, body = self.send("host", Shot("undo", *call.undo), "en")
            assert status == 200, body

    def viewer(self) -> str:
        """A viewer whom no limit has met yet."""
        _, _, body = self.send("nobody", Shot("a viewer", "POST", "/api/v1/viewers"), "en")
        return str(json.loads(body)["viewer"])

    # ── the verdict ──

    def fire(self, operation: dict[str, Any], call: Call, who: str, shot: Shot) -> None:
        """Sends it and notes what is wrong with the answer."""
        self.shots += 1
        shot = self.aimed(call, shot)
        lang = "en" if self.shots % 2 else "zh"

        told = f"{operation['operationId']} as {who}, {shot.what}"
        try:
            status, headers, body = self.send(who, shot, lang)
        except (http.client.HTTPException, OSError) as error:
            self._wire.close()
            self.wrong.append(f"{told}: no answer ({error!r})")
            return
        problem = (
            self._refusal(status, headers, body, lang, shot.refused if who == call.who else "")
            if status >= 400
            else self._success(operation, shot, status, body)
        )
        if status < 400 and shot.method != "GET":
            self.done(call)
            self.kept.settle()
        if problem:
            self.wrong.append(f"{told}: {problem}")

    def _refusal(
        self,
        status: int,
        headers: http.client.HTTPMessage,
        body: bytes,
        lang: str,
        code: str | None,
    ) -> str | None:
        if status >= 500:
            return f"{status} {body[:200]!r}"
        error = json.loads(body)["error"]
        if set(error) != {"code", "message", "detail"} or error["code"] not in CATALOGUE:
            return f"not the error shape: {error}"
        row = CATALOGUE[error["code"]]
        if row.status != status:
            return f"{status} with {error['code']}"
        begins = (row.en if lang == "en" else row.zh).partition("{")[0]
        if not error["message"].strip() or not error["message"].startswith(begins):
            return f"not the {lang} sentence of {error['code']}: {error['message']!r}"
        if not all(char.isprintable() for char in error["message"]) or len(error["message"]) > 400:
            return f"no sentence for a screen: {error['message']!r:.100}"
        if len(body) > 2_000:
            return f"an answer of {len(body)} bytes: {error['code']}"
        if code and error["code"] != code:
            return f"{error['code']} instead of {code}"
        if status == 429 and not headers["Retry-After"]:
            return "429 without Retry-After"
        changed = self.kept.changed()
        if changed:
            self.kept.settle()
            return f"{status} {error['code']}, but it changed {changed}"
        return None

    def _success(
        self, operation: dict[str, Any], shot: Shot, status: int, body: bytes
    ) -> str | None:
        if shot.method == "GET":
            changed = self.kept.changed()
            if changed:
                return f"reading changed {changed}"
        if shot.refused is not None:
            return f"{status} {body[:200]!r}"
        if str(status) not in operation["responses"]:
            return f"{status} is not described"
        if shot.body and shot.body.strip():
            sent = json.loads(shot.body)
            if not self.described.accepts(operation, sent):
                return f"{status}, but the description does not allow {shot.body[:80]!r}"
        bad = sorted(set(_invisible(body.decode())))
        return f"{status} with invisible characters: {bad}" if bad else None


def _invisible(text: str) -> Iterator[str]:
    """Characters that no screen should be sent, written out or escaped in JSON."""
    for char in text if not text.startswith(("{", "[")) else _strings(json.loads(text)):
        if unicodedata.category(char) in {"Cc", "Cf", "Cs"} and char not in "\n\r\t\u200d":
            yield repr(char)


def _strings(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(_strings(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return "".join(map(_strings, value))
    return value if isinstance(value, str) else ""


# ── The wrong ones ────────────────────────────────────────────────────────────────────────────


def address(path: str, values: dict[str, Any], query: dict[str, str]) -> str:
    """The path with its values, and the query, both as they are (already escaped)."""
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", str(value))
    told = "&".join(f"{k}={v}" for k, v in query.items())
    return f"{path}?{told}" if told else path


def bodies(body: Any) -> Iterator[tuple[str, bytes, str | None]]:
    """(what, bytes, the code it is refused with) for each wrong body."""
    for where, changed in _replaced(body):
        for what, raw in WRONG.items():
            told = json.dumps(changed, ensure_ascii=False).replace(f'"{RAW}"', raw)
            yield f"{where or 'body'} = {what}", told.encode(), NO_TEXT.get(what)
    for where, changed in _grown(body):
        yield f"{where}, unknown field", json.dumps(changed).encode(), "unknown_field"
        half = json.dumps(changed).replace("unknown", "\\ud800")
        yield f"{where}, half a surrogate as a field", half.encode(), "malformed"
        long = json.dumps(changed).replace("unknown", "x" * 5000)
        yield f"{where}, a field's name of 5,000 characters", long.encode(), "unknown_field"
    for where, changed in _shrunk(body):
        yield f"{where} left out", json.dumps(changed, ensure_ascii=False).encode(), None


def _replaced(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every place in the body, with the mark in its stead."""
    yield where, RAW
    if isinstance(value, dict):
        for key, one in value.items():
            for place, changed in _replaced(one, f"{where}.{key}"):
                yield place, {**value, key: changed}
    elif isinstance(value, list) and value:
        for place, changed in _replaced(value[0], f"{where}[0]"):
            yield place, [changed, *value[1:]]


def _grown(value: Any, where: str = "body") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield where, {**value, "unknown": 1}


def _shrunk(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield f"{where}.{key}", {k: v for k, v in value.items() if k != key}
            for place, changed in _shrunk(one, f"{where}.{key}"):
                yield place, {**value, key: changed}


def shots(method: str, path: str, call: Call, keyed: bool, needs_key: bool) -> Iterator[Shot]:
    """Every wrong call of an operation."""
    right = json.dumps(call.body).encode() if call.body is not None else None

    def shot(what: str, **changes: Any) -> Shot:
        made = Shot(what, method, address(path, call.path, call.query), right)
        return replace(made, **{"key": new_key() if needs_key else None, **changes})

    for name in call.path:
        for what, value in PATHS.items():
            where = address(path, {**call.path, name: value}, call.query)
            yield shot(f"{name} in the path: {what}", path=where, refused=NO_TEXT.get(what, ""))
    for name in call.query:
        for value in QUERIES:
            where = address(path, call.path, {**call.query, name: value})
            code = "malformed" if value == "%00" else None
            yield shot(f"?{name}={value[:20]}", path=where, refused=code)
    if call.body is None:
        return
    for what, body, code in bodies(call.body):
        yield shot(what, body=body, refused=code)
    for what, (body, kind, code) in NO_JSON.items():
        yield shot(what, body=body, kind=kind, refused=code)
    yield shot("3 MB in pieces", body=NO_JSON["3 MB"][0], chunked=True, refused="too_large")
    if needs_key:
        yield shot("no key", key=None, refused="key_missing")
    for key in KEYS if keyed else ():
        yield shot(f"key {key!r}", key=key.encode().decode("latin-1"), refused="key_malformed")


OTHERS = ("nobody", "viewer", "moderator", "host", "panel")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    """A demonstration of its own to fire at."""
    with running(tmp_path_factory.mktemp("range") / "data") as demo:
        found = Range(demo)
        yield found
        found.close()


@pytest.mark.timeout(900)
def test_wrong_input_is_one_sentence_and_changes_nothing(target: Range) -> None:
    demo = target.demo
    calls = right_calls(demo)
    target.cookies["admin"] = session_of(demo, ADMIN)
    target.cookies["housing"] = office_of(demo, "housing")
    target.kept.settle()
    operations = {
        operation["operationId"]: (method.upper(), path, operation)
        for path, item in target.described.spec["paths"].items()
        for method, operation in item.items()
    }
    named = {name.partition(" ")[0] for name in calls}
    assert set(operations) == named, "every operation has a right call"
    for name, call in calls.items():
        method, path, operation = operations[name.partition(" ")[0]]
        keyed = [p for p in operation.get("parameters", ()) if p["name"] == "Idempotency-Key"]
        needs_key = bool(keyed and keyed[0]["required"])
        for n, shot in enumerate(shots(method, path, call, bool(keyed), needs_key)):
            target.fire(operation, call, call.who, shot)
            if n % 8 == 0:
                other = OTHERS[n // 8 % len(OTHERS)]
                target.fire(operation, call, other, shot)
    assert not target.wrong, f"{target.shots} shots:\n" + "\n".join(target.wrong)
    assert target.shots > 4_000
    log = Path(f"{demo.data}.log").read_text()
    assert PHONE not in log
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def shared_demo(everywhere_shared: Running) -> Running:
    """In one process, and in several."""
    return everywhere_shared


def test_what_does_not_exist_and_keys_used_again(shared_demo: Running) -> None:
    demo = shared_demo
    host, desk = demo.as_("host"), demo.as_("moderator")
    choices = [{"key": "good", "label": "满意"}, {"key": "bad", "label": "不满意"}]
    body = {"title": "加问", "audience": "public", "choices": choices}
    rounds = f"{demo.here}/rounds"
    assert host.refused("POST", rounds, {**body, "item": "none"}) == (422, "item_unknown")
    assert host.refused("POST", rounds, {**body, "title": "\u202e\u200b"}) == (
        422,
        "text_too_short",
    )
    key = new_key()
    made = host.do("POST", rounds, body, key)
    assert host.do("POST", rounds, body, key) == made
    for other in ({"show_live": True}, {"replacing": "first"}, {"subjects": ["housing"]}):
        assert host.refused("POST", rounds, {**body, **other}, key) == (422, "key_reused")
    id_ = desk.get(f"{demo.here}/desk/questions?status=approved")["items"][0]["id"]
    at = f"{demo.here}/desk/questions/{id_}"
    assert desk.refused("POST", f"{at}/reply", {"reply": " \u200b "}) == (422, "text_too_short")
    assert desk.refused("GET", f"{demo.here}/desk/questions?status=nonsense") == (422, "malformed")
    told = host.call("PUT", f"{demo.here}/stage", {"asker": True}).json()["error"]["detail"]
    assert told == {"place": "asker"}
    missing = {"item": "housing", "step": "questions"}
    assert host.refused("PUT", f"{demo.here}/position", missing) == (422, "version_missing")
    null = {**missing, "version": None}
    assert host.refused("PUT", f"{demo.here}/position", null) == (422, "version_missing")
    word = {**missing, "version": "x"}
    assert host.refused("PUT", f"{demo.here}/position", word) == (422, "malformed")


def test_a_ballot_is_refused_with_names_and_its_keys_in_the_detail(shared_demo: Running) -> None:
    demo = shared_demo
    round_ = next(r for r in demo.state()["rounds"] if r["audience"] == "panel")
    demo.as_("host").do("POST", f"/rounds/{round_['id']}/opening")

    def told(marks: object, lang: str = "zh") -> tuple[str, dict[str, str]]:
        answer = demo.as_("panel", 2).call(
            "PUT",
            f"/rounds/{round_['id']}/ballot",
            {"marks": marks},
            new_key(),
            **{"Accept-Language": lang},
        )
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (422, "ballot_invalid")
        return error["message"], error["detail"]

    message, detail = told({"housing": {"personally": "21"}})
    assert message == "述法人“糜知屿”：“21”超出维度“履职亲自抓”的范围 0 至 20。"
    assert (detail["problem"], detail["subject"], detail["dimension"]) == (
        "value_out_of_range",
        "housing",
        "personally",
    )
    message, _ = told({"housing": {"personally": "21"}}, "en")
    assert message == (
        "Subject “糜知屿”: “21” is outside the scale of dimension “履职亲自抓”, 0 to 20."
    )
    message, detail = told({"housing": {"nonsense": "1"}})
    assert (
        message == "述法人“糜知屿”：没有维度“nonsense”。"
    )  # what has no name is said as it was sent


def test_an_integer_is_one_however_json_writes_it(shared_demo: Running) -> None:
    demo, host = shared_demo, shared_demo.as_("host")
    path = f"{demo.here}/queue"
    queue = host.get(path)
    same: dict[str, Any] = {
        "version": float(queue["version"]),
        "ids": [float(i) for i in queue["ids"]],
    }
    assert len(same["ids"]) > 1
    after = host.do("PUT", path, same)
    assert (after["version"], after["ids"]) == (queue["version"] + 1, queue["ids"])
    for version in (after["version"] + 0.5, True, str(after["version"])):
        assert host.refused("PUT", path, {**same, "version": version}) == (422, "malformed")
    with demo.socket() as socket:
        socket.recv()
        socket.send('{"type":"resume","epoch":"none","version":3.0}')
        socket.send('{"type":"resume","epoch":"none","version":3.5,"key":"a-fraction"}')
        told = frames_until(socket, lambda f: f["type"] == "refusal")
        assert [f["type"] for f in told if f["type"] in {"snapshot", "refusal"}] == [
            "snapshot",
            "refusal",
        ]
