"""How the new numbers of a finished job are said, after a person or a replay moved some of its invoices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.domain.report import Counts, JobReport
from notifier.domain.wording import Message, Tone, causes, with_amounts

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


def write_correction(correction: Correction, public_url: str, at: datetime) -> Message:
    """The message; the correction must change something."""
    report, counts = correction.now, correction.now.counts or Counts()
    rest = [(counts.failed, "failed"), (counts.held, "held"), (counts.open, "on their way")]
    bad = [f"{count} {what}" for count, what in rest if count]
    return Message(
        Tone.ATTENTION if bad else Tone.GOOD,
        f"Invoice run corrected: now {', '.join([f'{counts.sent} sent', *(bad or ['nothing to look at'])])}",
        tuple(_figures(correction, counts)),
        tuple(_paragraphs(report, counts)),
        f"{public_url.rstrip('/')}/jobs/{report.job_id}",
        at,
    )


def _figures(correction: Correction, now: Counts) -> Iterator[tuple[str, str]]:
    yield "Listed", str(now.total)
    before = correction.before
    for label, bucket, count, was in (
        ("Sent", "sent", now.sent, before and before.sent),
        ("Duplicates", "duplicate", now.duplicates, before and before.duplicates),
        ("Failed", "failed", now.failed, before and before.failed),
        ("Held", "held", now.held, before and before.held),
    ):
        changed = f", was {was}" if was is not None and was != count else ""
        yield label, f"{with_amounts(count, correction.now.amounts.get(bucket, {}))}{changed}"
    if now.open:
        yield "On their way", str(now.open)


def _paragraphs(report: JobReport, counts: Counts) -> Iterator[str]:
    yield f"The total has not changed: all {counts.total} listed invoices are accounted for."
    if counts.open:
        yield f"{counts.open} are on their way again; another message follows when they have ended."
    if counts.held:
        yield f"{counts.held} held, not sent until a person decides: {causes(report, 'held')}."
    if counts.failed:
        yield f"{counts.failed} failed: {causes(report, 'failed')}."
