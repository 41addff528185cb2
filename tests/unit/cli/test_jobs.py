"""Jobs ended early, retried and watched on the command line."""

from gateway.domain.access import Role
from gateway.domain.readings import Results
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import NOON, job
from tests.unit.gateway.fakes_replays import failure


def test_cancelling_says_what_happens_now_and_what_to_type_next(desk: Desk) -> None:
    desk.signed_in()
    row = job(status="running", completed_at=None)
    desk.world.jobs.rows.append(row)
    first = desk("jobs", "cancel", str(row.job_id), "--reason", "wrong month")
    assert first.exit_code == 0
    assert "what is open fails within seconds" in first.stdout
    assert f"clearfacts jobs watch {row.job_id}" in first.stdout
    assert "it was cancelled before" in desk("jobs", "cancel", str(row.job_id), "--reason", "again").stdout


def test_a_job_that_has_ended_cannot_be_cancelled_and_one_that_is_not_there_neither(desk: Desk) -> None:
    desk.signed_in()
    row = job()
    desk.world.jobs.rows.append(row)
    refused = desk("jobs", "cancel", str(row.job_id), "--reason", "r")
    assert (refused.exit_code, "The job has ended: it is completed" in refused.stderr) == (1, True)
    missing = desk("jobs", "cancel", str(failure().id), "--reason", "r")
    assert (missing.exit_code, "No such job" in missing.stderr) == (1, True)


def test_only_operators_cancel_and_a_reason_is_needed(desk: Desk) -> None:
    desk.signed_in(Role.USER)
    row = job(status="running")
    desk.world.jobs.rows.append(row)
    assert "jobs:cancel" in desk("jobs", "cancel", str(row.job_id), "--reason", "r").stderr
    assert desk("jobs", "cancel", str(row.job_id)).exit_code == 2


def test_retrying_starts_a_replay_of_the_jobs_failures(desk: Desk) -> None:
    desk.signed_in()
    row = job(results=Results(failed=2))
    desk.world.jobs.rows.append(row)
    desk.world.replays.failures = [failure(), failure()]
    shown = desk("jobs", "retry", str(row.job_id), "--reason", "codes were wrong")
    placed = desk.world.replays.placed[0]
    assert (placed.order.source.job_id, placed.order.reason) == (row.job_id, "codes were wrong")  # pyright: ignore[reportAttributeAccessIssue]
    assert "2 invoices go again" in shown.stdout
    assert f"clearfacts replay show {placed.id} --watch" in shown.stdout


def test_retrying_nothing_says_why(desk: Desk) -> None:
    desk.signed_in()
    row = job(results=Results(held=1))
    desk.world.jobs.rows.append(row)
    shown = desk("jobs", "retry", str(row.job_id), "--reason", "r")
    assert shown.exit_code == 1
    assert "No invoice of this job is failed" in shown.stderr
    assert "1 are held for a person" in shown.stderr


def test_a_retry_without_an_answer_can_be_repeated_safely(desk: Desk) -> None:
    desk.signed_in()
    desk.away = True
    shown = desk("jobs", "retry", str(failure().id), "--reason", "r", "--idempotency-key", "k-1")
    assert (shown.exit_code, "--idempotency-key k-1" in shown.stderr) == (1, True)


def test_watching_shows_how_many_more_troubles_there_are_and_how_to_see_them(desk: Desk) -> None:
    desk.signed_in()
    row = job(errors_total=103, errors_link="/f", held_link="/h")
    desk.world.jobs.rows.append(row)
    shown = desk("jobs", "watch", str(row.job_id)).stdout
    assert "and 93 more:" in shown
    for status in ("failed", "held"):
        assert f"clearfacts invoices list --job {row.job_id} --status {status}" in shown


def test_showing_a_job_tells_when_it_will_be_done_and_waits_for_nothing(desk: Desk) -> None:
    desk.signed_in()
    row = job(status="running", completed_at=None, estimated_completion=NOON, results=Results(open=4))
    desk.world.jobs.rows.append(row)
    shown = desk("jobs", "show").stdout
    assert "probably done 2026-11-24 12:00:00Z" in " ".join(shown.split())
    assert "open 4" in " ".join(shown.split())
    assert f'"job_id": "{row.job_id}"' in desk("jobs", "show", str(row.job_id), "--json").stdout
