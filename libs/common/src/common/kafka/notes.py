"""How often a batch was begun without an end, noted in the metadata of offset commits: pure.

A commit says "the next batch is begun by me"; so its owner notes nothing more. Who finds a position that another left
behind notes a second beginning before it works, and so on: one commit for each partition that changes hands.
"""

from dataclasses import dataclass, replace
from enum import Enum

DEATHS_ALONE = 3
"""How often a record alone in hand may end its process before it is parked."""


class Care(Enum):
    """How to take the records of a partition."""

    WHOLE = "whole"
    HALVES = "halves"
    ALONE = "alone"
    CONDEMNED = "condemned"
    """The first record is parked, the others are taken alone."""


@dataclass(frozen=True, slots=True)
class Note:
    """`begun` times at this offset, of which `alone` times with this one record; both belong to a batch to `until`."""

    begun: int = 1
    until: int = 0
    alone: int = 0

    @property
    def care(self) -> Care:
        if self.alone > DEATHS_ALONE:
            return Care.CONDEMNED
        if self.begun > 3:
            return Care.ALONE
        return Care.HALVES if self.begun == 3 else Care.WHOLE  # begun twice before, without an end

    def begun_again(self, until: int) -> "Note":
        """The note of the process that finds this one where the last commit stands."""
        begun = self.begun + 1
        return Note(begun, max(until, self.until), self.alone + 1 if begun > 3 else 0)

    def after(self, offset: int) -> "Note | None":
        """The note at a later offset of the same batch: begun by the same process; None once the batch is behind."""
        if offset >= self.until:
            return None
        return replace(self, alone=1 if self.begun > 3 else 0)


def write(note: Note | None) -> str:
    """As commit metadata; the usual note is empty."""
    return "" if note is None else f"{note.begun}:{note.until}:{note.alone}"


def read(metadata: str) -> Note:
    """What somebody left; anything else than a note of ours was begun once."""
    try:
        begun, until, alone = map(int, metadata.split(":"))
    except ValueError:
        return Note()
    return Note(begun, until, alone)
