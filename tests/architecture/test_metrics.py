"""`docs/metrics.md` is the list in the code, and the list has the names of the customer's contract."""

from prometheus_client import REGISTRY

from common.observability.describe import document
from common.observability.metrics import CATALOGUE, DAGSTER
from tests.architecture.source import ROOT

CONTRACT = {
    "http_requests_total",
    "http_request_duration_seconds",
    "invoice_processing_total",
    "invoice_processing_duration_seconds",
    "external_api_calls_total",
    "external_api_call_duration_seconds",
    "dagster_job_runs_total",
    "dagster_job_duration_seconds",
    "dagster_asset_materializations_total",
    "dagster_operation_executions_total",
    "cpu_usage_percent",
    "memory_usage_bytes",
    "disk_usage_percent",
    "network_io_bytes",
}


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs/metrics.md").read_text(encoding="utf-8") == document(), "run: just metrics"


def test_every_name_of_the_contract_is_there() -> None:
    assert {metric.name for metric in CATALOGUE} >= CONTRACT


def test_a_name_is_there_once_and_what_is_listed_is_what_is_registered() -> None:
    listed = [metric.name for metric in CATALOGUE if metric.by != DAGSTER]
    assert len(listed) == len(set(listed))
    ours = {family.name for family in REGISTRY.collect() if not family.name.startswith(("python_", "process_"))}
    assert ours == {name.removesuffix("_total") for name in listed}
