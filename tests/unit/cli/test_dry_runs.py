"""Dry runs on the command line."""

import json
from uuid import UUID, uuid4

from gateway.domain.previews import JobPreview, Outcome, PreviewCause, PreviewItem
from gateway.domain.readings import JobFault, JobStatus, Results
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import NOON, job


def dry_run(go: int = 212, fail: int = 0, wait: int = 0, **given: object) -> JobStatus:
    results = Results(go + fail + wait + 3, failed=fail, held=wait, duplicates=3, amounts={"would_go": {"EUR": "9.50"}})
    preview = JobPreview(go, fail, wait, 3, 0, 0, NOON)
    return job(results=results, dry_run=True, preview=preview, preview_link="/p", **given)


def item(outcome: Outcome, place: int, **given: object) -> PreviewItem:
    nothing = dict.fromkeys(PreviewItem.__dataclass_fields__)
    fields = {"id": UUID(int=place), "invoice_id": f"s-{place}", "outcome": outcome}
    return PreviewItem(**nothing | fields | given)  # pyright: ignore[reportArgumentType]


def test_processing_dry_waits_and_says_what_would_go_and_why_not(desk: Desk) -> None:
    desk.signed_in()
    cause = PreviewCause("would_fail", "invalid", "BR-CO-15", 9, "s-1", "BR-CO-15: totals differ")
    row = dry_run(fail=9, preview_causes=[cause])
    desk.world.jobs.rows.append(row)
    shown = desk("jobs", "watch", str(row.job_id))
    for words in (
        "would go     212",
        "would fail   9",
        "duplicates   3",
        "BR-CO-15",
        "9.50 EUR",
        "2026-11-24 12:00:00Z",
    ):
        assert words in shown.stdout
    assert f"clearfacts jobs preview {row.job_id}" in shown.stdout
    assert shown.exit_code == 1


def test_the_order_says_that_it_is_dry_and_is_announced_to_nobody(desk: Desk) -> None:
    desk.signed_in()
    shown = desk("process", "--dry-run", "--invoice-id", "A", "--minutes", "0.01")
    (placed,) = desk.world.jobs.placed
    assert (placed.order.dry_run, placed.order.invoice_ids) == (True, ("A",))
    assert desk.world.requests.announced == []
    assert "No such job" in shown.stderr  # the fakes make no row: it waits for one


def test_exit_codes_say_whether_all_is_well(desk: Desk) -> None:
    desk.signed_in()
    rows = {
        0: [dry_run(), dry_run(go=0)],
        1: [dry_run(fail=1), dry_run(wait=1), dry_run(status="failed", error=JobFault("CANCELLED", "cancelled", {}))],
    }
    for code, some in rows.items():
        for row in some:
            desk.world.jobs.rows.append(row)
            assert desk("jobs", "watch", str(row.job_id)).exit_code == code


def test_each_invoice_is_listed_with_its_reason(desk: Desk) -> None:
    desk.signed_in()
    run = uuid4()
    desk.world.dry_runs.rows[run] = [
        item("would_fail", 1, error="BR-01: no", number="N-1"),
        item("duplicate", 2, twin=UUID(int=9)),
        item("would_go", 3, amount="5.00", currency="EUR"),
    ]
    shown = json.loads(desk("jobs", "preview", str(run), "--outcome", "duplicate", "--json").stdout)
    assert [found["invoice_id"] for found in shown["items"]] == ["s-2"]
    shown = desk("jobs", "preview", str(run), "--limit", "2").stdout
    assert ("N-1" in shown, "BR-01" in shown, "more: --cursor" in shown) == (True, True, True)
    assert "No such dry run" in desk("jobs", "preview", str(uuid4())).stderr


def test_jobs_and_dry_runs_are_listed_apart(desk: Desk) -> None:
    desk.signed_in()
    real, dry = job(), dry_run()
    desk.world.jobs.rows += [real, dry]
    jobs, dry_runs = desk("jobs", "list").stdout, desk("jobs", "list", "--dry-runs").stdout
    assert (str(real.job_id) in jobs, str(dry.job_id) in jobs) == (True, False)
    assert (str(dry.job_id) in dry_runs, "212" in dry_runs) == (True, True)
