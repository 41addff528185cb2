"""Many messages as one: what was held back in quiet hours, or since the last daily or weekly digest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from notifier.domain.message import Message, Severity, Tone
from notifier.domain.wording import shorten
from notifier.domain.words import ENGLISH, Words

SHOWN = 15
_WORST_FIRST = (Tone.BAD, Tone.ATTENTION, Tone.GOOD)


@dataclass(frozen=True, slots=True)
class Told:
    """What a digest tells; `dropped` are those that have nothing to say any more, with why. None: nobody has."""

    message: Message | None
    told: Sequence[tuple[UUID, Message]]
    dropped: Sequence[tuple[UUID, str]]
    unfinished: Sequence[UUID] = ()
    """Jobs of which more has to be told afterwards."""


def write_held(
    kind: str, messages: Sequence[Message], public_url: str, at: datetime, words: Words = ENGLISH
) -> Message:
    """There is at least one; one alone is said as it is. Worst first."""
    if len(messages) == 1:
        return replace(messages[0], at=at)
    ordered = sorted(messages, key=lambda message: _WORST_FIRST.index(message.tone))
    channels = {channel for message in messages for channel in message.channels}
    return Message(
        ordered[0].tone,
        words.say(f"digest.{kind}", n=len(messages)),
        tuple(_figures(messages, words)),
        tuple(_paragraphs(ordered, words)),
        f"{public_url.rstrip('/')}/jobs",
        at,
        words.say("link.jobs"),
        max((message.severity for message in messages), key=tuple(Severity).index),
        tuple(sorted(channels)),
    )


def _figures(messages: Sequence[Message], words: Words) -> Iterator[tuple[str, str]]:
    counts = Counter(message.severity for message in messages)
    for severity in reversed(Severity):
        if counts[severity]:
            yield words.say(f"severity.{severity}"), words.number(counts[severity])


def _paragraphs(ordered: Sequence[Message], words: Words) -> Iterator[str]:
    for message in ordered[:SHOWN]:
        yield shorten(". ".join((message.headline, *message.paragraphs[:1])))
    if len(ordered) > SHOWN:
        yield words.say("digest.more", n=len(ordered) - SHOWN)
