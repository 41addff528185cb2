"""What the sender's stories need."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Claim, Delivery, Settlement
from sender.domain.evidence import Case, Evidence, Finding
from sender.domain.flow import Change, Standing


class Destination(Protocol):
    """Where documents go. `deliver` never raises for what the destination does: the answer is a Delivery."""

    @property
    def lookup(self) -> bool:
        """Whether the destination can be asked for a reference."""
        ...

    @property
    def idempotency_key(self) -> timedelta | None:
        """How long a key keeps a second sending from being a second document; None: there is no key."""
        ...

    async def deliver(self, claim: Claim) -> Delivery:
        """Send one document once: no retry anywhere below."""
        ...

    async def find(self, reference: UUID) -> Evidence:
        """Look a reference up, within a deadline of its own; never raises for what the destination does."""
        ...


class Probed(Protocol):
    """A destination that can be asked how it is."""

    async def probe(self) -> str | None:
        """Ask something that changes nothing; why the answer is not that of one that is well, else None."""
        ...


class Shared(Protocol):
    """What all replicas know of one destination and token."""

    async def read(self) -> Standing: ...

    async def change(self, seen: Standing, to: Change) -> Standing | None:
        """Compare and set: None, and nothing changed, where it is not at the version that was seen any more."""
        ...

    async def hold(self, wait: timedelta) -> None:
        """Keep everybody away for that long; never shortens an earlier hold."""
        ...

    async def lease(self, rate: float, most: int) -> int:
        """Take up to `most` tokens out of a bucket that gains `rate` a second and holds `most`."""
        ...


Key = tuple[UUID, int]
"""(row id, version)"""


class Due(Protocol):
    """What may be sent, and taking it."""

    async def dossiers_due(self, since: timedelta = timedelta(0)) -> Sequence[str]:
        """The dossiers with rows that may be sent, for at least `since`."""
        ...

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        """Claim up to `limit` due rows that hold their key, and commit an attempt for each."""
        ...


class Claims(Due, Protocol):
    """The rows and attempts in Postgres."""

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Moved]:
        """Write outcomes to their attempts and move the rows; an acceptance wins over every other attempt."""
        ...

    async def give_up(self, keys: Sequence[Key], to: Stage, error: str) -> Sequence[Moved]:
        """Move rows whose attempt nobody ends any more to `to`, or to sent where an acceptance was written."""
        ...

    async def read(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """Rows as they are announced again."""
        ...


class Memory(Protocol):
    """Whether the database remembers every sending that anybody knows of (`common.amnesia`)."""

    async def sure(self) -> bool:
        """Asked before and after every claim; one comparison as long as no connection is new."""
        ...

    def follows(self, numbers: Iterable[int]) -> bool:
        """Whether new attempts come after all that this process has seen."""
        ...


class Unknowns(Protocol):
    """Rows whose outcome nobody knows, with their attempts."""

    async def cases(self, keys: Sequence[Key]) -> Sequence[Case]:
        """The rows that are still unknown at that version."""
        ...

    async def conclude(self, findings: Sequence[Finding]) -> Sequence[Moved]:
        """Write what was found to the attempts, move the rows that it decides, let the others wait."""
        ...
