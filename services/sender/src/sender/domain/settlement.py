"""What an attempt's end makes of its row."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, assert_never

from common.invoice.stage import Reason, Stage
from sender.domain import retry
from sender.domain.deliveries import Accepted, Claim, Delivery, NotAccepted, OutcomeUnknown, Refused


class Outcome(StrEnum):
    """The delivery as it is stored with its attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    UNKNOWN = "unknown"
    EXISTS = "exists"  # unknown: the destination has the document, whosever it is
    RELEASED = "released"  # never left
    EXPIRED = "expired"  # the lease ran out without an answer


TOO_LATE = "the destination's key for it was no longer sure to be known there"


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
    own_failure: bool = False
    """It counts, and starts the row's own clock; any other wait stops that clock."""

    def without_text(self) -> "Settlement":
        """The same end without the texts of others, which the database may refuse (a NUL, a lone surrogate)."""
        uuid = self.uuid and self.uuid.encode(errors="replace").decode().replace("\x00", "\ufffd")
        return replace(self, error="the answer cannot be stored", response=None, uuid=uuid)


def settle(claim: Claim, delivery: Delivery, chance: random.Random) -> Settlement:
    """What a delivery makes of its row."""
    match delivery:
        case Accepted(uuid=uuid, response=response):
            return Settlement(claim, Outcome.ACCEPTED, Stage.SENT, maybe_sent=False, uuid=uuid, response=response)
        case Refused(code=code, message=message, response=response):
            error = f"{code}: {message}"[:1000]
            return _end(
                claim, Settlement(claim, Outcome.REFUSED, Stage.FAILED, Reason.REFUSED, error, response=response)
            )
        case NotAccepted():
            return _not_accepted(claim, delivery, chance)
        case OutcomeUnknown(why=why, exists=exists):
            outcome = Outcome.EXISTS if exists else Outcome.UNKNOWN
            return Settlement(claim, outcome, Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME, why[:1000], maybe_sent=True)
        case _:
            assert_never(delivery)


def _not_accepted(claim: Claim, delivery: NotAccepted, chance: random.Random) -> Settlement:
    error = delivery.why[:1000]
    if delivery.everyone:
        wait = retry.wait_for_others(delivery.wait, chance)
        return Settlement(claim, Outcome.NOT_ACCEPTED, Stage.VALIDATED, Reason.NOT_ACCEPTED, error, wait)
    if retry.exhausted(claim.failing_for):
        return _end(claim, Settlement(claim, Outcome.NOT_ACCEPTED, Stage.FAILED, Reason.EXHAUSTED, error))
    wait = retry.pause(claim.failures, claim.failing_for, chance, floor=delivery.wait)
    return Settlement(claim, Outcome.NOT_ACCEPTED, Stage.VALIDATED, Reason.NOT_ACCEPTED, error, wait, own_failure=True)


def _end(claim: Claim, failed: Settlement) -> Settlement:
    """A row of which an earlier attempt may have arrived never fails by itself: evidence or a person ends it."""
    return replace(failed, to=Stage.UNKNOWN, reason=Reason.UNKNOWN_OUTCOME) if claim.maybe_sent else failed


def release(claim: Claim) -> Settlement:
    """A claim that never left: its row is free at once, or looked into again where it may not leave any more."""
    if claim.too_late:
        return Settlement(claim, Outcome.RELEASED, Stage.UNKNOWN, Reason.UNKNOWN_OUTCOME, TOO_LATE, timedelta(0))
    return Settlement(claim, Outcome.RELEASED, Stage.VALIDATED, Reason.RELEASED, wake=timedelta(0))
