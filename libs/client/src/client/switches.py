"""The switches of the night shift: the calls and their answers."""

from datetime import datetime

from pydantic import Field

from client.answers import Answer
from client.connection import Connection


class Pause(Answer):
    """One that is on; without an `administration` it is of everything that the service does."""

    service: str
    administration: str | None = None
    reason: str
    actor: str
    at: datetime


class Paused(Answer):
    items: list[Pause] = Field(default_factory=list[Pause])


class Flipped(Answer):
    """What is on afterwards; `changed` is false where it stood so already."""

    changed: bool
    items: list[Pause] = Field(default_factory=list[Pause])


class SwitchCalls(Connection):
    def switches(self) -> Paused:
        """What is paused, the oldest first."""
        return self._call("GET", "/api/v1/switches", Paused)

    def pause(self, service: str, *, reason: str, administration: str | None = None) -> Flipped:
        """Pause a service, for one administration or for all."""
        return self._flip("pause", service, administration, reason)

    def resume(self, service: str, *, reason: str, administration: str | None = None) -> Flipped:
        """End exactly that pause."""
        return self._flip("resume", service, administration, reason)

    def _flip(self, what: str, service: str, administration: str | None, reason: str) -> Flipped:
        body = {"service": service, "administration": administration, "reason": reason}
        return self._call("POST", f"/api/v1/switches/{what}", Flipped, json=body)
