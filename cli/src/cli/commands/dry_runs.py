"""What a job would do: its numbers, why what would not go, and each invoice."""

from collections.abc import Iterator
from typing import Annotated

import typer

from cli.show import moment, plain, print_facts, print_json, print_more, print_table
from cli.surroundings import FAILED, AsJson, Surroundings, Url, gateway, here
from client import Job, JobPreview, PreviewItem


def preview(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="The dry run's id.")],
    *,
    outcome: Annotated[
        str | None, typer.Option(help="would_go, would_fail, would_wait, duplicate, known or open; else all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the invoices of a dry run: what would become of each, and why."""
    with gateway(context, url) as client:
        page = client.preview(job_id, outcome=outcome, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    console = here(context).console
    columns = [("Invoice", 20), ("Would", 10), ("Amount", -12), ("Why", max(30, console.width - 46))]
    print_table(console, columns, [_cells(item) for item in page.items])
    print_more(page.next_cursor)


def summarise_dry_run(job: Job, surroundings: Surroundings) -> None:
    """The numbers, the causes, and where the invoices are listed."""
    console, found = surroundings.console, job.preview
    if found is None:
        return
    print_facts(
        console,
        [
            ("dry run", job.job_id),
            ("status", job.status),
            ("error", f"{job.error.message} [{job.error.code}]" if job.error else None),
            ("cancelled", moment(job.cancelled_at) if job.cancelled_at else None),
            ("seconds", job.duration_seconds),
            *_numbers(found),
            ("amount", ", ".join(f"{sum_} {name}" for name, sum_ in job.results.amounts.get("would_go", {}).items())),
            ("vanishes", moment(found.expires_at)),
        ],
    )
    if job.preview_causes:
        columns = [("Invoices", -8), ("Would", 10), ("Why", 24), ("For example", 40)]
        rows = [
            (cause.invoices, cause.outcome, cause.rule or cause.reason or "-", cause.example_error or cause.example)
            for cause in job.preview_causes
        ]
        print_table(console, columns, rows)
    if job.preview_link:
        console.print(f"each of them: clearfacts jobs preview {job.job_id}", soft_wrap=True)


def end_of_dry_run(job: Job) -> None:
    """Exit code 1 where it failed, or an invoice would fail or wait."""
    found = job.preview
    if job.status == "failed" or (found is not None and (found.would_fail or found.would_wait)):
        raise typer.Exit(FAILED)


def _numbers(found: JobPreview) -> Iterator[tuple[str, object]]:
    yield "would go", found.would_go
    yield "would fail", found.would_fail
    yield "would wait", found.would_wait
    yield "duplicates", found.duplicates
    yield "known before", found.known
    yield "not judged", found.open or None


def _cells(item: PreviewItem) -> tuple[object, ...]:
    amount = "-" if item.amount is None else f"{item.amount} {item.currency or ''}".rstrip()
    why = item.error or item.reason or (f"in its place: {item.twin}" if item.twin else "-")
    return plain(item.number or item.invoice_id), item.outcome, amount, why
