"""Invoices: list, show, and why one stands where it stands."""

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer
from rich.console import Console

from cli.chosen_invoices import Where, criteria
from cli.commands.invoice_files import differences, export, read, ubl
from cli.lookup import find
from cli.show import moment, money, name, plain, print_facts, print_json, print_more, print_table
from cli.surroundings import AsJson, Url, gateway, here
from client import Invoice, InvoiceSummary, TimelineEntry

invoices = typer.Typer(no_args_is_help=True, help="List invoices, search them, look at one, take them away.")
invoices.command()(export)
invoices.command()(read)
invoices.command()(differences)
invoices.command()(ubl)

Reference = Annotated[str, typer.Argument(help="Invoice number, source id or row id.")]


@invoices.command("list")
def list_invoices(
    context: typer.Context,
    *,
    status: Annotated[str | None, typer.Option(help="pending, sent, failed, duplicate or held")] = None,
    stage: Annotated[str | None, typer.Option(help="The exact stage.")] = None,
    job: Annotated[str | None, typer.Option(help="Only of this job.")] = None,
    dossier: Annotated[str | None, typer.Option(help="Only of this enterprise number.")] = None,
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List invoices, newest first."""
    with gateway(context, url) as client:
        chosen = criteria(where, status=status, stage=stage, job_id=job, dossier=dossier)
        page = client.invoices(limit=limit, cursor=cursor, **chosen)
    if as_json:
        print_json(page)
        return
    _print_list(here(context).console, page.items)
    print_more(page.next_cursor)


@invoices.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="A number, a source id, a party's number or name, or a part of them.")],
    *,
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many are enough.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Find invoices by a text, newest first, among all there are."""
    with gateway(context, url) as client:
        found = list(islice(client.all_invoices(**criteria(where, q=text)), limit))
    if as_json:
        print_json({"items": [item.model_dump(mode="json") for item in found]})
    elif found:
        _print_list(here(context).console, found)
    else:
        typer.echo("no invoice matches")


@invoices.command()
def show(context: typer.Context, reference: Reference, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show all that is known about an invoice."""
    with gateway(context, url) as client:
        found = find(client, reference)
        invoice = client.invoice(found[0].id)
    if as_json:
        print_json(invoice)
        return
    console = here(context).console
    _say_others(console, found)
    print_facts(console, _facts(invoice))
    for finding in invoice.findings or []:
        console.print(f"finding: {plain(finding)}")


def why(context: typer.Context, reference: Reference, *, url: Url = None, as_json: AsJson = False) -> None:
    """Say in one sentence why an invoice stands where it stands, then show its timeline."""
    with gateway(context, url) as client:
        found = find(client, reference)
        invoice, sentence = client.invoice(found[0].id), client.why(found[0].id)
    if as_json:
        others = [str(other.id) for other in found[1:]]
        print_json({"why": sentence, "other_matches": others, "invoice": invoice.model_dump(mode="json")})
        return
    console = here(context).console
    typer.echo(sentence)
    _say_others(console, found)
    for entry in invoice.timeline:
        console.print(f"{moment(entry.at)}  {_entry(entry)}")


def _print_list(console: Console, items: Sequence[InvoiceSummary]) -> None:
    columns = [("Number", 22), ("Status", 9), ("Reason", 19), ("Amount", -15), ("Issued", 10)]
    rows = [(name(item), item.status, item.reason or "-", money(item), item.issue_date or "-") for item in items]
    print_table(console, columns, rows)


def _say_others(console: Console, found: list[InvoiceSummary]) -> None:
    if len(found) > 1:
        console.print(f"{len(found)} rows match; this is the newest. The others, by row id:")
        for other in found[1:]:
            console.print(f"  {other.id}  {other.status}  {moment(other.created_at)}")


def _entry(entry: TimelineEntry) -> str:
    if entry.kind == "attempted":
        end = f"{entry.outcome} at {moment(entry.ended_at)}" if entry.ended_at else "no answer yet"
        return plain(f"attempt {entry.number}: {end}{f', uuid {entry.uuid}' if entry.uuid else ''}")
    details = f" {entry.details}" if entry.details else ""
    return plain(f"{entry.stage}{f' ({entry.reason})' if entry.reason else ''} by {entry.actor}{details}")


def _facts(invoice: Invoice) -> list[tuple[str, object]]:
    twin = invoice.duplicate_of
    parties = [
        (role, " ".join(filter(None, (who, identity))))
        for role, who, identity in (
            ("supplier", invoice.supplier_name, invoice.supplier),
            ("customer", invoice.customer_name, invoice.customer),
        )
    ]
    return [
        ("number", invoice.number),
        ("source id", invoice.invoice_id),
        ("row id", invoice.id),
        ("job", invoice.job_id),
        ("status", f"{invoice.status} (stage {invoice.stage})"),
        ("reason", invoice.reason),
        ("error", invoice.error),
        ("kind", " ".join(filter(None, (invoice.direction, invoice.kind)))),
        ("dossier", invoice.dossier),
        *parties,
        ("amount", money(invoice)),
        ("issued", invoice.issue_date),
        ("created", moment(invoice.created_at)),
        ("processed", moment(invoice.processed_at)),
        ("next look", moment(invoice.next_attempt_at) if invoice.next_attempt_at else None),
        ("maybe sent", "yes" if invoice.maybe_sent else None),
        ("duplicate of", f"{twin.number or twin.invoice_id} ({twin.status}, row {twin.id})" if twin else None),
        ("uuid", (invoice.clearfacts_response or {}).get("uuid")),
        ("reference", invoice.reference),
        ("version", invoice.version),
    ]
