"""How a delivery is signed, what an answer means, and when it is tried again."""

import hmac
import random
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Literal, TypeAlias
from uuid import UUID

from common.contracts.webhooks import secret_of

AT_ONCE = 16
"""Posts to one endpoint at once."""
TROUBLED = 5
"""Failures in a row after which an endpoint is spared: one post at a time, with pauses."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=2)
LONGEST_SPARING = timedelta(minutes=5)
LONGEST_RETRY_AFTER = timedelta(hours=1)
PAUSED_AFTER, PAUSED_FAILURES = timedelta(hours=24), 20
"""An endpoint is paused when nothing succeeded for so long, and so often."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One with something due. `open`: neither disabled nor stopped; to others only test deliveries go."""

    id: UUID
    url: str
    key_id: str
    secret_number: int
    previous_until: datetime | None
    failures: int
    open: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to post one delivery until its lease ends; `attempt` is 1 for the first."""

    id: UUID
    token: UUID
    event_id: str
    body: str
    attempt: int
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    latency: timedelta
    text: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`error` names no address."""

    error: str
    latency: timedelta


Answer: TypeAlias = Answered | NoAnswer
Status: TypeAlias = Literal["delivered", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class Settled:
    """How an attempt ended; `wait` until the next one where there is one."""

    claim: Claim
    at: datetime
    answer: Answer
    status: Status
    wait: timedelta | None

    @property
    def error(self) -> str | None:
        if isinstance(self.answer, NoAnswer):
            return self.answer.error
        return None if self.status == "delivered" else _refusal(self.answer.status)


@dataclass(frozen=True, slots=True)
class Mood:
    """What a batch of attempts says about its endpoint."""

    delivered: int
    failed: int
    gone: bool
    quiet: timedelta


def sign(secret: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """One signature of Standard Webhooks 1.0.0."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.new(secret, signed, sha256).digest()).decode()}"


def headers(endpoint: Endpoint, claim: Claim, key: str, now: datetime) -> dict[str, str]:
    """While a secret is replaced both sign."""
    numbers = [endpoint.secret_number]
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        numbers.append(endpoint.secret_number - 1)
    timestamp, body = int(now.timestamp()), claim.body.encode()
    signatures = [sign(secret_of(key, endpoint.id, number), claim.event_id, timestamp, body) for number in numbers]
    return {
        "webhook-id": claim.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def settle(claim: Claim, answer: Answer, now: datetime, chance: random.Random) -> Settled:
    if isinstance(answer, Answered) and HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Settled(claim, now, answer, "delivered", None)
    wait = max(wait_before(claim.attempt, chance), asked_for(answer))
    if is_gone(answer) or now + wait > claim.give_up_at:
        return Settled(claim, now, answer, "failed", None)
    return Settled(claim, now, answer, "waiting", wait)


def mood(endpoint: Endpoint, results: Sequence[Settled], chance: random.Random) -> Mood:
    delivered = sum(result.status == "delivered" for result in results)
    failed = len(results) - delivered
    quiet = max((asked_for(result.answer) for result in results), default=timedelta(0))
    failures = endpoint.failures + failed
    if not delivered and failures >= TROUBLED:
        quiet = max(quiet, _jittered(timedelta(seconds=5), failures - TROUBLED, LONGEST_SPARING, chance))
    return Mood(delivered, failed, any(is_gone(result.answer) for result in results), quiet)


def wait_before(attempt: int, chance: random.Random) -> timedelta:
    """Full jitter: anything up to a bound that doubles, so that what failed together does not come back together."""
    return max(timedelta(seconds=1), _jittered(FIRST_WAIT, attempt - 1, LONGEST_WAIT, chance))


def asked_for(answer: Answer) -> timedelta:
    """The `Retry-After` of an answer, bounded."""
    asked = answer.retry_after if isinstance(answer, Answered) else None
    return min(asked or timedelta(0), LONGEST_RETRY_AFTER)


def is_gone(answer: Answer) -> bool:
    return isinstance(answer, Answered) and answer.status == HTTPStatus.GONE


def _jittered(first: timedelta, doublings: int, longest: timedelta, chance: random.Random) -> timedelta:
    bound = min(first * 2 ** min(doublings, 20), longest)
    return bound * chance.random()


def _refusal(status: int) -> str:
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"answered {status}: redirects are not followed"
    if status == HTTPStatus.GONE:
        return "answered 410: the endpoint is disabled"
    return f"answered {status}"
