"""The files of deploy/observability, and which metrics and labels there are to ask for."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from common.observability.metrics import CATALOGUE
from tests.architecture.source import ROOT

OBSERVABILITY = ROOT / "deploy/observability"
PROMETHEUS = OBSERVABILITY / "prometheus"
ALERTMANAGER = OBSERVABILITY / "alertmanager"

TARGET = frozenset({"job", "app", "instance"})
"""Labels that the scrape configuration puts on everything."""

FOREIGN: Mapping[str, frozenset[str]] = {
    # Prometheus itself
    "up": frozenset(),
    # the kubelet
    "kubelet_volume_stats_available_bytes": frozenset({"namespace", "persistentvolumeclaim"}),
    "kubelet_volume_stats_capacity_bytes": frozenset({"namespace", "persistentvolumeclaim"}),
    # KMinion, github.com/redpanda-data/kminion, docs/metrics.md
    "kminion_exporter_up": frozenset({"version"}),
    "kminion_kafka_cluster_info": frozenset({"broker_count", "cluster_id", "cluster_version", "controller_id"}),
    "kminion_kafka_topic_high_water_mark_sum": frozenset({"topic_name"}),
    "kminion_kafka_topic_log_dir_size_total_bytes": frozenset({"topic_name"}),
    "kminion_kafka_broker_log_dir_size_total_bytes": frozenset({"broker_id"}),
    "kminion_kafka_consumer_group_members": frozenset({"group_id"}),
    # postgres_exporter, github.com/prometheus-community/postgres_exporter
    "pg_up": frozenset(),
    "pg_database_size_bytes": frozenset({"datname"}),
    "pg_stat_database_numbackends": frozenset({"datname"}),
    "pg_stat_database_xact_commit": frozenset({"datname"}),
    "pg_stat_database_xact_rollback": frozenset({"datname"}),
    "pg_stat_database_blks_hit": frozenset({"datname"}),
    "pg_stat_database_blks_read": frozenset({"datname"}),
    "pg_stat_database_deadlocks": frozenset({"datname"}),
    "pg_settings_max_connections": frozenset(),
    "pg_replication_lag_seconds": frozenset(),
}
"""What exporters of others give, with the labels that we use."""


@dataclass(frozen=True, slots=True)
class Selector:
    """One look at one metric: its name, and the labels that matchers name."""

    metric: str
    labels: frozenset[str]


@cache
def known() -> Mapping[str, frozenset[str]]:
    """Every series that can be asked for, with its own labels: ours, those of others, and what the rules record."""
    ours: dict[str, frozenset[str]] = {}
    for metric in CATALOGUE:
        labels = frozenset(metric.labels)
        if metric.kind == "histogram":
            ours |= {f"{metric.name}_count": labels, f"{metric.name}_sum": labels}
            ours[f"{metric.name}_bucket"] = labels | {"le"}
        else:
            ours[metric.name] = labels
    recorded = {str(rule["record"]): grouped(str(rule["expr"])) for rule in rules() if "record" in rule}
    return {**ours, **FOREIGN, **recorded}


def grouped(query: str) -> frozenset[str]:
    """Labels of the outermost aggregation, which the recorded series has."""
    expression = promql_parser.parse(query)
    if isinstance(expression, promql_parser.AggregateExpr) and expression.modifier is not None:
        return frozenset(expression.modifier.labels)
    return frozenset()


@cache
def rules() -> Sequence[Mapping[str, Any]]:
    loaded = (yaml.safe_load(path.read_text()) for path in sorted((PROMETHEUS / "rules").glob("*.yml")))
    return [rule for document in loaded for group in document["groups"] for rule in group["rules"]]


def alerts() -> Sequence[Mapping[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def selectors(query: str) -> Sequence[Selector]:
    """Every selector of a query; raises ValueError where it is no PromQL."""
    found: list[Selector] = []

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            names = frozenset(str(matcher.name) for matcher in node.matchers.matchers)
            found.append(Selector(str(node.name), names))

    promql_parser.walk(promql_parser.parse(query), look)
    return found


def labels_named(query: str) -> Iterator[str]:
    """Labels in `by`, `on` and the like: misspelt, they group everything into one."""
    for names in re.findall(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)", query):
        yield from (name.strip() for name in names.split(",") if name.strip())


def unknown(query: str) -> Sequence[str]:
    """What a query asks for that nobody emits: metrics, labels of them, and labels of groups."""
    wrong: list[str] = []
    there: set[str] = set(TARGET)
    for selector in selectors(query):
        own = known().get(selector.metric)
        if own is None:
            wrong.append(selector.metric)
            continue
        there |= own
        wrong += [f"{selector.metric}{{{label}}}" for label in selector.labels - own - TARGET]
    return [*wrong, *(f"by ({label})" for label in labels_named(query) if label not in there)]


def tool(*names: str) -> str:
    """The path of a program of Prometheus's; skips the test where it is not installed."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"{names[0]} is not installed (Debian: apt-get install prometheus prometheus-alertmanager)")


def run(*command: str | Path) -> str:
    """What it says; the test fails with it where it ends with an error."""
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=60)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said[-4000:]
    return said
