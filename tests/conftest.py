"""Fixtures that several suites share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Running, running


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    """A demonstration of its own, with nobody simulated."""
    with running(tmp_path / "data") as found:
        yield found


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demonstration shared by a module's tests, which must not disturb one another."""
    with running(tmp_path_factory.mktemp("demo") / "data") as found:
        yield found
