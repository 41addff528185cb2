"""Giving a forgetful database back what Kafka knows: the call and its answer."""

from client.connection import Connection
from client.shapes import Recovered

_LONGEST_RUN = 3600.0
"""Seconds: a month of records is read and written before the answer comes."""


class RecoveryCalls(Connection):
    def recover(self, *, dry_run: bool = False, force: bool = False, reason: str | None = None) -> Recovered:
        """Returns when it is done; repeating it is harmless. ApiError CONFLICT where nothing was forgotten."""
        body = {"dry_run": dry_run, "force": force, "reason": reason}
        return self._call("POST", "/api/v1/recovery", Recovered, json=body, timeout=_LONGEST_RUN)
