"""The metrics' names and labels. The first four are the customer's contract; `tests` hold alerts and panels to this."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from orchestration.exporter.domain import Totals
from orchestration.exporter.history import Moment

OUTCOMES = ("success", "failure", "canceled")


class Families(Collector):
    """`totals` and what holds now, as Prometheus wants them."""

    def __init__(self, totals: Totals, moment: Moment, read_at: float) -> None:
        self._totals = totals
        self._moment = moment
        self._read_at = read_at

    def collect(self) -> Iterator[Metric]:
        yield self._runs()
        yield self._durations()
        yield _counter(
            "dagster_asset_materializations", "Materialisations", ("asset",),
            {(asset,): count for asset, count in self._totals.materializations.items()},
        )  # fmt: skip
        yield _counter(
            "dagster_operation_executions", "Executions of operations in ended runs", ("job", "op", "status"),
            self._totals.operations,
        )  # fmt: skip
        yield _gauge(
            "dagster_job_last_run_ended_timestamp_seconds", "When the last run with this end ended",
            ("job", "status"), self._totals.last_ended,
        )  # fmt: skip
        yield _gauge(
            "dagster_runs_open", "Runs that have not ended", ("job", "status"), self._moment.open_runs
        )  # fmt: skip
        yield _gauge(
            "dagster_daemon_healthy", "1 while this daemon's heartbeat is fresh", ("daemon",),
            {(name,): float(healthy) for name, healthy in self._moment.daemons.items()},
        )  # fmt: skip
        read = GaugeMetricFamily("dagster_storage_read_timestamp_seconds", "When Dagster's storage was last read")
        read.add_metric([], self._read_at)
        yield read

    def _runs(self) -> Metric:
        """With zeros: the first failure of a job must be a rise, not a new series."""
        jobs = {job for job, _ in self._totals.runs} | {job for job, _ in self._moment.open_runs}
        counts = {(job, status): self._totals.runs[job, status] for job in jobs for status in OUTCOMES}
        return _counter("dagster_job_runs", "Runs that ended", ("job", "status"), counts)

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "dagster_job_duration_seconds", "From a run's start to its end", labels=("job", "status")
        )
        for key, durations in sorted(self._totals.durations.items()):
            family.add_metric(key, buckets=durations.cumulative(), sum_value=durations.total)
        return family


def page(totals: Totals, moment: Moment, read_at: float) -> bytes:
    """The text that a scrape gets."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families(totals, moment, read_at))
    return generate_latest(registry)


def _counter(name: str, help_text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _gauge(name: str, help_text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family
