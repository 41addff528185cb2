"""Exports, and the documents of invoices: read, compared, taken."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli.chosen_invoices import Where, criteria
from cli.lookup import find
from cli.reading_shown import print_difference, print_reading
from cli.show import plain, print_json
from cli.surroundings import AsJson, Url, fail, gateway, here
from client import GatewayClient

Reference = Annotated[str, typer.Argument(help="Invoice number, source id or row id.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to; else standard output.")]


def export(
    context: typer.Context,
    *,
    format_: Annotated[str, typer.Option("--format", help="csv, json or xml")] = "csv",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to; an existing file is replaced at the end.")],
    where: Where = None,
    url: Url = None,
) -> None:
    """Write all invoices of a filter to a file, newest first."""
    with gateway(context, url) as client, client.export(format_, **criteria(where)) as file:
        _keep(output, file.chunks)
    typer.echo(f"{file.rows} invoices in {output}", err=True)
    if file.cut:
        fail(f"there are more than the {file.rows} that one file may have: narrow it with --where created_until=...")


def read(context: typer.Context, reference: Reference, *, url: Url = None, as_json: AsJson = False) -> None:
    """Read an invoice as an accountant does: parties, lines, VAT, totals."""
    with gateway(context, url) as client:
        found = client.reading(_only(client, reference))
    if as_json:
        print_json(found)
    else:
        print_reading(here(context).console, found)


def differences(context: typer.Context, reference: Reference, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show how an invoice differs from the version that holds its place."""
    with gateway(context, url) as client:
        found = client.differences(_only(client, reference))
    if as_json:
        print_json(found)
    elif found.other is None or found.difference is None:
        typer.echo("no other version holds its place")
    else:
        other = found.other
        typer.echo(f"other version: {plain(other.number or other.invoice_id)}, {other.status}, row {other.id}")
        print_difference(here(context).console, found.difference)


def ubl(
    context: typer.Context,
    reference: Reference,
    *,
    output: Output = None,
    url: Url = None,
) -> None:
    """Get an invoice's document as it came, byte for byte."""
    with gateway(context, url) as client:
        content = client.ubl(_only(client, reference))
    if output is None:
        typer.echo(content, nl=False)
    else:
        _keep(output, [content])


def _only(client: GatewayClient, reference: str) -> UUID:
    """The row id of the one invoice that is meant; ends the program where several are."""
    found = find(client, reference)
    if len(found) > 1:
        fail(f"{len(found)} rows match; say which by its row id: {', '.join(str(other.id) for other in found)}")
    return found[0].id


def _keep(output: Path, chunks: Iterable[bytes]) -> None:
    """Under its name only once it is whole."""
    draft = output.with_name(f".{output.name}.part")
    try:
        with draft.open("wb") as file:
            file.writelines(chunks)
        draft.replace(output)
    except OSError as error:
        fail(f"{output}: {error.strerror or error}")
    finally:
        draft.unlink(missing_ok=True)
