"""What the demo shows at its end: what happened to every invoice, the proof, and where to look."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from client import Job
from local.proof import Proof
from local.system import System


def report(
    console: Console, system: System, job: Job, proof: Proof, contradictions: Sequence[str], told: Sequence[str]
) -> None:
    console.print(_buckets(job))
    console.print(_examples(job))
    results = job.results
    console.print(
        f"balance   {results.total_invoices} listed = {results.processed} sent + {results.failed} failed + "
        f"{results.duplicates} duplicates + {results.held} held"
    )
    console.print(f"source    {proof.listed} documents, {len(proof.lost)} of them without a row of ours")
    console.print(f"accepted  {proof.accepted} by Clearfacts, {proof.twice} of them twice")
    if unclear := proof.accepted - proof.buckets.get("sent", 0):
        console.print(f"          ({unclear} whose answer never came are held)")
    verdict = "the balance holds: nothing missing, nothing twice" if not contradictions else "; ".join(contradictions)
    console.print(f"verdict   {verdict}", style="bold green" if not contradictions else "bold red")
    for line in told:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for line in system.lines():
        console.print(line, highlight=False)


def _buckets(job: Job) -> Table:
    results = job.results
    table = Table("what became of them", "invoices", "amount", "meaning")
    for bucket, status, count, meaning in (
        ("sent", "sent", results.processed, "accepted by Clearfacts"),
        ("failed", "failed", results.failed, "unreadable, invalid or refused"),
        ("duplicates", "duplicate", results.duplicates, "the same document again"),
        ("held", "held", results.held, "a person has to decide"),
    ):
        amounts = job.results.amounts.get(status, {})
        table.add_row(bucket, str(count), ", ".join(f"{value} {name}" for name, value in amounts.items()), meaning)
    return table


def _examples(job: Job) -> Table:
    """One line for each kind of trouble, with how many there are and one example."""
    kinds: dict[str, list[str]] = {}
    for trouble in job.errors:
        cause = trouble.error.split(":")[0] if trouble.status == "failed" else trouble.error
        kinds.setdefault(f"{trouble.status}: {cause}", []).append(trouble.invoice_id)
    table = Table("trouble", "invoices", "for example")
    for kind, ids in sorted(kinds.items()):
        table.add_row(kind, str(len(ids)), ids[0])
    return table
