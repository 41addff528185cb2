"""The figures for a person."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.figures import MOST_OTHERS, Run, is_quiet, memory_ratios


def report(console: Console, runs: Sequence[Run], *, services: Sequence[str], product: Sequence[str]) -> None:
    console.print(_rates(runs))
    console.print(_cpu(runs, product))
    grown = memory_ratios(runs, services)
    console.print("memory against the end of the warm-up: " + ", ".join(f"{n} x{r:.2f}" for n, r in grown.items()))
    for line in (line for run in runs for line in run.contradictions):
        console.print(f"[red]wrong: {line}[/red]")
    if not is_quiet(runs):
        worst = max(run.others for run in runs)
        console.print(
            f"[red]not quiet: other processes took {worst:.0%} of the machine, more than {MOST_OTHERS:.0%};"
            " these figures say nothing, measure again[/red]"
        )


def _rates(runs: Sequence[Run]) -> Table:
    table = Table(title="invoices a second")
    names = ("in flight", "system", "limit before", "after", "of the limit", "sequential", "times", "lost", "twice")
    for name in names:
        table.add_column(name, justify="right")
    for run in runs:
        table.add_row(
            str(run.in_flight),
            f"{run.per_second:.1f}",
            *(f"{limit:.1f}" for limit in run.limits),
            f"{run.ratio_to_limit:.2f}",
            f"{run.sequential:.1f}",
            f"{run.ratio_to_sequential:.1f}",
            str(run.lost),
            str(run.twice),
        )
    return table


def _cpu(runs: Sequence[Run], product: Sequence[str]) -> Table:
    """Seconds for 1,000 invoices are milliseconds for one."""
    table = Table(title="CPU seconds for 1,000 invoices")
    table.add_column("part")
    for run in runs:
        table.add_column(f"{run.in_flight} in flight", justify="right")
    costs = [run.cpu_ms(list(run.cpu)) for run in runs]
    for part in product:
        table.add_row(part, *(f"{cost[part]:.3f}" for cost in costs))
    table.add_row("[bold]sum[/bold]", *(f"[bold]{sum(cost[p] for p in product):.3f}[/bold]" for cost in costs))
    table.add_row("(bare loop, a call)", *(f"{run.limit_cpu_ms:.3f}" for run in runs))
    for part in costs[0]:
        if part not in product:
            table.add_row(f"({part})", *(f"{cost.get(part, 0.0):.3f}" for cost in costs))
    return table
