"""A record that nobody could read, as it came."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreadable:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]
    cause: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.value).digest()
