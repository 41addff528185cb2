"""What an attempt's end makes of its row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, assert_never

from common.invoice.stage import Reason, Stage
from sender.domain.deliveries import Accepted, Claim, Delivery, NotAccepted, OutcomeUnknown, Refused


class Outcome(StrEnum):
    """The delivery as it is stored with its attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    UNKNOWN = "unknown"
    RELEASED = "released"  # never left
    EXPIRED = "expired"  # the lease ran out without an answer


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of an attempt: what is written to it, and where its row goes."""

    claim: Claim
    outcome: Outcome
    to: Stage
    reason: Reason | None = None
    error: str | None = None
    wake: timedelta | None = None
    maybe_sent: bool | None = None
    uuid: str | None = None
    response: Mapping[str, Any] | None = None

    def without_text(self) -> "Settlement":
        """The same end without the texts of others, which the database may refuse (a NUL, a lone surrogate)."""
        uuid = self.uuid and self.uuid.encode(errors="replace").decode().replace("\x00", "\ufffd")
        return replace(self, error="the answer cannot be stored", response=None, uuid=uuid)


_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 15, 60))


def pause_after(attempts_before: int) -> timedelta:
    """How long a row waits after its n-th proven non-acceptance."""
    return _PAUSES[min(attempts_before, len(_PAUSES) - 1)]


def settle(claim: Claim, delivery: Delivery) -> Settlement:
    """What a delivery makes of its row."""
    match delivery:
        case Accepted(uuid=uuid, response=response):
            return Settlement(claim, Outcome.ACCEPTED, Stage.SENT, maybe_sent=False, uuid=uuid, response=response)
        case Refused(code=code, message=message, response=response):
            error = f"{code}: {message}"[:1000]
            return Settlement(claim, Outcome.REFUSED, Stage.FAILED, Reason.REFUSED, error, response=response)
        case NotAccepted(why=why, wait=wait):
            pause = max(wait or timedelta(0), pause_after(claim.attempts_before))
            return Settlement(claim, Outcome.NOT_ACCEPTED, Stage.VALIDATED, Reason.NOT_ACCEPTED, why[:1000], pause)
        case OutcomeUnknown(why=why):
            return Settlement(
                claim, Outcome.UNKNOWN, Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME, why[:1000], maybe_sent=True
            )
        case _:
            assert_never(delivery)


def release(claim: Claim) -> Settlement:
    """A claim that never left: its row is free at once."""
    return Settlement(claim, Outcome.RELEASED, Stage.VALIDATED, Reason.RELEASED, wake=timedelta(0))
