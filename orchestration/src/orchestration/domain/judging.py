"""Whether a night went well: what the asset checks claim, from numbers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from orchestration.domain.job import JobState

BUCKETS = ("processed", "failed", "duplicates", "held", "open")
FEW = 10
"""Of so few invoices a share says nothing."""
NIGHTS = 5
"""So many earlier nights a usual volume needs."""
_SPREADS = 4.0
_LEAST_BAND = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`numbers` are shown beside `why`."""

    passed: bool
    why: str
    numbers: Mapping[str, int | float]


def judge_balance(state: JobState) -> Verdict:
    """Every listed invoice is in one bucket; what source and destination say of them, the job itself has proven."""
    total = state.counts.get("total_invoices", 0)
    found = sum(state.counts.get(bucket, 0) for bucket in BUCKETS)
    numbers = {"listed": total, "in_buckets": found}
    if state.failed and "balance broken" in (state.error or ""):
        return Verdict(passed=False, why=state.error or "", numbers=numbers)
    if total != found:
        return Verdict(passed=False, why=f"{total} listed, but {found} in the buckets", numbers=numbers)
    return Verdict(passed=True, why=f"all {total} listed invoices are accounted for", numbers=numbers)


def judge_failures(state: JobState, limit: float) -> Verdict:
    """Of what came to an end of its own, not more than `limit` failed."""
    failed, sent = state.counts.get("failed", 0), state.counts.get("processed", 0)
    judged = failed + sent
    share = failed / judged if judged else 0.0
    numbers = {"failed": failed, "sent": sent, "share": round(share, 4), "limit": limit}
    if judged < FEW:
        return Verdict(passed=True, why=f"{judged} invoices are too few for a share", numbers=numbers)
    return Verdict(passed=share <= limit, why=f"{share:.1%} failed, at most {limit:.1%} is usual", numbers=numbers)


def judge_volume(total: int, earlier: Sequence[int]) -> Verdict:
    """As many as on earlier nights: within four usual deviations of their median, at least within half of it."""
    if len(earlier) < NIGHTS:
        return Verdict(
            passed=True, why=f"{len(earlier)} earlier nights say nothing yet, {NIGHTS} do", numbers={"listed": total}
        )
    middle = median(earlier)
    spread = median(abs(one - middle) for one in earlier)
    band = max(_SPREADS * 1.4826 * spread, _LEAST_BAND * middle)
    low, high = max(0.0, middle - band), middle + band
    numbers = {"listed": total, "usual": middle, "from": round(low), "to": round(high), "nights": len(earlier)}
    return Verdict(
        passed=low <= total <= high and not (total == 0 < middle),
        why=f"{total} listed, usual are {low:.0f} to {high:.0f}",
        numbers=numbers,
    )


def judge_open(state: JobState) -> Verdict:
    """Nothing waits any more."""
    why = f"{state.open} still open; they go on by themselves" if state.open else "nothing is open"
    return Verdict(passed=not state.open, why=why, numbers={"open": state.open})
