"""A dashboard in a few words, and the JSON that Grafana wants for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE = "$__rate_interval"
"""Grafana's own window: four scrapes at least."""


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` may name labels: `{{stage}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`says` is shown when one asks for help; `bad` colours a number red from there on."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 8
    says: str = ""
    bad: float | None = None
    stacked: bool = False

    @property
    def height(self) -> int:
        return 4 if self.kind == "stat" else 8


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`uid` is its address in Grafana and its file's name. `choices`: variables by name, each with its query."""

    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    since: str = "now-6h"
    choices: Mapping[str, str] | None = None


def stat(title: str, expr: str, unit: str = "short", *, bad: float | None = None, says: str = "") -> Panel:
    return Panel(title, [Query(expr)], unit, "stat", 4, says, bad)


def lines(
    title: str, *queries: tuple[str, str], unit: str = "short", width: int = 8, stacked: bool = False, says: str = ""
) -> Panel:
    """`queries` are (expression, legend)."""
    return Panel(title, [Query(*query) for query in queries], unit, "timeseries", width, says, stacked=stacked)


def rate(metric: str, *labels: str, where: str = "") -> str:
    """A second, summed up by `labels`; `where` are matchers."""
    matchers = f"{{{where}}}" if where else ""
    return f"sum by ({', '.join(labels)}) (rate({metric}{matchers}[{RATE}]))"


def quantile(share: float, metric: str, *labels: str) -> str:
    """Below which this share of a histogram lies, by `labels`."""
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', 'le', *labels)})"


def rendered(dashboard: Dashboard) -> dict[str, Any]:
    """As Grafana stores it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.says,
        "tags": ["clearfacts"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": dashboard.since, "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_source(), *_choices(dashboard.choices or {})]},
        "panels": list(_placed(dashboard.rows)),
    }


def _source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choices(choices: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name, query in choices.items():
        yield {
            "name": name,
            "type": "query",
            "datasource": SOURCE,
            "query": query,
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
        }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """From left to right, then a new line; numbers of panels in their order."""
    number, top = 0, 0
    for row in rows:
        number += 1
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": _place(0, top, WIDTH, 1)}
        top, left, height = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, height = top + height, 0, 0
            number += 1
            yield {"id": number, "gridPos": _place(left, top, panel.width, panel.height), **_panel(panel)}
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad is not None:
        steps.append({"color": "red", "value": panel.bad})
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 30 if panel.stacked else 5,
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "showPoints": "never",
        }
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel),
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": query.expr, "legendFormat": query.legend}
            for at, query in enumerate(panel.queries)
        ],
    }


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "none"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
