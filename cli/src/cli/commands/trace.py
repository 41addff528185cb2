"""The way of one invoice through the services, from the click or the tick to the message."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from cli.lookup import find
from cli.show import name, plain, print_json
from cli.spans import Node, Story, story, without_statements
from cli.surroundings import USAGE, AsJson, Url, fail, gateway, here
from client import Job

Reference = Annotated[str, typer.Argument(help="Invoice number, source id or row id.")]
Receiver = Annotated[
    str | None, typer.Option("--traces", help="The sandbox's receiver of spans; else CLEARFACTS_TRACES_URL.")
]
Everything = Annotated[bool, typer.Option("--all", help="Also what was asked of the database.")]


def trace(
    context: typer.Context,
    reference: Reference,
    *,
    receiver: Receiver = None,
    everything: Everything = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the spans of an invoice and of its job as a tree: which service did what, how long it took, what failed."""
    address = receiver or here(context).settings.traces_url
    if address is None:
        fail("which receiver? give --traces or set CLEARFACTS_TRACES_URL; `./run up` prints its address", USAGE)
    with gateway(context, url) as client:
        invoice = find(client, reference)[0]
        job = client.job(str(invoice.job_id)) if invoice.job_id else None
        trace_id = _traced(job)
        found = story(here(context).read_trace(address, trace_id), str(invoice.id))
    if not found.spans:
        fail(f"the receiver has no span of trace {trace_id}; spans arrive within seconds, or it is another's")
    if as_json:
        print_json(_as_json(trace_id, str(invoice.id), found))
        return
    console = here(context).console
    console.print(f"{name(invoice)} is {invoice.status}; trace {trace_id}, {len(found.spans)} spans")
    _print(console, found, everything=everything)


def _traced(job: Job | None) -> str:
    if job is None:
        fail("this invoice belongs to no job")
    if job.trace_id is None:
        fail(f"job {job.job_id} is not traced: OTEL_EXPORTER_OTLP_ENDPOINT was not set when it was asked for")
    return job.trace_id


def _as_json(trace_id: str, invoice_id: str, found: Story) -> dict[str, Any]:
    return {
        "trace_id": trace_id,
        "invoice_id": invoice_id,
        "roots": [node.span["span_id"] for node in found.roots],
        "orphans": [node.span["span_id"] for node in found.orphans],
        "spans": list(found.spans),
    }


def _print(console: Console, found: Story, *, everything: bool) -> None:
    began = min(span["start"] for span in found.spans)
    for node in (*found.roots, *found.orphans):
        shown = node if everything else without_statements(node)
        console.print(_tree(shown, began))
    if found.orphans:
        console.print(f"{len(found.orphans)} spans have a parent that nobody told")
    if not found.own:
        console.print("its own spans were not sampled (OTEL_TRACES_SAMPLER_ARG): these are of its job")


def _tree(node: Node, began: int) -> Tree:
    tree = Tree(_line(node, began))
    for inner in node.below:
        tree.children.append(_tree(inner, began))
    return tree


def _line(node: Node, began: int) -> Text:
    span = node.span
    line = Text(overflow="fold").append(plain(f"{span['service']} "), "bold").append(plain(span["name"]))
    line.append(f"  {_ms(span['end'] - span['start'])} at {_ms(span['start'] - began)}", "dim")
    if span["links"]:
        line.append(f"  {len(span['links'])} linked", "dim")
    if span["error"]:
        line.append(f"  {plain(span['error'])}", "red")
    return line


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.1f} ms"
