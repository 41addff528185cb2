"""How a finished job is said to somebody who reads it at eight in the morning. Numbers and ids only, nobody's name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from notifier.domain.report import Amounts, Cause, Counts, JobReport

TOP = 3
LONGEST_ERROR = 300

_REASONS: Mapping[str, str] = {
    "invalid": "not valid",
    "refused": "refused by Clearfacts",
    "exhausted": "not taken by Clearfacts for three days",
    "cancelled": "cancelled",
    "force_refused": "could not be forced",
    "parked": "could not be worked",
    "unknown_outcome": "nobody knows whether Clearfacts has it",
    "changed_after_sent": "changed after it was sent",
    "conflicting_version": "two versions differ",
    "stated": "found by a person, being read back",
    "abandoned": "given up by a person",
}


class Tone(StrEnum):
    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"


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


def write(report: JobReport, public_url: str) -> Message:
    """The message about a job that is completed or failed."""
    tone, headline = _headline(report)
    return Message(
        tone,
        headline,
        tuple(_figures(report)),
        tuple(_paragraphs(report)),
        f"{public_url.rstrip('/')}/jobs/{report.job_id}",
        report.completed_at,
    )


def _headline(report: JobReport) -> tuple[Tone, str]:
    if report.balance_broken:
        return Tone.BAD, "Invoice run failed: the balance is broken"
    if report.cancelled:
        return Tone.ATTENTION, "Invoice run cancelled"
    counts = report.counts or Counts()
    if report.status == "failed":
        return Tone.BAD, "Invoice run failed"
    if not counts.total:
        return Tone.GOOD, "Invoice run done: nothing to do"
    if not counts.failed and not counts.held:
        return Tone.GOOD, f"Invoice run done: {counts.sent} sent, nothing to look at"
    parts = [f"{counts.sent} sent"]
    parts += [f"{counts.failed} failed"] if counts.failed else []
    parts += [f"{counts.held} waiting for a person"] if counts.held else []
    return Tone.ATTENTION, f"Invoice run done: {', '.join(parts)}"


def _figures(report: JobReport) -> Iterator[tuple[str, str]]:
    if (counts := report.counts) is None or not counts.total:
        return
    yield "Listed", str(counts.total)
    for label, bucket, count in (
        ("Sent", "sent", counts.sent),
        ("Duplicates", "duplicate", counts.duplicates),
        ("Failed", "failed", counts.failed),
        ("Held", "held", counts.held),
    ):
        yield label, with_amounts(count, report.amounts.get(bucket, {}))
    if counts.open:
        yield "Still open", str(counts.open)


def with_amounts(count: int, amounts: Amounts) -> str:
    sums = " + ".join(f"{currency} {amount:,.2f}" for currency, amount in sorted(amounts.items()))
    return f"{count} ({sums})" if sums else str(count)


def _paragraphs(report: JobReport) -> Iterator[str]:
    if report.status == "failed":
        yield from _failure(report)
    elif report.counts is None or not report.counts.total:
        yield "The source listed no invoices."
    elif report.counts.adds_up:
        yield f"Nothing is missing: all {report.counts.total} listed invoices are accounted for."
    else:
        yield "The numbers do not add up: look at the job before you rely on them."
    if report.counts and report.counts.held:
        yield f"{report.counts.held} held, not sent until a person decides: {causes(report, 'held')}."
    if report.counts and report.counts.failed:
        yield f"{report.counts.failed} failed: {causes(report, 'failed')}."
    yield _circumstances(report)


def _failure(report: JobReport) -> Iterator[str]:
    reason = shorten(": ".join(filter(None, (report.error_code, report.error_message))) or "no reason was recorded")
    yield f"Reason: {reason}"
    if report.balance_broken:
        yield "What the source listed and what became of it do not agree. A person has to look before the next run."
    elif not report.cancelled:
        yield "Nothing is lost: what was listed goes on by itself, and the next run lists again from the same point."


def causes(report: JobReport, status: str) -> str:
    causes = sorted((c for c in report.causes if c.status == status), key=lambda c: (-c.count, c.reason, c.code or ""))
    top = [_cause(cause) for cause in causes[:TOP]]
    more = sum(cause.count for cause in causes[TOP:])
    return ", ".join([*top, f"{more} for other reasons"] if more else top) or "see the job"


def _cause(cause: Cause) -> str:
    words = _REASONS.get(cause.reason, cause.reason.replace("_", " "))
    return f"{cause.count} {words} ({cause.code})" if cause.code else f"{cause.count} {words}"


def _circumstances(report: JobReport) -> str:
    kind = "Scheduled run" if report.job_type == "scheduled" else "Manual run"
    if report.started_at is None or report.completed_at is None:
        return f"{kind}."
    return f"{kind}, took {duration(report.completed_at - report.started_at)}."


def duration(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def shorten(text: str) -> str:
    return text if len(text) <= LONGEST_ERROR else f"{text[: LONGEST_ERROR - 1]}…"
