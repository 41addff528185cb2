"""Every metric name, once. Names of the customer's contract keep their spelling."""

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

HTTP_REQUESTS = Counter("http_requests_total", "HTTP requests answered", ["method", "route", "status"])
HTTP_REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds", "Time to answer an HTTP request", ["method", "route"], buckets=_LATENCY
)
INVOICES_PROCESSED = Counter(
    "invoice_processing_total", "Invoices that reached a stage", ["service", "stage", "reason"]
)
INVOICE_SECONDS = Histogram(
    "invoice_processing_duration_seconds",
    "From the row's creation to its stage",
    ["stage"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400),
)
EXTERNAL_CALLS = Counter("external_api_calls_total", "Calls to systems of others", ["api", "method", "outcome"])
EXTERNAL_CALL_SECONDS = Histogram(
    "external_api_call_duration_seconds", "Time of a call to a system of others", ["api", "method"], buckets=_LATENCY
)

BATCHES = Counter("kafka_batches_total", "Batches by how they ended", ["group", "outcome"])
COMMITS_FAILED = Counter("kafka_commits_failed_total", "Offset commits that failed; the batch comes again")
RECORDS = Counter("kafka_records_total", "Records consumed", ["group"])
DEAD_LETTERS = Counter("dead_letters_total", "Records parked because they cannot be read or worked", ["group"])
SWEPT = Counter("swept_rows_total", "Rows taken by a sweeper because nobody moved them in time", ["service", "stage"])
SENDS_IN_FLIGHT = Gauge("sends_in_flight", "Documents on their way to the destination")
SENDS_ALLOWED = Gauge("sends_allowed", "Documents that may be on their way at once; adapts to the destination")
BREAKER_OPEN = Gauge("destination_breaker_open", "1 while the destination is left alone")
PROBES = Counter("destination_probes_total", "Probes of a destination that is left alone", ["outcome"])
LOOP_LAG_SECONDS = Gauge("event_loop_lag_seconds", "How late the event loop's own tick was")
BALANCE_BROKEN = Counter("balance_broken_total", "Jobs whose balance proof failed")
NOTIFICATIONS = Counter("notifications_total", "Messages to people by how they ended", ["channel", "outcome"])
WEBHOOKS = Counter("webhook_deliveries_total", "Attempts to deliver to integrators by how they ended", ["outcome"])
