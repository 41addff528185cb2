"""Held invoices: what waits for a person, why, and deciding."""

from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import typer

from cli.lookup import find
from cli.reading_shown import print_difference
from cli.show import moment, money, name, plain, print_facts, print_json, print_more, print_table
from cli.surroundings import USAGE, AsJson, Url, fail, gateway, here, repeatable
from client import Attempted, Choice, Held, Resolved

held = typer.Typer(no_args_is_help=True, help="Invoices that wait for a person: list, look, decide.")

Reference = Annotated[str, typer.Argument(help="Invoice number, source id or row id.")]
_OPTIONS = {"found": "--found UUID", "not_there": "--not-there", "abandon": "--abandon"}
_DONE = {
    "found": "noted; the sender reads it back at Clearfacts, then it counts as sent",
    "not_there": "it is sent again",
    "abandon": "given up: it is failed, abandoned",
}


@held.command("list")
def list_held(
    context: typer.Context,
    *,
    reason: Annotated[
        str | None, typer.Option(help="unknown_outcome, changed_after_sent, conflicting_version or stated")
    ] = None,
    job: Annotated[str | None, typer.Option(help="Only of this job.")] = None,
    dossier: Annotated[str | None, typer.Option(help="Only of this enterprise number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for a person; what was listed first comes first."""
    with gateway(context, url) as client:
        page = client.held(reason=reason, job_id=job, dossier=dossier, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    columns = [("Number", 20), ("Reason", 20), ("Age", -8), ("Amount", -15), ("Dossier", 11)]
    rows = [(name(row), row.reason or "-", age(row.age_seconds), money(row), row.dossier or "-") for row in page.items]
    print_table(here(context).console, columns, rows)
    print_more(page.next_cursor)


@held.command()
def show(context: typer.Context, reference: Reference, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show one held invoice: its attempts, what differs from the other version, and what may be decided now."""
    with gateway(context, url) as client:
        row = client.held_invoice(find(client, reference)[0].id)
    if as_json:
        print_json(row)
        return
    console = here(context).console
    print_facts(console, _facts(row))
    for attempt in row.attempts:
        console.print(f"{moment(attempt.at)}  {_attempt(attempt)}")
    if row.difference is not None:
        print_difference(console, row.difference)
    for choice in row.choices:
        console.print(_choice(choice), soft_wrap=True)


@held.command()
def resolve(
    context: typer.Context,
    reference: Reference,
    *,
    found: Annotated[str | None, typer.Option(help="It is at Clearfacts, under this uuid.")] = None,
    not_there: Annotated[bool, typer.Option("--not-there", help="It is not at Clearfacts: send it again.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give this one up; nothing is sent.")] = False,
    reason: Annotated[str, typer.Option(help="Why, or how you know: for the audit log.")],
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat a decision that got no answer.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Decide about a held invoice: exactly one of --found UUID, --not-there and --abandon."""
    if (found is not None) + not_there + abandon != 1:
        fail("say exactly one of --found UUID, --not-there and --abandon", USAGE)
    resolution = "found" if found is not None else "not_there" if not_there else "abandon"
    key = idempotency_key or str(uuid4())
    with gateway(context, url) as client:
        row = find(client, reference)[0]
        with repeatable(key, "it may be decided"):
            resolved = client.resolve_held(row.id, resolution, uuid=found, reason=reason, idempotency_key=key)
    if as_json:
        print_json(resolved)
    else:
        typer.echo(_told(resolved))


def age(seconds: int) -> str:
    """The largest two units: `3d 4h`, `2h 5m`, `40s`."""
    length = timedelta(seconds=seconds)
    hours, minutes = length.seconds // 3600, length.seconds % 3600 // 60
    if length.days:
        return f"{length.days}d {hours}h"
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m" if minutes else f"{seconds}s"


def _facts(row: Held) -> list[tuple[str, object]]:
    other = row.other
    return [
        ("number", row.number),
        ("source id", row.invoice_id),
        ("row id", row.id),
        ("job", row.job_id),
        ("reason", row.reason),
        ("error", row.error),
        ("held since", f"{moment(row.held_since)} ({age(row.age_seconds)})"),
        ("maybe sent", "yes" if row.maybe_sent else "no"),
        ("dossier", row.dossier),
        ("supplier", " ".join(filter(None, (row.supplier_name, row.supplier)))),
        ("customer", " ".join(filter(None, (row.customer_name, row.customer)))),
        ("amount", money(row)),
        ("reference", row.reference),
        ("other version", f"{other.number or other.invoice_id}, {other.status}, row {other.id}" if other else None),
        ("its uuid", other.uuid if other else None),
    ]


def _attempt(attempt: Attempted) -> str:
    end = f"{attempt.outcome or 'no answer'}{f' as {attempt.uuid}' if attempt.uuid else ''}"
    lease = f", until {moment(attempt.lease_until)}" if attempt.lease_until else ""
    return plain(f"attempt {attempt.number}: {end}{lease}")


def _choice(choice: Choice) -> str:
    option = _OPTIONS.get(choice.resolution, choice.resolution)
    return f"may be decided: {option}" if choice.allowed else f"not now: {option}: {plain(choice.why_not)}"


def _told(resolved: Resolved) -> str:
    again = " (decided before with this key)" if resolved.replayed else ""
    return f"{_DONE.get(resolved.resolution, resolved.resolution)}; it stands at {resolved.stage}{again}"
