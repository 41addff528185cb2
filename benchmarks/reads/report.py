"""The figures for a person."""

from rich.console import Console
from rich.table import Table

from benchmarks.reads.figures import QUIET, by_group, misses, of_bare, spread
from benchmarks.reads.measuring import Found
from benchmarks.reads.questions import BUSY, IDLE, Group

_SHOWN = ("p50", "p95", "p99", "most")


def report(console: Console, found: Found) -> None:
    console.print(_latencies(found))
    console.print(_turns(found))
    if (watched := found.watched) is not None:
        console.print(
            f"{watched.browsers} browsers at one job: {watched.statements - watched.without:.2f} statements a second"
            f" ({watched.without:.2f} without them), {watched.events} events told in {watched.seconds:g} s"
        )
    console.print(f"the job sent {found.job:.1f} invoices a second; other processes took {found.others:.0%}")
    if found.others > QUIET:
        console.print("[red]not quiet: these figures say little, measure again on a quiet machine[/red]")
    for line in misses(found):
        console.print(f"[red]missed: {line}[/red]")


def _latencies(found: Found) -> Table:
    table = Table(title=f"milliseconds at {found.plan.rows:,} invoices, from the moment each request was due")
    for name in ("asked", *(f"idle {name}" for name in _SHOWN), *(f"busy {name}" for name in _SHOWN), "goals"):
        table.add_column(name, justify="left" if name == "asked" else "right")
    for question in found.asked:
        table.add_row(question.name, *_cells(found.idle[question.name]), *_cells(found.busy[question.name]), "")
    table.add_section()
    idle, busy = by_group(found.idle, found.asked), by_group(found.busy, found.asked)
    for group in Group:
        goals = f"{IDLE[group]:g}, {BUSY[group]:g}"
        table.add_row(f"[bold]all of {group}[/bold]", *_cells(idle[group]), *_cells(busy[group]), goals)
    return table


def _cells(values: list[float]) -> list[str]:
    found = spread(values)
    return [f"{found[name]:.1f}" for name in _SHOWN]


def _turns(found: Found) -> Table:
    table = Table(title="in turns with bare FastAPI")
    for name in ("asked", "gateway a second", "bare a second", "of bare", "gateway CPU ms", "bare CPU ms"):
        table.add_column(name, justify="left" if name == "asked" else "right")
    for name, turns in found.turns.items():
        ours, bare = turns.gateway, turns.bare
        rates = (f"{ours.per_second:.0f}", f"{bare.per_second:.0f}", f"{of_bare(turns):.0%}")
        table.add_row(name, *rates, f"{ours.cpu_ms:.2f}", f"{bare.cpu_ms:.2f}")
    return table
