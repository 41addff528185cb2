"""What a run found, as a page and as one line of JSON."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker import Verdict
from tests.chaos.nemesis import Done


@dataclass(frozen=True, slots=True)
class Run:
    """One seed's run. `recoveries` are seconds from the end of a fault that was alone to the next accepted document."""

    seed: int
    seconds: float
    faults: Mapping[str, int]
    recoveries: Mapping[str, Sequence[float]]
    verdict: Verdict
    drained_in: float


@dataclass(slots=True)
class Findings:
    runs: list[Run] = field(default_factory=list[Run])
    controls: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """Whether each deliberately broken variant was caught."""

    @property
    def violations(self) -> list[str]:
        """Empty where every promise held and every control was caught."""
        broken = [f"seed {run.seed}: {line}" for run in self.runs for line in run.verdict.violations]
        return [*broken, *(f"control not caught: {name}" for name, caught in self.controls.items() if not caught)]

    def as_json(self) -> dict[str, Any]:
        verdicts = [run.verdict for run in self.runs]
        return {
            "invoices": sum(verdict.listed for verdict in verdicts),
            "faults": sum(sum(run.faults.values()) for run in self.runs),
            "lost": sum(verdict.lost for verdict in verdicts),
            "duplicated": sum(verdict.duplicated for verdict in verdicts),
            "held": sum(verdict.held for verdict in verdicts),
            "resolved": sum(verdict.resolved for verdict in verdicts),
            "controls_caught": sum(self.controls.values()),
            "controls": len(self.controls),
            "recovery_p95_s": self.recovery(0.95),
        }

    def recovery(self, share: float) -> dict[str, float]:
        """By kind of fault: the seconds within which that share of them had been recovered from."""
        together: defaultdict[str, list[float]] = defaultdict(list)
        for run in self.runs:
            for kind, seconds in run.recoveries.items():
                together[kind] += seconds
        return {kind: _quantile(seconds, share) for kind, seconds in sorted(together.items())}

    def lines(self) -> list[str]:
        """The page."""
        told: list[str] = []
        for run in self.runs:
            v, faults = run.verdict, sum(run.faults.values())
            rows = ", ".join(f"{count} {name}" for name, count in sorted(v.buckets.items()))
            told += [
                f"seed {run.seed}: {run.seconds:.0f} s, {faults} faults, then drained in {run.drained_in:.1f} s",
                f"  {v.listed} listed, rows: {rows}; {v.accepted} accepted; {v.resolved} unknown for a time, then sent",
                f"  lost {v.lost}, duplicated {v.duplicated}",
            ]
        if self.runs:
            medians, longest = self.recovery(0.5), self.recovery(1.0)
            told += ["seconds from a fault's end to the next sent invoice: median, p95, longest, times"]
            counts = self._counts()
            told += [
                f"  {kind:<22}{medians[kind]:7.2f}{p95:7.2f}{longest[kind]:7.2f}{counts[kind]:6}"
                for kind, p95 in self.recovery(0.95).items()
            ]
        told += [f"control {name}: {'caught' if caught else 'NOT CAUGHT'}" for name, caught in self.controls.items()]
        return [*told, *(f"BROKEN {line}" for line in self.violations)]

    def _counts(self) -> dict[str, int]:
        kinds = {kind for run in self.runs for kind in run.recoveries}
        return {kind: sum(len(run.recoveries.get(kind, ())) for run in self.runs) for kind in kinds}


def recoveries(done: Sequence[Done]) -> dict[str, list[float]]:
    """By kind, where they were watched."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one in done:
        if one.recovered_in is not None:
            found[one.fault.kind].append(one.recovered_in)
    return dict(found)


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
