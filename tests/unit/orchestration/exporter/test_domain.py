"""Totals and histograms, without Dagster."""

import pytest

from orchestration.exporter.domain import BOUNDS, Durations, EndedRun, Totals, operations_of


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (1.0, 0), (1.1, 1), (BOUNDS[-1] + 1, len(BOUNDS))])
def test_a_duration_lies_in_the_first_bucket_whose_bound_it_does_not_pass(seconds: float, bucket: int) -> None:
    durations = Durations()
    durations.add(seconds)
    assert durations.counts.index(1) == bucket
    assert durations.cumulative()[-1] == ("+Inf", 1)


def test_steps_of_a_mapping_count_for_their_operation_and_other_events_for_none() -> None:
    events = [
        ("load[1]", "STEP_START"),
        ("load[1]", "STEP_OUTPUT"),
        ("load[2]", "STEP_START"),
        ("load[1]", "STEP_SUCCESS"),
        ("x", "STEP_SKIPPED"),
    ]
    assert operations_of(events) == {("load", "success"): 1, ("load", "interrupted"): 1, ("x", "skipped"): 1}


def test_an_operation_that_is_tried_again_and_killed_then_counts_for_both() -> None:
    events = [("x", "STEP_START"), ("x", "STEP_UP_FOR_RETRY"), ("x", "STEP_RESTARTED")]
    assert operations_of(events) == {("x", "retry"): 1, ("x", "interrupted"): 1}


def test_a_run_that_is_counted_twice_counts_once() -> None:
    totals = Totals()
    run = EndedRun(7, "nightly", "failure", ended_at=20.0, seconds=10.0, operations={("x", "failure"): 1})
    totals.count(run)
    totals.count(run)
    assert totals.runs == {("nightly", "failure"): 1}
    assert totals.operations == {("nightly", "x", "failure"): 1}
    assert totals.durations["nightly", "failure"].total == 10.0


def test_the_last_end_is_the_latest_whatever_the_order_of_reading() -> None:
    totals = Totals()
    for number, ended_at in ((1, 50.0), (2, 20.0)):
        totals.count(EndedRun(number, "nightly", "success", ended_at=ended_at, seconds=None, operations={}))
    assert totals.last_ended == {("nightly", "success"): 50.0}
