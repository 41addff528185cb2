"""A destination in memory, for tests of the sender that need its answers and not its wire."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from sandbox.faults import AFTER, STATUSES, Effect
from sender.domain import Accepted, Claim, Delivery, NotAccepted, OutcomeUnknown, Refused
from sender.domain.evidence import Absent, Evidence, Found, LookupFailed

_REFUSALS = frozenset({Effect.REFUSE, Effect.BAD_REQUEST, Effect.TOO_LARGE})
_TOKEN = frozenset({Effect.UNAUTHORIZED, Effect.FORBIDDEN})
_ITS_OWN = frozenset({Effect.CONFLICT, Effect.GARBAGE, Effect.NULL_DATA})
"""Unclear for this document; the destination does answer."""
_NOT_NOW = frozenset({Effect.TOO_MANY, Effect.UNAVAILABLE})


@dataclass(slots=True)
class MemoryDestination:
    """Plays one effect for every call; `accepted` is what it has, by reference."""

    effect: Effect | None = None
    seconds: float = 0.0
    retry_after: int = 1
    deadline: float = 1.0
    lookup: bool = True
    idempotency_key: timedelta | None = timedelta(hours=24)
    lookup_effect: Effect | None = None
    accepted: dict[UUID, str] = field(default_factory=dict[UUID, str])
    calls: int = 0

    async def deliver(self, claim: Claim) -> Delivery:
        self.calls += 1
        effect = self.effect
        if effect is None or effect in AFTER or effect is Effect.LATE_ACCEPT:
            uuid = self.accepted.setdefault(claim.reference, str(uuid4()))
            return await self._after(effect, Accepted(uuid, {"uuid": uuid, "amountOfPages": 1}))
        if effect in _REFUSALS:
            _, code, message = STATUSES[effect]
            return Refused(code, message, {"error": {"code": code, "message": message}})
        if effect in _TOKEN:
            return NotAccepted(f"answered {STATUSES[effect][0].value}", everyone=True)
        if effect in _NOT_NOW:
            wait = timedelta(seconds=self.retry_after)
            throttled = effect is Effect.TOO_MANY
            return NotAccepted(f"answered {STATUSES[effect][0].value}", wait, everyone=True, throttled=throttled)
        return OutcomeUnknown(f"{effect}", everyone=effect not in _ITS_OWN, exists=effect is Effect.CONFLICT)

    async def find(self, reference: UUID) -> Evidence:
        if self.lookup_effect not in {None, Effect.ABSENT}:
            return LookupFailed(f"{self.lookup_effect}")
        uuid = self.accepted.get(reference)
        return Absent() if uuid is None or self.lookup_effect is Effect.ABSENT else Found((uuid,))

    async def _after(self, effect: Effect | None, accepted: Accepted) -> Delivery:
        if effect is None:
            return accepted
        if effect in {Effect.SLOW, Effect.LATE_ACCEPT} and self.seconds < self.deadline:
            await asyncio.sleep(self.seconds)
            return accepted
        return OutcomeUnknown(f"{effect}", everyone=effect not in _ITS_OWN, exists=effect is Effect.CONFLICT)
