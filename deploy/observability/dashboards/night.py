"""What one looks at in the morning: did the night run, what did it leave, was somebody told."""

from deploy.observability.dashboards.panels import RATE, Dashboard, Row, lines, quantile, rate, stat

DID_IT_RUN = Row("Did it run?", [
    stat("Since it started", "time() - max(last_scheduled_job_started_timestamp_seconds)", "s", bad=26 * 3600),
    stat("Since one completed", "time() - max(last_scheduled_job_completed_timestamp_seconds)", "s", bad=30 * 3600),
    stat("Scheduled jobs that failed, 24 h",
         'sum(increase(jobs_finished_total{type="scheduled", status="failed"}[24h])) or vector(0)', bad=1),
    stat("Balances broken, 24 h", "sum(increase(balance_broken_total[24h]))", bad=1,
         says="What was listed, what our rows say and what Clearfacts accepted did not agree."),
    stat("Open now", "sum(max by (stage) (open_invoices))"),
    stat("Held now", "sum(max by (reason) (held_invoices))", bad=1),
])  # fmt: skip
INVOICES = Row("What became of the invoices", [
    lines("Invoices by stage reached", (rate("invoice_processing_total", "stage"), "{{stage}}"), unit="ops", width=12),
    lines("From request to end",
          (quantile(0.5, "invoice_end_to_end_seconds", "outcome"), "half of {{outcome}}"),
          (quantile(0.95, "invoice_end_to_end_seconds", "outcome"), "95 % of {{outcome}}"), unit="s", width=12),
    lines("Open, by where they stand", ("max by (stage) (open_invoices)", "{{stage}}"), stacked=True),
    lines("Held, by why", ("max by (reason) (held_invoices)", "{{reason}}"), stacked=True),
    lines("Go round again, by why",
          (rate("invoice_retries_total", "service", "reason"), "{{service}}: {{reason}}"), unit="ops"),
])  # fmt: skip
TOLD = Row("Were people told?", [
    lines("Messages",
          (f"sum by (channel, outcome) (increase(notifications_total[{RATE}]))", "{{channel}} {{outcome}}")),
    lines("The oldest message that waits",
          ("max by (channel) (notifications_waiting_oldest_seconds)", "{{channel}}"), unit="s"),
    lines("Deliveries to integrators", (rate("webhook_deliveries_total", "outcome"), "{{outcome}}"), unit="ops"),
])  # fmt: skip

NIGHT = Dashboard(
    uid="clearfacts-night",
    title="Clearfacts / The night",
    says="Did last night run, what did it leave, and were people told?",
    since="now-24h",
    rows=[DID_IT_RUN, INVOICES, TOLD],
)
