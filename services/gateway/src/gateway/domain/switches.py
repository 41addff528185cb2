"""The switches of the night shift: what is paused, by whom and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.domain.access import Caller, User


class Pausable(StrEnum):
    """The services that can be paused."""

    SENDER = "sender"


@dataclass(frozen=True, slots=True)
class Pause:
    """One that is on; `administration` null: of everything that the service does."""

    service: str
    administration: str | None
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Paused:
    """All pauses that are on, the oldest first."""

    items: list[Pause]


@dataclass(frozen=True, slots=True)
class Flipped:
    """What is on afterwards; `changed` is false where it stood so already."""

    changed: bool
    items: list[Pause]


@dataclass(frozen=True, slots=True)
class Flip:
    """Somebody pauses or resumes a service, for one administration or for all."""

    pause: bool
    service: Pausable
    administration: str | None
    reason: str
    user: User
    caller: Caller

    @property
    def action(self) -> str:
        return "switches.pause" if self.pause else "switches.resume"

    @property
    def details(self) -> dict[str, Any]:
        """For the audit log."""
        return {"service": self.service.value, "administration": self.administration, "reason": self.reason}
