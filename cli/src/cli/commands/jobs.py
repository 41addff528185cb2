"""Jobs: start, watch, list."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import typer

from cli.commands.dry_runs import end_of_dry_run, preview, summarise_dry_run
from cli.commands.replay import follow as follow_replay
from cli.failures import Why
from cli.progress import Progress
from cli.show import moment, plain, print_facts, print_json, print_more, print_table
from cli.surroundings import FAILED, AsJson, Surroundings, Url, fail, gateway, here, repeatable
from client import GatewayClient, Job, Started

jobs = typer.Typer(no_args_is_help=True, help="Start, watch and list jobs.")
jobs.command()(preview)

JobId = Annotated[str, typer.Argument(help="The job's id.")]
Minutes = Annotated[float, typer.Option(min=0.01, help="Minutes to watch at most; the job itself goes on.")]


@jobs.command()
def start(
    context: typer.Context,
    *,
    invoice_id: Annotated[list[str] | None, typer.Option(help="Only this source id; may be repeated.")] = None,
    force: Annotated[bool, typer.Option(help="Send again; needs --invoice-id and --reason.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit log.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: wait, then say what would go.")] = False,
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat a start that got no answer.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    minutes: Minutes = 60,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Start a job: everything new, or the given invoices.

    A dry run ends with exit code 1 where it failed, or where an invoice would fail or wait.
    """
    key = idempotency_key or str(uuid4())
    with gateway(context, url) as client:
        with repeatable(key):
            started = client.start(
                invoice_ids=invoice_id or None,
                force_processing=force,
                reason=reason,
                dry_run=dry_run,
                idempotency_key=key,
            )
        if watch or dry_run:
            follow(client, str(started.job_id), minutes, here(context), as_json=as_json)
        elif as_json:
            print_json(started)
        else:
            _tell_started(started)


@jobs.command("watch")
def watch_job(
    context: typer.Context,
    job_id: Annotated[str | None, typer.Argument(help="Else the latest job.")] = None,
    *,
    minutes: Minutes = 60,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Follow a job to its end; exit code 1 where it failed."""
    with gateway(context, url) as client:
        follow(client, job_id or _latest(client), minutes, here(context), as_json=as_json)


@jobs.command()
def show(
    context: typer.Context,
    job_id: Annotated[str | None, typer.Argument(help="Else the latest job.")] = None,
    *,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a job as it stands: its numbers, when it will be done, what went wrong."""
    with gateway(context, url) as client:
        job = client.job(job_id or _latest(client))
    if as_json:
        print_json(job)
    else:
        _summarise(job, here(context))


@jobs.command()
def cancel(context: typer.Context, job_id: JobId, *, reason: Why, url: Url = None, as_json: AsJson = False) -> None:
    """End a job early: what is open of it fails, what is being sent ends by itself."""
    with gateway(context, url) as client:
        found = client.cancel_job(job_id, reason=reason)
    if as_json:
        print_json(found)
        return
    before = f"it was cancelled before, at {moment(found.cancelled_at)}; " if found.repeated else ""
    typer.echo(f"{before}{found.message}; see its end: clearfacts jobs watch {found.job_id}")


@jobs.command()
def retry(
    context: typer.Context,
    job_id: JobId,
    *,
    reason: Why,
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat a retry that got no answer.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the replay until it stands.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Replay what failed of a job, one invoice first."""
    key = idempotency_key or str(uuid4())
    with gateway(context, url) as client:
        with repeatable(key):
            started = client.retry_failed(job_id, reason=reason, idempotency_key=key)
        if watch:
            follow_replay(client, here(context), started.replay_id, as_json=as_json)
        elif as_json:
            print_json(started)
        else:
            again = f"follow it: clearfacts replay show {started.replay_id} --watch"
            typer.echo(f"{started.replay_id}\n{started.total} invoices go again; {again}")


@jobs.command("list")
def list_jobs(
    context: typer.Context,
    *,
    status: Annotated[str | None, typer.Option(help="pending, running, completed or failed")] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="scheduled or manual")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    dry_runs: Annotated[bool, typer.Option("--dry-runs", help="Those of the last 24 hours instead of jobs.")] = False,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    with gateway(context, url) as client:
        page = client.jobs(status=status, job_type=job_type, dry_run=dry_runs, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    done = "Go" if dry_runs else "Sent"
    columns = [("Job", 36), ("Status", 9), ("Created", 11), ("Total", -6), (done, -6), ("Bad", -6)]
    rows = [
        (
            job.job_id,
            job.status,
            moment(job.created_at, short=True),
            job.results.total_invoices,
            job.preview.would_go if job.preview else job.results.processed,
            job.results.failed + job.results.held,
        )
        for job in page.items
    ]
    print_table(here(context).console, columns, rows)
    print_more(page.next_cursor)


def follow(client: GatewayClient, job_id: str, minutes: float, surroundings: Surroundings, *, as_json: bool) -> None:
    """Show a job until it ends, then what came of it; ends with code 1 where it failed, or a dry run warns."""
    if as_json:
        job = client.watch(job_id, timeout=timedelta(minutes=minutes))
        print_json(job)
    else:
        with Progress(surroundings.console) as progress:
            job = client.watch(job_id, timeout=timedelta(minutes=minutes), on_progress=progress.show)
        _summarise(job, surroundings)
    if job.dry_run:
        end_of_dry_run(job)
    if job.status == "failed":
        raise typer.Exit(FAILED)


def _latest(client: GatewayClient) -> str:
    newest = client.jobs(limit=1).items
    if not newest:
        fail("there is no job yet; start one: clearfacts jobs start")
    return str(newest[0].job_id)


def _tell_started(started: Started) -> None:
    typer.echo(f"{started.job_id}\n{started.message}; follow it: clearfacts jobs watch {started.job_id}")


def _sums(amounts: Mapping[str, str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in amounts.items())


def _summarise(job: Job, surroundings: Surroundings) -> None:
    if job.dry_run:
        summarise_dry_run(job, surroundings)
        return
    console, results = surroundings.console, job.results
    print_facts(
        console,
        [
            ("job", job.job_id),
            ("status", job.status),
            ("error", f"{job.error.message} [{job.error.code}]" if job.error else None),
            ("cancelled", moment(job.cancelled_at) if job.cancelled_at else None),
            ("probably done", moment(job.estimated_completion) if job.estimated_completion else None),
            ("seconds", job.duration_seconds),
            ("total", results.total_invoices),
            ("sent", results.processed),
            ("failed", results.failed),
            ("duplicates", results.duplicates),
            ("held", results.held),
            ("open", results.open or None),
            *((f"{bucket} amount", _sums(amounts)) for bucket, amounts in results.amounts.items()),
        ],
    )
    for trouble in job.errors[:10]:
        console.print(f"{trouble.status:<7} {plain(trouble.invoice_id)}: {plain(trouble.error)}")
    if job.errors_total > 10:
        console.print(f"and {job.errors_total - 10} more:")
        for status in [name for name, link in (("failed", job.errors_link), ("held", job.held_link)) if link]:
            console.print(f"  clearfacts invoices list --job {job.job_id} --status {status}", soft_wrap=True)
