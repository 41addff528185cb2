"""Every metric, once: its name, what it tells, its labels, who emits it. `docs/metrics.md` is made from `CATALOGUE`.

Names of the customer's contract keep their spelling.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_WAITING = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
_RECORDS = (1, 2, 5, 10, 25, 50, 100, 250, 500)

EVERY = "every service"
CONSUMERS = "fetcher, validator, sender, notifier"
FROM_ROWS = "notifier, from the database"
DAGSTER = "dagster-exporter"


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as people read about it; `name` as it is scraped."""

    name: str
    kind: str
    tells: str
    labels: tuple[str, ...]
    by: str

    @property
    def unit(self) -> str:
        stem = self.name.removesuffix("_total")
        return next((unit for unit in ("seconds", "bytes", "percent", "records") if stem.endswith(unit)), "")


CATALOGUE: list[Described] = []


def _counter(name: str, tells: str, labels: Sequence[str] = (), *, by: str) -> Counter:
    CATALOGUE.append(Described(name, "counter", tells, tuple(labels), by))
    return Counter(name, tells, labels)


def _gauge(name: str, tells: str, labels: Sequence[str] = (), *, by: str) -> Gauge:
    CATALOGUE.append(Described(name, "gauge", tells, tuple(labels), by))
    return Gauge(name, tells, labels)


def _histogram(name: str, tells: str, labels: Sequence[str], buckets: Sequence[float], *, by: str) -> Histogram:
    CATALOGUE.append(Described(name, "histogram", tells, tuple(labels), by))
    return Histogram(name, tells, labels, buckets=buckets)


def _elsewhere(name: str, kind: str, tells: str, labels: Sequence[str]) -> None:
    """Emitted by a process that makes its families itself."""
    CATALOGUE.append(Described(name, kind, tells, tuple(labels), DAGSTER))


# HTTP
HTTP_REQUESTS = _counter(
    "http_requests_total", "HTTP requests answered", ["method", "route", "status"], by="gateway"
)  # fmt: skip
HTTP_REQUEST_SECONDS = _histogram(
    "http_request_duration_seconds", "Time to answer an HTTP request", ["method", "route"], _LATENCY, by="gateway"
)

# Invoices
INVOICES_PROCESSED = _counter(
    "invoice_processing_total", "Invoices that reached a stage", ["service", "stage", "reason"],
    by="gateway, fetcher, validator, sender",
)  # fmt: skip
INVOICE_SECONDS = _histogram(
    "invoice_processing_duration_seconds", "From the row's creation to its stage", ["stage"], _WAITING,
    by="gateway, fetcher, validator, sender",
)  # fmt: skip
END_TO_END_SECONDS = _histogram(
    "invoice_end_to_end_seconds", "From the request of the job to the end of one of its invoices", ["outcome"],
    _WAITING, by="gateway, fetcher, validator, sender",
)  # fmt: skip
RETRIES = _counter(
    "invoice_retries_total", "Invoices that go round again, by why", ["service", "reason"],
    by="gateway, fetcher, validator, sender",
)  # fmt: skip
SWEPT = _counter(
    "swept_rows_total", "Rows taken by a sweeper because nobody moved them in time", ["service", "stage"],
    by="fetcher, validator, sender",
)  # fmt: skip
OPEN_INVOICES = _gauge("open_invoices", "Invoices that are not over, by where they stand", ["stage"], by=FROM_ROWS)
OPEN_OLDEST_SECONDS = _gauge(
    "open_invoices_oldest_seconds", "For how long the one of them that moved longest ago stands there", ["stage"],
    by=FROM_ROWS,
)  # fmt: skip
HELD_INVOICES = _gauge("held_invoices", "Invoices that wait for a person, by why", ["reason"], by=FROM_ROWS)
HELD_OLDEST_SECONDS = _gauge(
    "held_invoices_oldest_seconds", "For how long the oldest of them waits", ["reason"], by=FROM_ROWS
)

# Jobs
JOBS_FINISHED = _counter(
    "jobs_finished_total", "Jobs that ended, by who asked (scheduled, manual) and how", ["type", "status"], by="fetcher"
)
BALANCE_BROKEN = _counter("balance_broken_total", "Jobs whose balance proof failed", by="fetcher")
LAST_SCHEDULED_STARTED = _gauge(
    "last_scheduled_job_started_timestamp_seconds", "When the newest scheduled job was taken up; 0: never",
    by=FROM_ROWS,
)  # fmt: skip
LAST_SCHEDULED_COMPLETED = _gauge(
    "last_scheduled_job_completed_timestamp_seconds", "When a scheduled job last completed; 0: never", by=FROM_ROWS
)

