"""What the exporter says of Dagster's storage: real runs in a real instance, killed ones among them."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance
from dagster._core.execution.plan.objects import StepSuccessData  # private: Dagster is locked
from dagster._core.test_utils import create_run_for_test
from prometheus_client.parser import text_string_to_metric_families

from common.observability.metrics import CATALOGUE, DAGSTER
from orchestration.exporter import history as reading
from orchestration.exporter.families import page
from orchestration.exporter.history import History
from orchestration.home import write_home

Samples = dict[tuple[str, tuple[str, ...]], float]


@dg.asset
def invoices() -> None: ...


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def refused() -> None:
    raise dg.Failure("refused")


@dg.job
def failing() -> None:
    refused()


loading = dg.Definitions(assets=[invoices], jobs=[dg.define_asset_job("loading", [invoices])]).resolve_job_def(
    "loading"
)


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


def scrape(history: History) -> Samples:
    """Each sample by its name and the values of its labels in the order of their names."""
    text = page(history.totals, history.read(), 1_700_000_000.0).decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def event(instance: DagsterInstance, run: dg.DagsterRun, kind: DagsterEventType, step: str | None = None) -> None:
    facts = StepSuccessData(duration_ms=1.0) if kind is DagsterEventType.STEP_SUCCESS else None
    told = DagsterEvent(kind.value, run.job_name, step_key=step, event_specific_data=facts, message="")
    instance.report_dagster_event(told, run.run_id)


def killed_in_its_middle(instance: DagsterInstance) -> dg.DagsterRun:
    """As run monitoring leaves a run whose process is gone: an operation began and nothing says how it ended."""
    run = create_run_for_test(instance, job_name="nightly")
    event(instance, run, DagsterEventType.RUN_START)
    event(instance, run, DagsterEventType.STEP_START, "night.retrieve")
    event(instance, run, DagsterEventType.STEP_SUCCESS, "night.retrieve")
    event(instance, run, DagsterEventType.STEP_START, "night.validate")
    instance.report_run_failed(run)
    return run


def test_the_four_metrics_of_the_contract_say_what_ran(instance: DagsterInstance) -> None:
    loading.execute_in_process(instance=instance)
    failing.execute_in_process(instance=instance, raise_on_error=False)
    found = scrape(History(instance))
    assert found["dagster_job_runs_total", ("loading", "success")] == 1
    assert found["dagster_job_runs_total", ("failing", "failure")] == 1
    assert found["dagster_job_runs_total", ("failing", "success")] == 0
    assert found["dagster_job_duration_seconds_count", ("loading", "success")] == 1
    assert found["dagster_job_duration_seconds_bucket", ("failing", "+Inf", "failure")] == 1
    assert found["dagster_asset_materializations_total", ("invoices",)] == 1
    assert found["dagster_operation_executions_total", ("loading", "invoices", "success")] == 1
    assert found["dagster_operation_executions_total", ("failing", "refused", "retry")] == 1
    assert found["dagster_operation_executions_total", ("failing", "refused", "failure")] == 1


def test_the_list_of_metrics_says_what_the_exporter_emits(instance: DagsterInstance) -> None:
    failing.execute_in_process(instance=instance, raise_on_error=False)
    create_run_for_test(instance, job_name="nightly")
    loading.execute_in_process(instance=instance)
    history = History(instance)
    families = text_string_to_metric_families(page(history.totals, history.read(), 0.0).decode())
    emitted = {
        (family.name + "_total" if family.type == "counter" else family.name, family.type) for family in families
    }
    assert emitted == {(metric.name, metric.kind) for metric in CATALOGUE if metric.by == DAGSTER}


def test_reading_again_counts_nothing_twice(instance: DagsterInstance) -> None:
    loading.execute_in_process(instance=instance)
    history = History(instance)
    once = scrape(history)
    assert scrape(history) == once
    loading.execute_in_process(instance=instance)
    twice = scrape(history)
    assert twice["dagster_job_runs_total", ("loading", "success")] == 2
    assert twice["dagster_asset_materializations_total", ("invoices",)] == 2
    assert twice["dagster_operation_executions_total", ("loading", "invoices", "success")] == 2


def test_a_run_that_is_tagged_after_its_end_is_not_counted_again(instance: DagsterInstance) -> None:
    failing.execute_in_process(instance=instance, raise_on_error=False)
    history = History(instance)
    once = scrape(history)
    (run,) = instance.get_runs()
    instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    assert scrape(history) == once


def test_an_exporter_that_was_restarted_says_the_same(instance: DagsterInstance) -> None:
    failing.execute_in_process(instance=instance, raise_on_error=False)
    killed_in_its_middle(instance)
    history = History(instance)
    history.read()
    loading.execute_in_process(instance=instance)
    assert scrape(history) == scrape(History(instance))


def test_a_run_that_was_killed_in_its_middle_counts_with_what_it_did(instance: DagsterInstance) -> None:
    killed_in_its_middle(instance)
    found = scrape(History(instance))
    assert found["dagster_job_runs_total", ("nightly", "failure")] == 1
    assert found["dagster_job_duration_seconds_count", ("nightly", "failure")] == 1
    assert found["dagster_operation_executions_total", ("nightly", "night.retrieve", "success")] == 1
    assert found["dagster_operation_executions_total", ("nightly", "night.validate", "interrupted")] == 1


def test_a_run_that_was_killed_before_it_began_counts_and_has_no_duration(instance: DagsterInstance) -> None:
    instance.report_run_failed(create_run_for_test(instance, job_name="nightly"))
    found = scrape(History(instance))
    assert found["dagster_job_runs_total", ("nightly", "failure")] == 1
    assert found["dagster_job_last_run_ended_timestamp_seconds", ("nightly", "failure")] > 0
    assert not [name for name, _ in found if name.startswith("dagster_job_duration_seconds")]


def test_a_run_is_open_until_it_ends_and_counts_then(instance: DagsterInstance) -> None:
    run = create_run_for_test(instance, job_name="nightly")
    event(instance, run, DagsterEventType.RUN_START)
    history = History(instance)
    began = scrape(history)
    assert began["dagster_runs_open", ("nightly", "started")] == 1
    assert began["dagster_job_runs_total", ("nightly", "failure")] == 0
    event(instance, run, DagsterEventType.RUN_SUCCESS)
    ended = scrape(history)
    assert ("dagster_runs_open", ("nightly", "started")) not in ended
    assert ended["dagster_job_runs_total", ("nightly", "success")] == 1


def test_a_history_of_several_pages_counts_wholly(instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    for _ in range(5):
        loading.execute_in_process(instance=instance)
    found = scrape(History(instance))
    assert found["dagster_job_runs_total", ("loading", "success")] == 5
    assert found["dagster_asset_materializations_total", ("invoices",)] == 5


def test_a_reading_that_fails_in_its_middle_loses_nothing(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        loading.execute_in_process(instance=instance)
    history = History(instance)
    healthy, asked = instance.get_records_for_run, iter([True, False])

    def away(*args: object, **options: object) -> object:
        if next(asked, True):
            return healthy(*args, **options)  # pyright: ignore[reportArgumentType] - handed on
        raise ConnectionError("storage away")

    monkeypatch.setattr(instance, "get_records_for_run", away)
    with pytest.raises(ConnectionError):
        history.read()
    assert scrape(history)["dagster_job_runs_total", ("loading", "success")] == 3


def test_a_daemon_without_a_heartbeat_is_not_healthy(tmp_path: Path) -> None:
    write_home(tmp_path, code_server_port=1, postgres=False)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        found = scrape(History(instance))
    daemons = {labels[0]: value for (name, labels), value in found.items() if name == "dagster_daemon_healthy"}
    assert daemons["SCHEDULER"] == 0
    assert set(daemons.values()) == {0.0}
