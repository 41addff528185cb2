"""What a row needs so that the database knows again what was told. Pure.

A claim that nothing was heard of after may have been accepted: its row is unknown, for the sender to look up, or to
hold where it cannot. What was proven not to be accepted needs nothing: sending it again is no second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from common.invoice.stage import Reason, Stage
from gateway.recovery.hearing import Attempt, Fate, Told


@dataclass(frozen=True, slots=True)
class Standing:
    """A row as the database has it."""

    stage: Stage
    maybe_sent: bool


class Remedy(StrEnum):
    """`INSERT_`: the row is not there. Rows that are made so have no document."""

    NOTHING = "nothing"
    INSERT_SENT = "insert_sent"
    INSERT_UNKNOWN = "insert_unknown"
    INSERT_ABANDONED = "insert_abandoned"
    MOVE_TO_SENT = "move_to_sent"
    MOVE_TO_UNKNOWN = "move_to_unknown"

    @property
    def inserts(self) -> bool:
        return self.value.startswith("insert")

    @property
    def to(self) -> Stage:
        """Where the row stands afterwards."""
        if self in {Remedy.INSERT_SENT, Remedy.MOVE_TO_SENT}:
            return Stage.SENT
        return Stage.FAILED if self is Remedy.INSERT_ABANDONED else Stage.UNKNOWN


@dataclass(frozen=True, slots=True)
class Treatment:
    """One row with its remedy and the attempts that are to be written."""

    told: Told
    remedy: Remedy
    attempts: tuple[Attempt, ...] = ()

    @property
    def id(self) -> UUID:
        return self.told.latest.id


def treat(told: Told, standing: Standing | None, known: Mapping[int, str | None]) -> Treatment:
    """The remedy for one row; `known` are the outcomes of the attempts that the database has of it, by number."""
    return Treatment(told, _remedy(told, standing, known), lacking(told, known))


def lacking(told: Told, known: Mapping[int, str | None]) -> tuple[Attempt, ...]:
    """Attempts to write: those that are not there, and acceptances that are not noted."""
    return tuple(
        attempt
        for number, attempt in sorted(told.attempts.items())
        if number not in known or (attempt.fate is Fate.ACCEPTED and known[number] != Fate.ACCEPTED)
    )


def _remedy(told: Told, standing: Standing | None, known: Mapping[int, str | None]) -> Remedy:
    if told.sent:
        return _sent(standing)
    if not any(attempt.fate is Fate.EXPIRED and number not in known for number, attempt in told.attempts.items()):
        return Remedy.NOTHING
    if standing is None:
        abandoned = told.latest.stage == "failed" and told.latest.reason == Reason.ABANDONED
        return Remedy.INSERT_ABANDONED if abandoned else Remedy.INSERT_UNKNOWN
    resolved = standing.stage in {Stage.SENT, Stage.UNKNOWN} or (standing.stage is Stage.HELD and standing.maybe_sent)
    return Remedy.NOTHING if resolved else Remedy.MOVE_TO_UNKNOWN


def _sent(standing: Standing | None) -> Remedy:
    if standing is None:
        return Remedy.INSERT_SENT
    return Remedy.NOTHING if standing.stage is Stage.SENT else Remedy.MOVE_TO_SENT
