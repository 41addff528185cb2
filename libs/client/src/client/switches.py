"""The switches of the night shift: the calls and their answers."""

from client.connection import Connection
from client.shapes import Flipped, Paused


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
