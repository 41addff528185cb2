"""How far a job is, in the phases that a run waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

QUIET = timedelta(minutes=5)
"""A job in which nothing ends for that long, while its listing is complete, only waits for retries."""


class Phase(Enum):
    """What an op waits for; each contains the ones before it."""

    LISTED = "listed"
    VALIDATED = "validated"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as the gateway shows it; `counts` by the names of the seed's `results`, `stages` while it runs.

    `amounts`: by bucket and currency, decimal text; of a job that has ended.
    """

    status: str
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    error: str | None = None
    listed: bool = False
    stages: Mapping[str, int] = field(default_factory=dict[str, int])
    amounts: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    causes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of the newest hundred that failed or are held, how many for each reason."""
    preview: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of a dry run: what would become of how many."""
    everything: bool = True
    """It is over all that is new, and not over some invoices that somebody named."""

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}

    @property
    def failed(self) -> bool:
        return self.status == "failed"

    @property
    def open(self) -> int:
        return self.counts.get("open", 0)

    @property
    def ended(self) -> int:
        """How many invoices are over."""
        return self.counts.get("total_invoices", 0) - self.open


@dataclass(frozen=True, slots=True)
class Waits:
    """A job that had not ended when people were to be told; it goes on by itself."""

    state: JobState


@dataclass(frozen=True, slots=True)
class JobGlance:
    """One line of the list of jobs."""

    job_id: UUID
    job_type: str
    status: str
    created_at: datetime
    completed_at: datetime | None
    counts: Mapping[str, int]
    duration_seconds: int | None = None
    reason: str | None = None
    error: str | None = None

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}


@dataclass(frozen=True, slots=True)
class Told:
    """A message about a job: `status` is waiting, sent, abandoned, or held: told later, together with others."""

    channel: str
    kind: str
    status: str
    attempts: int
    sent_at: datetime | None
    error: str | None

    @property
    def over(self) -> bool:
        return self.status != "waiting"

    @property
    def reaches_somebody(self) -> bool:
        return self.status in {"sent", "held"}


class JobFailed(Exception):
    """The job ended as failed."""

    def __init__(self, state: JobState) -> None:
        super().__init__(state.error or "the job failed and gave no reason")
        self.state = state


class JobNotFinished(Exception):
    """The deadline of following is over; the job itself goes on."""


def reached(state: JobState, phase: Phase) -> bool:
    """Whether the job has left `phase` behind. Raises JobFailed where it failed before it could.

    A job whose balance is broken was listed and validated: it fails where its end is waited for.
    """
    match phase:
        case Phase.LISTED:
            there = state.listed
        case Phase.VALIDATED:
            there = state.listed and not state.stages.get("fetched", 0)
        case Phase.ENDED:
            there = state.finished and not state.failed
    if not there and state.failed:
        raise JobFailed(state)
    return there or state.finished


def told_all(messages: Sequence[Told], *, ended: bool) -> bool:
    """Whether what people are told of a job has arrived, or will not: of an ended one its end, else that it is open."""
    wanted = {"job_finished"} if ended else {"job_still_open"}
    found = [message for message in messages if message.kind in wanted]
    return bool(found) and all(message.over for message in found)


def shares(state: JobState) -> dict[str, Any]:
    """What is shown of a job: counts, amounts by bucket, failures by cause."""
    money = {f"amount_{bucket}": _money(sums) for bucket, sums in state.amounts.items() if sums}
    return {**state.counts, **money, **({"failures_by_cause": dict(state.causes)} if state.causes else {})}


def _money(sums: Mapping[str, str]) -> str:
    return " + ".join(f"{currency} {amount}" for currency, amount in sorted(sums.items()))
