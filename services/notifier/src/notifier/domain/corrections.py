"""How the new numbers of a finished job are said, after a person or a replay moved some of its invoices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.domain.message import Message, Tone
from notifier.domain.owners import NOBODY, Owners
from notifier.domain.report import Counts, JobReport
from notifier.domain.wording import why_not, with_amounts
from notifier.domain.words import ENGLISH, Words

PATIENCE = timedelta(hours=1)
"""How long a correction waits for invoices that are on their way again, before it is told with what is known."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The job as it stands now, and as it was told when it ended (None where nothing was counted then)."""

    now: JobReport
    before: Counts | None

    @property
    def open(self) -> int:
        return self.now.counts.open if self.now.counts else 0

    @property
    def changes_anything(self) -> bool:
        return self.now.counts != self.before


def write_correction(
    correction: Correction, public_url: str, at: datetime, words: Words = ENGLISH, owners: Owners = NOBODY
) -> Message:
    """The message; the correction must change something."""
    report, counts = correction.now, correction.now.counts or Counts()
    rest = [("part.failed", counts.failed), ("part.held", counts.held), ("part.moving", counts.open)]
    bad = [words.say(key, n=count) for key, count in rest if count]
    parts = [words.say("part.sent", n=counts.sent), *(bad or [words.say("part.nothing")])]
    return Message(
        Tone.ATTENTION if bad else Tone.GOOD,
        words.say("job.corrected", parts=", ".join(parts)),
        tuple(_figures(correction, counts, words)),
        tuple(_paragraphs(report, counts, words, owners)),
        f"{public_url.rstrip('/')}/jobs/{report.job_id}",
        at,
        words.say("link.job"),
    )


def _figures(correction: Correction, now: Counts, words: Words) -> Iterator[tuple[str, str]]:
    yield words.say("label.listed"), words.number(now.total)
    before = dict(correction.before.buckets) if correction.before else dict(now.buckets)
    for bucket, count in now.buckets:
        figure = with_amounts(count, correction.now.amounts.get(bucket, {}), words)
        was = before[bucket]
        yield words.say(f"label.{bucket}"), figure if was == count else words.say("changed", figure=figure, n=was)
    if now.open:
        yield words.say("label.moving"), words.number(now.open)


def _paragraphs(report: JobReport, counts: Counts, words: Words, owners: Owners) -> Iterator[str]:
    yield words.say("job.same_total", n=counts.total)
    if counts.open:
        yield words.say("job.moving_again", n=counts.open)
    yield from why_not(report, counts, words, owners)
