"""What is said to people, whatever the channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Tone(StrEnum):
    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"


class Severity(StrEnum):
    """How urgent it is: decides who is told, and whether at night."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    def reaches(self, least: "Severity") -> bool:
        """Whether it is at least as urgent as `least`."""
        order = tuple(Severity)
        return order.index(self) >= order.index(least)


BY_TONE = {Tone.GOOD: Severity.INFO, Tone.ATTENTION: Severity.WARNING, Tone.BAD: Severity.CRITICAL}


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text in parts; the channel's adapter escapes and lays it out."""

    tone: Tone
    headline: str
    figures: Sequence[tuple[str, str]]
    paragraphs: Sequence[str]
    url: str
    at: datetime | None
    link: str = "Open the job"
    urgency: Severity | None = None
    """Where it is not what the tone says."""
    channels: Sequence[str] = ()
    """Of those who own what it is about: they are told whatever its severity."""

    @property
    def severity(self) -> Severity:
        return self.urgency or BY_TONE[self.tone]
