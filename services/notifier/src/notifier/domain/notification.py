"""A notification, how a post of it may end, and when it is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from common.errors import PermanentError

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800))
"""The wait after the first, second, ... failed post; the last one repeats."""


class Kind(StrEnum):
    """What a message is about. Stored."""

    JOB_FINISHED = "job_finished"
    JOB_STILL_OPEN = "job_still_open"
    MORNING_REPORT = "morning_report"
    JOB_CORRECTED = "job_corrected"
    ALERT_OPENED = "alert_opened"
    ALERT_CLOSED = "alert_closed"
    ALERT_DIGEST = "alert_digest"
    JOB_CAUSES = "job_causes"
    """Nothing is said of it: it becomes a row for each cause of the job that somebody owns."""
    FAILURES = "failures"
    PREVIEW = "preview"
    DIGEST = "digest"
    """Of what was held back until then."""


GIVE_UP_AFTER: Mapping[Kind, timedelta] = {
    Kind.JOB_FINISHED: timedelta(days=3),
    Kind.JOB_STILL_OPEN: timedelta(days=3),
    Kind.MORNING_REPORT: timedelta(hours=12),  # the next morning has its own
    Kind.JOB_CORRECTED: timedelta(days=3),
    Kind.ALERT_OPENED: timedelta(days=3),
    Kind.ALERT_CLOSED: timedelta(days=3),
    Kind.ALERT_DIGEST: timedelta(days=3),
    Kind.JOB_CAUSES: timedelta(days=3),
    Kind.FAILURES: timedelta(days=3),
    Kind.PREVIEW: timedelta(hours=12),  # of one night
    Kind.DIGEST: timedelta(days=3),
}
"""A message about a job of three days ago helps nobody; the row stays, `abandoned`, with its last error."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to post one notification until its lease ends."""

    id: UUID
    token: UUID
    kind: Kind
    subject: str
    """The id of a job or of an alert; for a digest what it is of, for failures their cause."""
    attempt: int
    """1 for the first post."""
    created_at: datetime
    window: str = ""
    channel: str = "slack"

    @property
    def id_of_subject(self) -> UUID:
        """Raises PermanentError where a row's subject is no id."""
        return _id(self.subject)

    @property
    def id_of_window(self) -> UUID:
        """Raises PermanentError where a row's window is no id."""
        return _id(self.window)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise PermanentError(f"{text!r} is no id") from None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel took it."""


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """It was refused, or nobody knows: it will be posted again, and may then be there twice."""

    error: str
    retry_after: timedelta | None = None
    """What the channel asked for: nothing is posted before."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Whoever it is for cannot be reached there, now or later: posting it again changes nothing."""

    error: str


@dataclass(frozen=True, slots=True)
class NotConfigured:
    """There is no channel to post to."""


Delivery: TypeAlias = Delivered | NotDelivered | Refused | NotConfigured


def wait_before(attempt: int, floor: timedelta | None = None) -> timedelta:
    """How long to wait after the failed post number `attempt`, never less than `floor`."""
    return max(BACK_OFF[min(attempt, len(BACK_OFF)) - 1], floor or timedelta(0))
