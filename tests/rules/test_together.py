"""Tests that share what their module made run on one worker, or each worker would make it once more."""

from __future__ import annotations

import copy
from argparse import Namespace

import pytest
from xdist.scheduler import LoadGroupScheduling

from tests.conftest import pytest_collection_modifyitems, together


@pytest.fixture(scope="module", params=["one", "other"])
def made(request: pytest.FixtureRequest) -> str:
    """Something that a module's tests share."""
    return str(request.param)


def scope(item: pytest.Item) -> str:
    """By what pytest-xdist keeps a test together with others; alone, it is the test's own id."""
    return LoadGroupScheduling._split_scope(None, item.nodeid)  # type: ignore[arg-type]


def told(item: pytest.Item, *, by_groups: bool) -> pytest.Item:
    """The test as the workers tell of it."""
    found, config = copy.copy(item), Namespace(getoption=lambda name, default: by_groups)
    pytest_collection_modifyitems(config, [found])  # type: ignore[arg-type]
    return found


def test_who_shares_what_a_module_made_stays_together(
    request: pytest.FixtureRequest, made: str
) -> None:
    assert together(request.node) == f"{__name__}.{made}"
    assert scope(told(request.node, by_groups=True)) == f"{__name__}.{made}"
    assert told(request.node, by_groups=False).nodeid == request.node.nodeid


@pytest.mark.xdist_group("named")
def test_who_names_a_group_stays_with_it(request: pytest.FixtureRequest, made: str) -> None:
    assert scope(told(request.node, by_groups=True)) == "named"


def test_who_shares_nothing_goes_anywhere(request: pytest.FixtureRequest) -> None:
    assert together(request.node) is None
    assert scope(told(request.node, by_groups=True)) == request.node.nodeid


def test_in_this_very_run_the_workers_have_been_told(request: pytest.FixtureRequest) -> None:
    by_groups = request.config.getoption("loadgroup", default=False)
    for item in request.session.items:
        group = together(item)
        assert scope(item) == (group if group and by_groups else item.nodeid)
