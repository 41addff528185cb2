"""Faults by script: which call is spoilt, and how. All three faces share the vocabulary."""

import hashlib
import random
import re
from collections import Counter
from enum import StrEnum
from http import HTTPStatus
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from sandbox.web import Hang, Headers, Plan, Reply, Reset, error

Operation: TypeAlias = Literal["post", "get"]


class Effect(StrEnum):
    """What happens to the call; `after` means after the document was accepted (stored), `before` that it never is."""

    REFUSE = "refuse"  # 422
    BAD_REQUEST = "bad_request"  # 400
    TOO_LARGE = "too_large"  # 413
    CONFLICT = "conflict"  # 409
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403
    TOO_MANY = "too_many"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503 with Retry-After
    BAD_GATEWAY = "bad_gateway"  # 502 with an HTML page, as a proxy sends it
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    LATE_ACCEPT = "late_accept"  # accepted only `seconds` later, also when the client has gone
    SERVER_ERROR_AFTER = "server_error_after"
    GARBAGE = "garbage"  # 2xx with a body that is not the promised JSON; a document was accepted
    NULL_DATA = "null_data"  # 200 with `null` where the uuid belongs; a document was accepted
    CUT = "cut"  # the answer ends in the middle; a document was accepted
    SLOW = "slow"  # answered `seconds` later than usual
    ABSENT = "absent"  # a lookup that denies what was accepted
    SHIFT = "shift"  # a page that begins `shift` items later (or, negative, earlier) than its cursor says


STATUSES = {
    Effect.REFUSE: (HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_DOCUMENT", "the document is refused"),
    Effect.BAD_REQUEST: (HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "the request is refused"),
    Effect.TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", "the document is too large"),
    Effect.CONFLICT: (HTTPStatus.CONFLICT, "ALREADY_EXISTS", "the document exists already"),
    Effect.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "the token is not known"),
    Effect.FORBIDDEN: (HTTPStatus.FORBIDDEN, "FORBIDDEN", "the token lacks the scope"),
    Effect.TOO_MANY: (HTTPStatus.TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "slow down"),
    Effect.SERVER_ERROR: (HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error"),
    Effect.SERVER_ERROR_AFTER: (HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error"),
    Effect.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", "under maintenance"),
}
AFTER = frozenset(
    {
        Effect.RESET_AFTER,
        Effect.HANG_AFTER,
        Effect.SERVER_ERROR_AFTER,
        Effect.GARBAGE,
        Effect.NULL_DATA,
        Effect.CUT,
        Effect.SLOW,
    }
)
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Rule(BaseModel):
    """The conditions that are given must all hold; without any, every call is spoilt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effect: Effect
    on: Operation | None = None  # default: the face's main call
    matching: re.Pattern[str] | None = None  # searched in the document number (source: the cursor; Slack: the text)
    share: float | None = Field(default=None, ge=0, le=1)  # by hash: the same document is always spoilt, or never
    every: int | None = Field(default=None, ge=1)  # each n-th call
    next: int | None = Field(default=None, ge=0)  # only the next n calls
    times: int | None = Field(default=None, ge=1)  # only the first n calls for the same document
    seconds: float = Field(default=0, ge=0)
    retry_after: int | None = Field(default=None, ge=0)
    shift: int = 1


class Behaviour(BaseModel):
    """The body of `PUT /sandbox/faults`; `latency` and `jitter` in seconds, the jitter added evenly from 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency: float = Field(default=0, ge=0)
    jitter: float = Field(default=0, ge=0)
    rules: tuple[Rule, ...] = ()


class Script:
    """A behaviour and how far it has been played. The first rule that holds wins."""

    def __init__(self, behaviour: Behaviour, main: Operation, seed: int = 0) -> None:
        self.behaviour = behaviour
        self._main: Operation = main
        self._dice = random.Random(seed)  # noqa: S311 not a secret
        self._seen: Counter[int] = Counter()
        self._played: Counter[int] = Counter()
        self._by_subject: Counter[tuple[int, str]] = Counter()

    def latency(self) -> float:
        behaviour = self.behaviour
        return behaviour.latency + (self._dice.random() * behaviour.jitter if behaviour.jitter else 0.0)

    def pick(self, operation: Operation, subject: str) -> Rule | None:
        for place, rule in enumerate(self.behaviour.rules):
            if operation == (rule.on or self._main) and self._holds(place, rule, subject):
                return rule
        return None

    def _holds(self, place: int, rule: Rule, subject: str) -> bool:
        if rule.matching and not rule.matching.search(subject):
            return False
        if rule.share is not None and _chance(place, subject) >= rule.share:
            return False
        self._seen[place] += 1
        if rule.every and self._seen[place] % rule.every:
            return False
        if rule.next is not None and self._played[place] >= rule.next:
            return False
        if rule.times is not None:
            if self._by_subject[place, subject] >= rule.times:
                return False
            self._by_subject[place, subject] += 1
        self._played[place] += 1
        return True


def spoil(rule: Rule, latency: float = 0) -> Plan | None:
    """The plan of an effect that needs no knowledge of the face; None for the others."""
    delay = latency + rule.seconds
    if rule.effect in STATUSES:
        status, code, message = STATUSES[rule.effect]
        return error(status, code, message, _retry_after(rule))._replace(delay=delay)
    if rule.effect is Effect.BAD_GATEWAY:
        return Reply(HTTPStatus.BAD_GATEWAY, HTML, "text/html", delay=delay)
    if rule.effect in {Effect.RESET_BEFORE, Effect.RESET_AFTER}:
        return Reset(delay)
    if rule.effect in {Effect.HANG_BEFORE, Effect.HANG_AFTER}:
        return Hang()
    return None


def apply(rule: Rule | None, reply: Reply) -> Plan:
    """What becomes of a reply that was made (its document accepted) under this rule."""
    if rule is None:
        return reply
    return spoil(rule, reply.delay) or distort(rule, reply)


def distort(rule: Rule, reply: Reply) -> Reply:
    """The reply as a lying or slow peer would send it."""
    if rule.effect is Effect.GARBAGE:
        return reply._replace(body=b"<!-- not what was promised -->", delay=reply.delay + rule.seconds)
    if rule.effect is Effect.NULL_DATA:
        return reply._replace(body=b'{"data":{"uploadFile":null}}', delay=reply.delay + rule.seconds)
    if rule.effect is Effect.CUT:
        return reply._replace(cut=0.5, delay=reply.delay + rule.seconds)
    if rule.effect is Effect.SLOW:
        return reply._replace(delay=reply.delay + rule.seconds)
    return reply


def _chance(place: int, subject: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{place}:{subject}".encode()).digest()[:4]) / 2**32


def _retry_after(rule: Rule) -> Headers:
    default = {Effect.TOO_MANY: 1, Effect.UNAVAILABLE: 1}.get(rule.effect)
    seconds = default if rule.retry_after is None else rule.retry_after
    return () if seconds is None else (("retry-after", str(seconds)),)
