"""Giving a forgetful database back what Kafka knows: the call and its answer."""

from client.answers import Answer
from client.connection import Connection

_LONGEST_RUN = 3600.0
"""Seconds: a month of records is read and written before the answer comes."""


class Recovered(Answer):
    """`remembers`: whether the database knows everything afterwards; only then anything is claimed and listed again."""

    dry_run: bool
    remembers: bool
    records: int
    invoices: int
    inserted_sent: int
    inserted_unknown: int
    inserted_abandoned: int
    moved_to_sent: int
    moved_to_unknown: int
    attempts: int
    keys_taken_over: int
    last_attempt: int


class RecoveryCalls(Connection):
    def recover(self, *, dry_run: bool = False, force: bool = False, reason: str | None = None) -> Recovered:
        """Returns when it is done; repeating it is harmless. ApiError CONFLICT where nothing was forgotten."""
        body = {"dry_run": dry_run, "force": force, "reason": reason}
        return self._call("POST", "/api/v1/recovery", Recovered, json=body, timeout=_LONGEST_RUN)
