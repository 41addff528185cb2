"""One service, or several beside each other: is it there, is it well, what does it do."""

from deploy.observability.dashboards.panels import RATE, Dashboard, Row, lines, quantile, rate, stat

OF_IT = 'app=~"$app"'

THERE = Row("Is it there?", [
    stat("Processes", f"sum(up{{{OF_IT}}})"),
    stat("That do not answer", f"count(up{{{OF_IT}}} == 0) or vector(0)", bad=1),
    stat("Late by", f"max(app:event_loop_lag_seconds:avg5m{{{OF_IT}}})", "s", bad=0.25,
         says="How late the event loop is with everything it does."),
    stat("Gateway: errors of 5 minutes", "gateway:http_errors:ratio_rate5m", "percentunit", bad=0.001),
    stat("Gateway: 95 % within", "gateway:http_request_duration_seconds:p95_5m", "s", bad=1),
    stat("Gateway: budget left", "gateway:http_error_budget:left30d", "percentunit",
         says="Of a month: one request in a thousand may be answered with 5xx."),
])  # fmt: skip
NEEDS = Row("What it needs", [
    lines("Processor", (f'cpu_usage_percent{{scope="process", {OF_IT}}}', "{{app}} {{instance}}"), unit="percent",
          says="100 is one core."),
    lines("Memory", (f'memory_usage_bytes{{scope="process", {OF_IT}}}', "{{app}} {{instance}}"), unit="bytes"),
    lines("Event loop late", (f"event_loop_lag_seconds{{{OF_IT}}}", "{{app}} {{instance}}"), unit="s"),
    lines("Disk", (f"disk_usage_percent{{{OF_IT}}}", "{{app}} {{instance}}"), unit="percent"),
    lines("Network of its host", (f"rate(network_io_bytes{{{OF_IT}}}[{RATE}])", "{{app}} {{direction}}"), unit="Bps"),
    lines("Spans", (rate("trace_spans_total", "app", "outcome", where=OF_IT), "{{app}} {{outcome}}"), unit="ops"),
])  # fmt: skip
DOES = Row("What it does", [
    lines("Batches", (rate("kafka_batches_total", "app", "outcome", where=OF_IT), "{{app}} {{outcome}}"), unit="ops"),
    lines("Invoices",
          (rate("invoice_processing_total", "app", "stage", "reason", where=OF_IT), "{{app}} {{stage}} {{reason}}"),
          unit="ops"),
    lines("Calls to others",
          (rate("external_api_calls_total", "app", "api", "outcome", where=OF_IT), "{{app}} {{api}} {{outcome}}"),
          unit="ops"),
])  # fmt: skip
GATEWAY = Row("Gateway", [
    lines("Requests", (rate("http_requests_total", "status"), "{{status}}"), unit="reqps"),
    lines("Slowest routes, 95 %",
          (f"topk(5, {quantile(0.95, 'http_request_duration_seconds', 'method', 'route')})", "{{method}} {{route}}"),
          unit="s"),
    lines("Errors by route",
          (rate("http_requests_total", "method", "route", where='status=~"5.."'), "{{method}} {{route}}"),
          unit="reqps"),
])  # fmt: skip

SERVICE = Dashboard(
    uid="clearfacts-service",
    title="Clearfacts / One service",
    says="Is it there, is it well, what does it do? Choose it above.",
    choices={"app": 'label_values(up{job="clearfacts"}, app)'},
    rows=[THERE, NEEDS, DOES, GATEWAY],
)
