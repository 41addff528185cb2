"""The metrics for people: `python -m common.observability.describe` writes `docs/metrics.md` to standard output."""

import sys
from collections.abc import Iterator

from common.observability.metrics import CATALOGUE, Described

_HEAD = """# Metrics
Written by `just metrics` from `common.observability.metrics`; a test compares the two, another that each is emitted.

Every service answers `GET /metrics` on its `HTTP_PORT`, in the text format of Prometheus. Counters start at 0 with
their process: ask for `rate` or `increase`. A histogram has `_bucket`, `_sum` and `_count`. What comes "from the
database" is read each 15 s by every replica of the notifier: ask for `max by`, not for a sum. Labels never hold a
name, a number of a company or a document. How logs, metrics and traces fit together: [telemetry](telemetry.md).
"""


def document() -> str:
    """The page as it is committed."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _HEAD
    for row in (("metric", "type", "labels", "unit", "tells", "from"), ["---"] * 6, *map(_row, CATALOGUE)):
        yield f"| {' | '.join(row)} |"


def _row(metric: Described) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"`{metric.name}`", metric.kind, labels, metric.unit, metric.tells, metric.by


if __name__ == "__main__":
    sys.stdout.write(document())
