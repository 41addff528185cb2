"""The state machine of an invoice row: one table (`NEXT`), one door (`common.db.moves`)."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class UnknownStageError(ValueError):
    """A stage that this version of the code does not know; its rows are simply not our work."""


class Status(StrEnum):
    """The seed's `invoices.status`; `held` is our fifth."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    HELD = "held"


class Stage(StrEnum):
    FETCHED = "fetched"
    VALIDATED = "validated"
    SENDING = "sending"
    UNKNOWN = "unknown"
    HELD = "held"
    SENT = "sent"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a row stands where it stands. Stored; new members may be added, none may change its spelling."""

    INVALID = "invalid"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FORCE_REFUSED = "force_refused"
    PARKED = "parked"
    ABANDONED = "abandoned"
    STATED = "stated"
    UNKNOWN_OUTCOME = "unknown_outcome"
    CHANGED_AFTER_SENT = "changed_after_sent"
    CONFLICTING_VERSION = "conflicting_version"
    NOT_ACCEPTED = "not_accepted"
    RELEASED = "released"
    EXHAUSTED = "exhausted"


NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.FETCHED: frozenset({Stage.VALIDATED, Stage.FAILED}),
    Stage.VALIDATED: frozenset(
        {
            Stage.SENDING,  # claimed before the network is touched
            Stage.FAILED,
            Stage.SENT,  # late evidence
        }
    ),
    Stage.SENDING: frozenset({Stage.SENT, Stage.FAILED, Stage.VALIDATED, Stage.UNKNOWN}),
    Stage.UNKNOWN: frozenset({Stage.SENT, Stage.VALIDATED, Stage.HELD}),
    Stage.HELD: frozenset(
        {
            Stage.SENT,  # a person, or late evidence, gives the uuid
            Stage.VALIDATED,  # a person: resend
            Stage.FAILED,  # abandoned
            Stage.FETCHED,  # the conflict is gone
            Stage.DUPLICATE,  # the conflict turned out to be the same document
            Stage.HELD,  # still held, for another reason
        }
    ),
    Stage.SENT: frozenset(),
    Stage.DUPLICATE: frozenset(),
    Stage.FAILED: frozenset(
        {
            Stage.FETCHED,  # by replay only, with actor and reason
            Stage.VALIDATED,  # likewise
            Stage.SENT,  # late evidence
        }
    ),
}

STATUS: Mapping[Stage, Status] = {
    Stage.FETCHED: Status.PENDING,
    Stage.VALIDATED: Status.PENDING,
    Stage.SENDING: Status.PENDING,
    Stage.UNKNOWN: Status.PENDING,
    Stage.HELD: Status.HELD,
    Stage.SENT: Status.SENT,
    Stage.DUPLICATE: Status.DUPLICATE,
    Stage.FAILED: Status.FAILED,
}

OUTCOMES = frozenset({Stage.SENT, Stage.FAILED, Stage.DUPLICATE, Stage.HELD})
"""Stages that are announced on `invoices.outcomes.v1`; once announced nobody has to look at the row."""

WORKED_WHILE_HELD = frozenset({Reason.CONFLICTING_VERSION, Reason.STATED})
"""Held, but looked at again by itself: such a row keeps its timer when it was announced."""

FAILED_AT_SENDING = frozenset({Reason.REFUSED, Reason.EXHAUSTED})
"""Failures that are the sender's: it announces them, the fetcher all others."""

WAKE: Mapping[Stage, timedelta] = {
    Stage.FETCHED: timedelta(minutes=2),
    Stage.VALIDATED: timedelta(0),  # the pump claims what is due
    Stage.SENDING: timedelta(seconds=90),  # always given: the end of the lease
    Stage.UNKNOWN: timedelta(0),  # always given where the destination can be asked: the end of lease and settle
    Stage.HELD: timedelta(seconds=30),
    Stage.SENT: timedelta(seconds=30),
    Stage.DUPLICATE: timedelta(seconds=30),
    Stage.FAILED: timedelta(seconds=30),
}
"""When somebody looks at the row again if nothing else moves it (design, "The row")."""


def parse_stage(name: str) -> Stage:
    """Raise UnknownStageError for a name that is not in the machine."""
    try:
        return Stage(name)
    except ValueError:
        raise UnknownStageError(f"unknown stage {name!r}") from None


def may_move(from_: Stage, to: Stage) -> bool:
    return to in NEXT[from_]


def sources(to: Stage) -> frozenset[Stage]:
    """The stages from which `to` may be reached."""
    return frozenset(stage for stage, targets in NEXT.items() if to in targets)
