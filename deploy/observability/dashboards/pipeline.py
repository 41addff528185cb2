"""The way of an invoice, station by station, and how well the others answer."""

from deploy.observability.dashboards.panels import RATE, Dashboard, Row, lines, quantile, rate, stat

NOW = Row("Now", [
    stat("Paused", "max(sending_paused)", bad=1),
    stat("Administrations paused", "max(sending_paused_administrations)", bad=1),
    stat("Breaker open", "max(destination_breaker_open)", bad=1),
    stat("Memory lost", "max(amnesia_suspected)", bad=1,
         says="The database has forgotten sends: nothing is listed or sent."),
    stat("Parked records", "sum(max by (cause) (dead_letters_open))", bad=1),
    stat("Budget of sending left", "sending:error_budget:left30d", "percentunit",
         says="Of a month: 1 % of documents may get no answer about the document."),
])  # fmt: skip
STATIONS = Row("Stations", [
    lines("Records not acknowledged", ("group_topic:kafka_consumer_lag_records:max", "{{group}} {{topic}}")),
    lines("Records", (rate("kafka_records_total", "group"), "{{group}}"), unit="ops"),
    lines("Records of a batch, half have less", (quantile(0.5, "kafka_batch_records", "group"), "{{group}}")),
    lines("The oldest open one", ("stage:open_invoices_oldest_seconds:max", "{{stage}}"), unit="s"),
    lines("From row to stage, 95 %", (quantile(0.95, "invoice_processing_duration_seconds", "stage"), "{{stage}}"),
          unit="s"),
    lines("Taken by a sweep", (rate("swept_rows_total", "service", "stage"), "{{service}} {{stage}}"), unit="ops",
          says="Rows that nobody moved in time: after a kill, and where an announcement was lost."),
    lines("How batches ended",
          (rate("kafka_batches_total", "group", "outcome"), "{{group}} {{outcome}}"),
          (f"sum(rate(kafka_commits_failed_total[{RATE}]))", "commits that failed"), unit="ops"),
    lines("Parked records, by cause",
          ("max by (cause) (dead_letters_open)", "{{cause}}"), (rate("dead_letters_total", "group"), "new: {{group}}")),
    lines("Held, the oldest", ("reason:held_invoices_oldest_seconds:max", "{{reason}}"), unit="s"),
])  # fmt: skip
OTHERS = Row("Clearfacts and the others", [
    lines("Documents on their way", ("sum(sends_in_flight)", "on their way"),
          ("sum(sends_allowed)", "allowed at once")),
    lines("Answers", (rate("external_api_calls_total", "api", "outcome"), "{{api}} {{outcome}}"), unit="ops"),
    lines("Seconds of a call, 95 %",
          (quantile(0.95, "external_api_call_duration_seconds", "api", "method"), "{{api}} {{method}}"), unit="s"),
    lines("Share of documents without an answer",
          ("sending:errors:ratio_rate5m", "5 minutes"), ("sending:errors:ratio_rate1h", "an hour"),
          unit="percentunit"),
    lines("Probes", (rate("destination_probes_total", "outcome"), "{{outcome}}"), unit="ops"),
])  # fmt: skip

PIPELINE = Dashboard(
    uid="clearfacts-pipeline",
    title="Clearfacts / Pipeline",
    says="Where invoices are, how fast they move, and who holds them up.",
    rows=[NOW, STATIONS, OTHERS],
)
