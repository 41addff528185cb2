"""What stands in the head of every answer, and what is looked at in that of every request."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

CORRELATION_HEADER = "X-Correlation-ID"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}

RawHeader: TypeAlias = tuple[bytes, bytes]
"""As ASGI has them: the name in small letters."""
_CORRELATION, _CACHE = CORRELATION_HEADER.lower().encode(), b"cache-control"
_OURS, _OURS_IN_PRIVATE = frozenset({_CORRELATION}), frozenset({_CORRELATION, _CACHE})
_NO_STORE: RawHeader = (_CACHE, b"no-store")
_EVENTS = b"text/event-stream"


class AnswerHeaders:
    """Completes the headers of answers; what the answer itself says of security stays, it may be stricter."""

    def __init__(self, *, behind_tls: bool) -> None:
        fixed = {**SECURITY_HEADERS, **(HSTS if behind_tls else {})}
        self._fixed = [(name.lower().encode(), value.encode()) for name, value in fixed.items()]
        self._names = frozenset(name for name, _ in self._fixed)

    def completed(self, given: Iterable[RawHeader], correlation: str, *, private: bool) -> list[RawHeader]:
        ours = _OURS_IN_PRIVATE if private else _OURS
        kept = [header for header in given if header[0] not in ours]
        named = {name for name, _ in kept}
        fixed: Sequence[RawHeader] = self._fixed
        if not self._names.isdisjoint(named):
            fixed = [header for header in fixed if header[0] not in named]
        return [*kept, *fixed, (_CORRELATION, correlation.encode()), *([_NO_STORE] if private else [])]


def text_of(headers: Iterable[RawHeader]) -> dict[str, str]:
    """Of a name that is given twice the last one."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def has_length(headers: Iterable[RawHeader]) -> bool:
    """An answer that does not say how long it is takes as long as somebody watches or reads."""
    return any(name == b"content-length" for name, _ in headers)


def are_events(headers: Iterable[RawHeader]) -> bool:
    """Server-sent events take as long as somebody watches."""
    return any(name == b"content-type" and value.startswith(_EVENTS) for name, value in headers)
