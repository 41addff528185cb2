"""What delivering needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from notifier.webhooks.rules import Answer, Claim, Endpoint, Mood, Settled


class Outcomes(Protocol):
    async def collect(self) -> int:
        """Make the deliveries that are missing, to the end of what is there; how many were made."""
        ...


class Outbox(Protocol):
    """A claim that somebody else took over changes nothing any more."""

    async def due(self) -> Sequence[Endpoint]:
        """The endpoints to which something may go now."""
        ...

    async def claim(self, endpoint: Endpoint, most: int, lease: timedelta) -> Sequence[Claim]:
        """What waits longest, for nobody else until the lease ends."""
        ...

    async def settle(self, endpoint_id: UUID, results: Sequence[Settled], mood: Mood) -> str | None:
        """Note what became of claims; why the endpoint was stopped by it, where it was."""
        ...

    async def tidy(self) -> None:
        """Give up what waited too long at closed endpoints; forget what is over and old."""
        ...


class Poster(Protocol):
    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer: ...
