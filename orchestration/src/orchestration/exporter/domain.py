"""Totals over everything that Dagster's storage holds: each run counts once, however often it is read."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BOUNDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0)
"""Upper bounds of the buckets of a run's seconds: from a check that asks once to a night that waits for its report."""

FINISHED: Mapping[str, str] = {
    "STEP_SUCCESS": "success",
    "STEP_FAILURE": "failure",
    "STEP_SKIPPED": "skipped",
    "STEP_UP_FOR_RETRY": "retry",
}
STARTED = frozenset({"STEP_START", "STEP_RESTARTED"})
INTERRUPTED = "interrupted"
"""How an operation ended whose process was killed: the storage has its start and no end."""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """`number` is the storage's own; `seconds` is None where the run was ended before it began."""

    number: int
    job: str
    status: str
    ended_at: float
    seconds: float | None
    operations: Mapping[tuple[str, str], int]


@dataclass(slots=True)
class Durations:
    """A histogram: `counts` by bucket, the last one without a bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> Sequence[tuple[str, int]]:
        bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
        return [(bound, sum(self.counts[: at + 1])) for at, bound in enumerate(bounds)]


@dataclass(slots=True)
class Totals:
    """Keyed by (job, status), operations by (job, operation, status)."""

    runs: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    durations: defaultdict[tuple[str, str], Durations] = field(default_factory=lambda: defaultdict(Durations))
    operations: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    last_ended: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    materializations: Counter[str] = field(default_factory=Counter[str])
    _counted: set[int] = field(default_factory=set[int])

    def has(self, number: int) -> bool:
        return number in self._counted

    def count(self, run: EndedRun) -> None:
        """Counting one that was counted changes nothing: Dagster touches ended runs again, to tag them."""
        if run.number in self._counted:
            return
        key = (run.job, run.status)
        self.runs[key] += 1
        self.last_ended[key] = max(run.ended_at, self.last_ended.get(key, 0.0))
        if run.seconds is not None:
            self.durations[key].add(run.seconds)
        for (operation, status), times in run.operations.items():
            self.operations[run.job, operation, status] += times
        self._counted.add(run.number)


def operations_of(events: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    """Executions by (operation, outcome), from the (step, kind of event) of one ended run in their order.

    A step is called by the path of its operation; a step of a mapping, `load[3]`, by that operation.
    """
    found: Counter[tuple[str, str]] = Counter()
    running: dict[str, str] = {}
    for step, kind in events:
        operation = step.partition("[")[0]
        if kind in STARTED:
            running[step] = operation
        elif outcome := FINISHED.get(kind):
            running.pop(step, None)
            found[operation, outcome] += 1
    found.update((operation, INTERRUPTED) for operation in running.values())
    return found
