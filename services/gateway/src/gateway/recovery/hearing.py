"""What `invoices.outcomes.v1` tells about one row, folded. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.contracts.events import InvoiceOutcome
from common.invoice.stage import Reason


class Fate(StrEnum):
    """An attempt's end as it is stored; a claim that nothing was heard of after is `expired`."""

    EXPIRED = "expired"
    REFUSED = "refused"
    ACCEPTED = "accepted"


@dataclass(slots=True)
class Attempt:
    """`at`: when its claim was told, or its end where the claim was not heard."""

    number: int
    reference: UUID
    at: datetime
    fate: Fate = Fate.EXPIRED
    uuid: str | None = None


@dataclass(slots=True)
class Told:
    """All that was heard about a row; identity and stage as of the highest version."""

    latest: InvoiceOutcome
    uuid: str | None = None
    """Under which it was accepted."""
    attempts: dict[int, Attempt] = field(default_factory=dict[int, Attempt])

    def hear(self, event: InvoiceOutcome, at: datetime) -> None:
        """Records of one row may come twice and, from two processes, in any order."""
        if event.version >= self.latest.version:
            self.latest = event
        if event.attempt is not None and event.reference is not None:
            attempt = self.attempts.setdefault(event.attempt, Attempt(event.attempt, event.reference, at))
            attempt.at = min(attempt.at, at)
            if event.stage == "sent":
                attempt.fate, attempt.uuid = Fate.ACCEPTED, event.uuid
            elif event.stage == "failed" and event.reason == Reason.REFUSED and attempt.fate is not Fate.ACCEPTED:
                attempt.fate = Fate.REFUSED
        if event.stage == "sent":
            self.uuid = event.uuid or self.uuid

    @property
    def sent(self) -> bool:
        return self.uuid is not None


def hear(heard: dict[UUID, Told], event: InvoiceOutcome, at: datetime) -> None:
    """Add one record to what was heard."""
    if event.id not in heard:
        heard[event.id] = Told(event)
    heard[event.id].hear(event, at)
