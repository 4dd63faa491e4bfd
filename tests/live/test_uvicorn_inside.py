"""The lean socket overrides a step inside uvicorn (docs/decisions/0012-lean-viewer.md). When that step
changes there, somebody must look whether ours still fits, and then write the new digest here."""

from __future__ import annotations

import hashlib
import inspect

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DIGESTS = {
    "data_received": "010a7ae59a5d3b1a",
    "handle_websocket_upgrade": "179c4f769386ab89",
    "connection_made": "6efb565ff3d36b91",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_step_is_as_it_was_when_ours_was_written(name: str) -> None:
    source = inspect.getsource(getattr(HttpToolsProtocol, name))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == DIGESTS[name]
