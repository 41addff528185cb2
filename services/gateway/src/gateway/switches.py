"""The stories of the switches: pausing a service, and resuming it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from gateway.domain.switches import Flip, Flipped, Pause, Paused

log = structlog.get_logger()


class Switches(Protocol):
    async def on(self) -> Sequence[Pause]:
        """All pauses that are on, the oldest first."""
        ...

    async def flip(self, flip: Flip) -> bool:
        """Change it, note who and why, open or close the alert, in one transaction; False where it stood so already."""
        ...


@dataclass(frozen=True, slots=True)
class ReadSwitches:
    switches: Switches

    async def __call__(self) -> Paused:
        return Paused(list(await self.switches.on()))


@dataclass(frozen=True, slots=True)
class FlipSwitch:
    switches: Switches

    async def __call__(self, flip: Flip) -> Flipped:
        """Pause or resume; asked for again it changes nothing."""
        changed = await self.switches.flip(flip)
        if changed:
            log.warning(flip.action, service=flip.service, administration=flip.administration, by=str(flip.user.id))
        return Flipped(changed, list(await self.switches.on()))
