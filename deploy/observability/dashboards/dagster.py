"""Dagster's runs, as its storage tells them."""

from deploy.observability.dashboards.panels import Dashboard, Row, lines, stat

SECONDS = "dagster_job_duration_seconds"
LAST = "dagster_job_last_run_ended_timestamp_seconds"
NIGHTLY = 'job="daily_processing", status="success"'

NOW = Row("Now", [
    stat("Daemons without a heartbeat", "count(dagster_daemon_healthy == 0) or vector(0)", bad=1),
    stat("Runs that have not ended", "sum(dagster_runs_open) or vector(0)"),
    stat("Runs that failed, 24 h", 'sum(increase(dagster_job_runs_total{status="failure"}[24h]))', bad=1),
    stat("Since the nightly one succeeded", f"time() - max({LAST}{{{NIGHTLY}}})", "s", bad=26 * 3600),
    stat("Since the storage was read", "time() - max(dagster_storage_read_timestamp_seconds)", "s", bad=300),
])  # fmt: skip
RUNS = Row("Runs", [
    lines("That ended", ("sum by (job, status) (increase(dagster_job_runs_total[1h]))", "{{job}} {{status}}")),
    lines("How long, on average of a day",
          (f"sum by (job) (increase({SECONDS}_sum[1d])) / (sum by (job) (increase({SECONDS}_count[1d])) > 0)",
           "{{job}}"), unit="s"),
    lines("How long, 95 % of a week",
          (f"histogram_quantile(0.95, sum by (le, job) (increase({SECONDS}_bucket[7d])))", "{{job}}"), unit="s"),
    lines("Operations that did not end well",
          ('sum by (job, op, status) (increase(dagster_operation_executions_total{status!="success"}[1h]))',
           "{{job}} {{op}} {{status}}")),
    lines("Materialisations", ("sum by (asset) (increase(dagster_asset_materializations_total[1h]))", "{{asset}}")),
    lines("Daemons", ("min by (daemon) (dagster_daemon_healthy)", "{{daemon}}")),
])  # fmt: skip

DAGSTER = Dashboard(
    uid="clearfacts-dagster",
    title="Clearfacts / Dagster",
    says="Runs, operations, assets and daemons, read from Dagster's storage.",
    since="now-2d",
    rows=[NOW, RUNS],
)
