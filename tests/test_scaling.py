"""The plan past one machine: what the page says is what the simulation says."""

from __future__ import annotations

from bench.scaling import Costs, Plan, simulate, table
from tests.nursery import ROOT


def test_the_page_has_the_table_that_the_simulation_prints() -> None:
    assert table() in (ROOT / "docs" / "scaling.md").read_text()


def test_what_costs_more_is_told_so() -> None:
    plan = Plan(1_000_000)
    now, slower = simulate(plan, Costs()), simulate(plan, Costs(frame=Costs.frame * 2))
    assert slower.cue_p99_ms > 1.8 * now.cue_p99_ms
    assert slower.edge_share > 1.9 * now.edge_share
    starved = simulate(Plan(10_000_000, sql_cores=1), Costs(journal_sql=Costs.journal_sql * 20))
    assert starved.cue_p99_ms > 5 * now.cue_p99_ms
    assert simulate(Plan(10_000_000, tree=True), Costs()).sql_connections < 200
