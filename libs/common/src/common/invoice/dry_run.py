"""What would become of an invoice."""

from enum import StrEnum


class Prospect(StrEnum):
    """The outcome of an item of a dry run. Stored; new members may be added, none may change its spelling."""

    OPEN = "open"
    """Listed, and not judged yet."""
    WOULD_GO = "would_go"
    WOULD_FAIL = "would_fail"
    WOULD_WAIT = "would_wait"
    """Held for a person, or while sending is paused."""
    DUPLICATE = "duplicate"
    """Another document has its key."""
    KNOWN = "known"
    """This very document was listed by an earlier job, which counts it."""


PAUSED = "paused"
"""The reason of an item that would wait until sending goes on; all others are those of a row."""