# Systems of others, and the way there
EXTERNAL_CALLS = _counter(
    "external_api_calls_total", "Calls to systems of others", ["api", "method", "outcome"],
    by="fetcher, sender, notifier",
)  # fmt: skip
EXTERNAL_CALL_SECONDS = _histogram(
    "external_api_call_duration_seconds", "Time of a call to a system of others", ["api", "method"], _LATENCY,
    by="fetcher, sender, notifier",
)  # fmt: skip
SENDS_IN_FLIGHT = _gauge("sends_in_flight", "Documents on their way to the destination", by="sender")
SENDS_ALLOWED = _gauge(
    "sends_allowed", "Documents that may be on their way at once; adapts to the destination", by="sender"
)
BREAKER_OPEN = _gauge("destination_breaker_open", "1 while the destination is left alone", by="sender")
PROBES = _counter(
    "destination_probes_total", "Probes of a destination that is left alone", ["outcome"], by="sender"
)  # fmt: skip
SENDING_PAUSED = _gauge("sending_paused", "1 while a person has paused the sender", by=FROM_ROWS)
ADMINISTRATIONS_PAUSED = _gauge(
    "sending_paused_administrations", "Administrations whose sending a person has paused", by=FROM_ROWS
)
AMNESIA = _gauge(
    "amnesia_suspected", "1 while the database seems to have forgotten sends, so that nothing is sent", by=FROM_ROWS
)

# Kafka
BATCHES = _counter("kafka_batches_total", "Batches by how they ended", ["group", "outcome"], by=CONSUMERS)
BATCH_RECORDS = _histogram("kafka_batch_records", "Records of a batch", ["group"], _RECORDS, by=CONSUMERS)
RECORDS = _counter("kafka_records_total", "Records consumed", ["group"], by=CONSUMERS)
COMMITS_FAILED = _counter(
    "kafka_commits_failed_total", "Offset commits that failed; the batch comes again", by=CONSUMERS
)
LAG_RECORDS = _gauge(
    "kafka_consumer_lag_records", "Records of a topic that a consumer group has not acknowledged", ["group", "topic"],
    by="notifier, from the broker",
)  # fmt: skip
DEAD_LETTERS = _counter(
    "dead_letters_total", "Records parked because they cannot be read or worked", ["group"], by=CONSUMERS
)
DEAD_LETTERS_OPEN = _gauge(
    "dead_letters_open", "Parked records that nobody has replayed or archived, by the code of their cause", ["cause"],
    by=FROM_ROWS,
)  # fmt: skip

# People and integrators
NOTIFICATIONS = _counter(
    "notifications_total", "Messages to people by how they ended", ["channel", "outcome"], by="notifier"
)  # fmt: skip
NOTIFICATIONS_OLDEST_SECONDS = _gauge(
    "notifications_waiting_oldest_seconds", "For how long the oldest message that is due waits to be told",
    ["channel"], by=FROM_ROWS,
)  # fmt: skip
WEBHOOKS = _counter(
    "webhook_deliveries_total", "Attempts to deliver to integrators by how they ended", ["outcome"], by="notifier"
)

# Processes and machines
LOOP_LAG_SECONDS = _gauge("event_loop_lag_seconds", "How late the event loop's own tick was", by=EVERY)
ROWS_READ_AT = _gauge(
    "database_gauges_read_timestamp_seconds", "When the gauges from the database were last read", by="notifier"
)
SPANS = _counter(
    "trace_spans_total", "Spans by what became of them: exported, failed, dropped", ["outcome"], by=EVERY
)  # fmt: skip
CPU_PERCENT = _gauge(
    "cpu_usage_percent", "Processor time since the last scrape: of the host of all cores, of the process of one",
    ["scope"], by=EVERY,
)  # fmt: skip
MEMORY_BYTES = _gauge("memory_usage_bytes", "Memory in use by the host, resident of the process", ["scope"], by=EVERY)
DISK_PERCENT = _gauge("disk_usage_percent", "Of the file system that the process works in", by=EVERY)
NETWORK_BYTES = _gauge(
    "network_io_bytes", "Bytes that the host has sent and received since its start", ["direction"], by=EVERY
)

# Dagster's, read from its storage
_elsewhere("dagster_job_runs_total", "counter", "Runs that ended", ["job", "status"])
_elsewhere("dagster_job_duration_seconds", "histogram", "From a run's start to its end", ["job", "status"])
_elsewhere("dagster_asset_materializations_total", "counter", "Materialisations", ["asset"])
_elsewhere(
    "dagster_operation_executions_total", "counter", "Executions of operations in ended runs", ["job", "op", "status"]
)
_elsewhere(
    "dagster_job_last_run_ended_timestamp_seconds", "gauge", "When the last run with this end ended", ["job", "status"]
)
_elsewhere("dagster_runs_open", "gauge", "Runs that have not ended", ["job", "status"])
_elsewhere("dagster_daemon_healthy", "gauge", "1 while this daemon's heartbeat is fresh", ["daemon"])
_elsewhere("dagster_storage_read_timestamp_seconds", "gauge", "When Dagster's storage was last read", [])
