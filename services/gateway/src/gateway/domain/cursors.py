"""Keyset cursors: opaque to the caller, signed, and valid only for the filters they were made for."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from gateway.domain.faults import CursorInvalid

_MAC_BYTES = 16


class Cursors:
    """`key`: at least 32 secret bytes, the same in every replica."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, position: Sequence[str], *, bound_to: Mapping[str, Any]) -> str:
        payload = json.dumps(list(position), separators=(",", ":")).encode()
        return urlsafe_b64encode(self._mac(payload, bound_to) + payload).decode().rstrip("=")

    def open(self, cursor: str, *, bound_to: Mapping[str, Any]) -> list[str]:
        """The position that was sealed with the same `bound_to`. Raises CursorInvalid for anything else."""
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise CursorInvalid from None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        # the text is compared too: base64 has several spellings of the same bytes
        if not hmac.compare_digest(mac, self._mac(payload, bound_to)) or not self._canonical(cursor, raw):
            raise CursorInvalid
        return json.loads(payload)

    def _canonical(self, cursor: str, raw: bytes) -> bool:
        return urlsafe_b64encode(raw).decode().rstrip("=") == cursor

    def _mac(self, payload: bytes, bound_to: Mapping[str, Any]) -> bytes:
        bound = json.dumps(bound_to, sort_keys=True, default=str).encode()
        return hmac.new(self._key, sha256(bound).digest() + payload, sha256).digest()[:_MAC_BYTES]
