"""Dashboards are what the code writes, and each panel asks for what somebody emits."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.observability.dashboards.__main__ import ALL, FOLDER, text_of
from deploy.observability.dashboards.panels import WIDTH, rendered
from tests.unit.observability.files import known, selectors, unknown

UNITS = {"short", "s", "ops", "reqps", "bytes", "Bps", "percent", "percentunit"}
"""Of Grafana's units those that we use."""


def queries() -> Iterator[tuple[str, str]]:
    """(board and panel, expression as Prometheus gets it)."""
    for board in ALL:
        for row in board.rows:
            for panel in row.panels:
                for query in panel.queries:
                    asked = query.expr.replace("$__rate_interval", "1m").replace("$app", ".+")
                    yield f"{board.uid}: {panel.title}", asked


def everything(node: Any) -> Iterator[Any]:
    yield node
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in inner:
        yield from everything(part)


@pytest.mark.parametrize("board", ALL, ids=lambda board: board.uid)
def test_a_dashboard_is_what_the_code_writes(board: Any) -> None:
    """`python -m deploy.observability.dashboards` writes them anew."""
    assert (FOLDER / f"{board.uid}.json").read_text() == text_of(board)


def test_there_is_no_dashboard_that_nobody_writes() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {board.uid for board in ALL}


@pytest.mark.parametrize(("panel", "query"), list(queries()))
def test_a_panel_asks_for_what_somebody_emits(panel: str, query: str) -> None:
    assert selectors(query)
    assert unknown(query) == []


@pytest.mark.parametrize("board", ALL, ids=lambda board: board.uid)
def test_a_dashboard_can_be_laid_out_and_read(board: Any) -> None:
    shown = rendered(board)
    panels = shown["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken
        taken |= cells
    units = {panel["fieldConfig"]["defaults"]["unit"] for panel in panels if panel["type"] != "row"}
    assert units <= UNITS


@pytest.mark.parametrize("board", ALL, ids=lambda board: board.uid)
def test_a_dashboard_takes_the_source_that_one_chooses(board: Any) -> None:
    nodes = (node for node in everything(rendered(board)) if isinstance(node, dict))
    sources = {json.dumps(node["datasource"]) for node in nodes if "datasource" in node}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}


def test_every_metric_of_ours_is_on_a_dashboard_or_in_a_rule_on_one() -> None:
    """A metric that nobody looks at is not worth its price."""
    asked = {selector.metric for _, query in queries() for selector in selectors(query)}
    family = re.compile(r"_(bucket|count|sum)$")
    seen = {family.sub("", metric) for metric in asked}
    ours = {family.sub("", metric) for metric in known() if not metric.startswith(("kminion_", "pg_", "kubelet_"))}
    missing = {metric for metric in ours - seen if ":" not in metric}
    assert missing <= BEHIND_A_RULE, missing - BEHIND_A_RULE


BEHIND_A_RULE = {
    "database_gauges_read_timestamp_seconds",
    "event_loop_lag_seconds",
    "held_invoices_oldest_seconds",
    "kafka_consumer_lag_records",
    "open_invoices_oldest_seconds",
}
"""Shown by what the rules record of them, or only watched by an alert."""
