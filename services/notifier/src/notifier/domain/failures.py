"""How failures of one cause are said to whoever owns it: once for all of them, with their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.domain.message import Message, Tone
from notifier.domain.owners import Owner
from notifier.domain.report import Cause
from notifier.domain.wording import listed
from notifier.domain.words import ENGLISH, Words

AT_MOST = 5
"""Causes of one job of which each is a message of its own; the others are one message together."""
OTHERS = "others"
"""Stands for their fingerprint."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What failed for one cause in a job, and of it all that still waits for a decision."""

    fingerprint: str
    cause: Cause
    waiting: int


def write_failures(found: Failures, owner: Owner, public_url: str, at: datetime, words: Words = ENGLISH) -> Message:
    what = words.name("reason", found.cause.reason)
    return Message(
        Tone.ATTENTION,
        words.say(
            "failures.headline", n=found.cause.count, what=f"{what} ({found.cause.code})" if found.cause.code else what
        ),
        (),
        (
            words.say("failures.job", n=found.cause.count, total=found.waiting),
            words.say("owner", owner=owner.name),
        ),
        f"{public_url.rstrip('/')}/failures?group={found.fingerprint}",
        at,
        words.say("link.failures"),
        channels=owner.channels,
    )


def write_others(
    others: Sequence[Failures], channel: str, public_url: str, at: datetime, words: Words = ENGLISH
) -> Message:
    return Message(
        Tone.ATTENTION,
        words.say("failures.others", n=len(others)),
        (),
        (words.say("failures.others_why", causes=listed([one.cause for one in others], words)),),
        f"{public_url.rstrip('/')}/failures",
        at,
        words.say("link.failures"),
        channels=(channel,),
    )
