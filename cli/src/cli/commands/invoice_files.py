"""Invoices as files: exports, and the documents themselves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cli.chosen_invoices import Where, criteria
from cli.lookup import find
from cli.surroundings import Url, fail, gateway

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


def ubl(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(help="Invoice number, source id or row id.")],
    *,
    output: Output = None,
    url: Url = None,
) -> None:
    """Get an invoice's document as it came, byte for byte."""
    with gateway(context, url) as client:
        found = find(client, reference)
        if len(found) > 1:
            fail(f"{len(found)} rows match; say which by its row id: {', '.join(str(other.id) for other in found)}")
        content = client.ubl(found[0].id)
    if output is None:
        typer.echo(content, nl=False)
    else:
        _keep(output, [content])


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
