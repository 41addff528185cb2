"""Switches in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.domain.switches import Flip, Pause

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class FakeSwitches:
    pauses: dict[tuple[str, str | None], Pause] = field(default_factory=dict[tuple[str, str | None], Pause])
    flips: list[Flip] = field(default_factory=list[Flip])

    async def on(self) -> Sequence[Pause]:
        return list(self.pauses.values())

    async def flip(self, flip: Flip) -> bool:
        key = (flip.service.value, flip.administration)
        if (key in self.pauses) is flip.pause:
            return False
        self.flips.append(flip)
        if flip.pause:
            self.pauses[key] = Pause(*key, flip.reason, flip.user.username, NOON)
        else:
            del self.pauses[key]
        return True
