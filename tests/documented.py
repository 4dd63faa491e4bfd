"""Every answer that a test receives is held against `/api/v1/openapi.json`, strictly.

`Client.call` of `tests/running.py` does so for whatever any test asks. The description lets members
be added to answers; here none may come that it does not name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx2
import jsonschema

PREFIX = "/api/v1"


class Documented:
    """The description of a running server, and which operations have answered `(id, status)`."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.seen: set[tuple[str, str]] = set()
        self.members: set[str] = set()
        """Names of members that some answer had."""
        self._components = {"components": strict(spec["components"])}
        self._validators: dict[tuple[str, str], jsonschema.Draft202012Validator] = {}
        self._routes = [
            (method.upper(), _pattern(path), operation)
            for path, item in spec["paths"].items()
            for method, operation in item.items()
        ]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation that answers there, if one is described."""
        return next((o for m, p, o in self._routes if m == method and p.fullmatch(path)), None)

    def check(self, method: str, answer: httpx2.Response) -> None:
        """Fails unless the answer is one that the description promises."""
        status = str(answer.status_code)
        path = answer.url.raw_path.decode().partition("?")[0]
        operation = self.operation(method, path)
        if path == f"{PREFIX}/openapi.json":
            return
        if operation is None:
            name, schema = "", {"$ref": "#/components/schemas/Error"}
        else:
            name = operation["operationId"]
            assert status in operation["responses"], f"{name} answers {status}: {answer.text[:300]}"
            described = self._followed(operation["responses"][status])
            self.seen.add((name, status))
            for header in described.get("headers", ()):
                assert header in answer.headers, f"{name} {status}: no {header}"
            if "content" not in described:
                assert not answer.content, f"{name} {status} has a body"
                return
            kind = answer.headers["content-type"].partition(";")[0]
            kinds = {k.partition(";")[0]: v for k, v in described["content"].items()}
            assert kind in kinds, f"{name} {status} is {kind}, described are {list(kinds)}"
            if kind != "application/json":
                return
            schema = kinds[kind]["schema"]
        told = answer.json()
        self.members |= set(_members(told))
        wrong = self._best_error((name, status), schema, told)
        assert wrong is None, f"{method} {answer.url.path} → {status}: {wrong}"

    def accepts(self, operation: dict[str, Any], body: Any) -> bool:
        """Whether the description allows this request body."""
        described = operation.get("requestBody")
        if described is None:
            return True
        schema = described["content"]["application/json"]["schema"]
        return self._best_error((operation["operationId"], "body"), schema, body) is None

    def allows(self, operation: dict[str, Any], status: str, told: Any) -> str | None:
        """What is wrong with this as the JSON answer of the operation, or None."""
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        return self._best_error((operation["operationId"], status), schema, told)

    def _followed(self, described: dict[str, Any]) -> dict[str, Any]:
        name = described.get("$ref", "").rpartition("/")[2]
        return self.spec["components"]["responses"][name] if name else described

    def _best_error(self, name: tuple[str, str], schema: dict[str, Any], value: Any) -> str | None:
        validator = self._validators.get(name)
        if validator is None:
            validator = jsonschema.Draft202012Validator({**schema, **self._components})
            self._validators[name] = validator
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        return None if error is None else f"{error.json_path}: {error.message[:300]}"


def _members(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        yield from told
    for one in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from _members(one)


def strict(schema: Any) -> Any:
    """The schema with every member named: an object may have no other."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))


@cache
def documented(base: str) -> Documented:
    """What the server at `base` says of itself. All that a run starts are the same program, and to say
    it takes a server a fifth of a second, so that the first one is asked for all: the first that has
    the whole, for an edge says only what it answers itself."""
    if not _SAID:
        said = httpx2.get(f"{base}{PREFIX}/openapi.json", timeout=60, trust_env=False).json()
        if f"{PREFIX}/roles" not in said["paths"]:
            return Documented(said)
        _SAID.update(said)
    return Documented(_SAID)


_SAID: dict[str, Any] = {}
