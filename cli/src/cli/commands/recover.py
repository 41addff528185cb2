"""After the database was restored to an older state."""

from typing import Annotated

import typer

from cli.show import print_facts, print_json
from cli.surroundings import FAILED, USAGE, AsJson, Url, fail, gateway, here
from client import Recovered


def recover(
    context: typer.Context,
    *,
    reason: Annotated[str | None, typer.Option(help="What happened; for the audit log.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Although nothing seems forgotten; needs --reason.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild from Kafka the sendings that a restored database has forgotten; until then nothing is sent or listed."""
    if force and not reason:
        fail("--force needs --reason", USAGE)
    with gateway(context, url) as client:
        report = client.recover(dry_run=dry_run, force=force, reason=reason)
    if as_json:
        print_json(report)
    else:
        print_facts(here(context).console, [*_facts(report), ("verdict", _verdict(report))])
    if not (report.remembers or report.dry_run):
        raise typer.Exit(FAILED)


def _facts(report: Recovered) -> list[tuple[str, object]]:
    return [
        ("read", f"{report.records} records about {report.invoices} invoices"),
        ("sent", f"{report.inserted_sent} rows made, {report.moved_to_sent} corrected"),
        (
            "perhaps sent",
            f"{report.inserted_unknown} rows made, {report.moved_to_unknown} corrected: looked up or held",
        ),
        ("given up", f"{report.inserted_abandoned} rows made"),
        ("attempts", f"{report.attempts} written, the last is {report.last_attempt}"),
        ("keys", f"{report.keys_taken_over} given back to what was sent"),
    ]


def _verdict(report: Recovered) -> str:
    if report.dry_run:
        return "nothing was changed"
    if report.remembers:
        return "the database remembers everything: sending and listing go on"
    return "something is still forgotten: nothing is sent or listed; look at the sender's log and run it again"
