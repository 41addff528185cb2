"""What a run asks for, and what its job is called."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

from common.contracts.events import JobRequested, JobType

NAMESPACE = UUID("6f0bd3a1-6a3f-5d0e-9a52-0d2f6d1c7c11")
"""Never changes: the same trigger must lead to the same job for ever."""

TRIGGER_TAG = "trigger_key"
MOST_IDS = 1000
"""As the gateway has it."""

_DAILY, _PREVIEW = "daily:", "preview:"
_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f,]{1,255}")


class OrderRefused(Exception):
    """This cannot be asked for; the message says why."""


def daily_trigger_key(local_date: date) -> str:
    """One key a local date, so that neither a retry nor an edited cron line starts a second job that day."""
    return f"{_DAILY}{local_date.isoformat()}"


def manual_trigger_key(root_run_id: str) -> str:
    """The key of a run that somebody started in Dagster; a retry of it keeps the root's id."""
    return f"manual:{root_run_id}"


def preview_key(local_date: date) -> str:
    """The reason, and the idempotency key, of the dry run of that date's night."""
    return f"{_PREVIEW}{local_date.isoformat()}"


def is_daily(trigger_key: str) -> bool:
    return trigger_key.startswith(_DAILY)


def job_id_of(trigger_key: str) -> UUID:
    return uuid5(NAMESPACE, trigger_key)


def is_ours(job_id: UUID) -> bool:
    """Whether Dagster asked for it: the gateway's own ids are of another version."""
    return job_id.version == 5


def trace_id_of(root_run_id: str) -> str:
    """A run's id as a W3C trace id: one trace over all tries of a run, found by the run's id."""
    return root_run_id.replace("-", "")


@dataclass(frozen=True, slots=True)
class Order:
    """All that is new, or exactly `invoice_ids` (the source's ids); `dry_run`: only say what would come of it."""

    force_processing: bool = False
    invoice_ids: tuple[str, ...] = ()
    reason: str | None = None
    dry_run: bool = False

    def check(self) -> None:
        """Raises OrderRefused: the same refusals as the gateway's, before anything is asked for."""
        if self.force_processing and not (self.invoice_ids and self.reason):
            raise OrderRefused("force_processing needs invoice_ids and a reason")
        if len(self.invoice_ids) > MOST_IDS:
            raise OrderRefused(f"at most {MOST_IDS} invoice_ids at once")
        if wrong := [one for one in self.invoice_ids if not _ID.fullmatch(one)]:
            raise OrderRefused(f"{wrong[0]!r} is no id of the source: no commas, no control characters, no empty text")

    @property
    def everything(self) -> bool:
        return not self.invoice_ids


def request(trigger_key: str, at: datetime, order: Order | None = None) -> JobRequested:
    """The event that asks for the job of `trigger_key`: over what is new, where there is no `order`."""
    job_id, order = job_id_of(trigger_key), order or Order()
    return JobRequested(
        job_id=job_id,
        job_type=JobType.SCHEDULED if is_daily(trigger_key) else JobType.MANUAL,
        requested_at=at,
        invoice_ids=order.invoice_ids or None,
        force_processing=order.force_processing,
        reason=order.reason or trigger_key,
        correlation_id=str(job_id),
    )
