"""A fact is said once: topics and metrics have one file each."""

import ast
import re

from prometheus_client import Counter, Gauge, Histogram

from common.contracts.topics import all_topics
from common.observability import metrics
from tests.architecture.source import ROOT, imported, shown, sources, strings, tree

TOPICS = ROOT / "libs/common/src/common/contracts/topics.py"
METRICS = ROOT / "libs/common/src/common/observability/metrics.py"
TOPIC = re.compile(r"\b[a-z_]+\.[a-z_]+\.v\d+\b|\.dlq\b|\.v\d+$")


def metric_names() -> set[str]:
    kinds = (Counter, Gauge, Histogram)
    families = [family for kind in vars(metrics).values() if isinstance(kind, kinds) for family in kind.collect()]
    names = {family.name for family in families} | {f"{f.name}_total" for f in families if f.type == "counter"}
    return {name for name in names if "_" in name}  # a stem of one word is a word


def test_topics_are_written_in_one_file() -> None:
    assert all(TOPIC.search(spec.name) for spec in all_topics())
    found = [
        f"{shown(path)}:{line} {text[:60]!r}"
        for path in sources()
        if path != TOPICS
        for line, text in strings(path)
        if TOPIC.search(text)
    ]
    assert not found, "\n".join(found)


def test_metrics_are_made_in_one_file() -> None:
    made = [
        f"{shown(path)}:{node.lineno}"
        for path in sources()
        if path != METRICS and any(name.startswith("prometheus_client") for _, name in imported(path))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
    ]
    assert not made, "\n".join(made)


def test_metrics_are_named_in_one_file() -> None:
    names = metric_names()
    assert "invoice_processing_total" in names
    found = [
        f"{shown(path)}:{line} {text!r}"
        for path in sources()
        if path != METRICS
        for line, text in strings(path)
        if text in names
    ]
    assert not found, "\n".join(found)
