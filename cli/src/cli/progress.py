"""A job as it goes: one live line on a terminal, a line for each change elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from client import Job, JobProgress


class Progress:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True) if console.is_terminal else None
        self._said = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, job: Job | JobProgress) -> None:
        line = line_of(job)
        if self._live:
            self._live.update(Text(line), refresh=True)
        elif line != self._said:
            self._console.print(line)
        self._said = line


def line_of(job: Job | JobProgress) -> str:
    results = job.results
    if isinstance(job, JobProgress) and job.dry_run:
        going = job.stages.get("would_go", 0)
        return (
            f"{job.status:<9} {results.total_invoices} listed: {going} would go, {results.failed} would fail, "
            f"{results.duplicates} duplicates, {results.held} would wait, {results.open} open"
        )
    return (
        f"{job.status:<9} {results.total_invoices} listed: {results.processed} sent, {results.failed} failed, "
        f"{results.duplicates} duplicates, {results.held} held, {results.open} open"
    )
