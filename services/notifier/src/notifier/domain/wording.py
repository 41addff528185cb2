"""How a finished job is said to somebody who reads it at eight in the morning. Numbers and ids only, nobody's name."""

from collections.abc import Iterator, Sequence

from notifier.domain.message import Message, Tone
from notifier.domain.owners import NOBODY, Owners
from notifier.domain.report import Amounts, Cause, Counts, JobReport
from notifier.domain.words import ENGLISH, Words

__all__ = ["Message", "Tone", "causes", "shorten", "with_amounts", "write"]

TOP = 3
LONGEST_ERROR = 300


def write(report: JobReport, public_url: str, words: Words = ENGLISH, owners: Owners = NOBODY) -> Message:
    """The message about a job that is completed or failed."""
    tone, headline = _headline(report, words)
    return Message(
        tone,
        headline,
        tuple(_figures(report, words)),
        tuple(_paragraphs(report, words, owners)),
        f"{public_url.rstrip('/')}/jobs/{report.job_id}",
        report.completed_at,
        words.say("link.job"),
    )


def _headline(report: JobReport, words: Words) -> tuple[Tone, str]:
    if report.balance_broken:
        return Tone.BAD, words.say("job.broken")
    if report.cancelled:
        return Tone.ATTENTION, words.say("job.cancelled")
    counts = report.counts or Counts()
    if report.status == "failed":
        return Tone.BAD, words.say("job.failed")
    if not counts.total:
        return Tone.GOOD, words.say("job.nothing")
    if not counts.failed and not counts.held:
        return Tone.GOOD, words.say("job.clean", n=counts.sent)
    parts = [words.say("part.sent", n=counts.sent)]
    parts += [words.say("part.failed", n=counts.failed)] if counts.failed else []
    parts += [words.say("part.waiting", n=counts.held)] if counts.held else []
    return Tone.ATTENTION, words.say("job.mixed", parts=", ".join(parts))


def _figures(report: JobReport, words: Words) -> Iterator[tuple[str, str]]:
    if (counts := report.counts) is None or not counts.total:
        return
    yield words.say("label.listed"), words.number(counts.total)
    for bucket, count in counts.buckets:
        yield words.say(f"label.{bucket}"), with_amounts(count, report.amounts.get(bucket, {}), words)
    if counts.open:
        yield words.say("label.open"), words.number(counts.open)


def with_amounts(count: int, amounts: Amounts, words: Words = ENGLISH) -> str:
    sums = " + ".join(words.amount(currency, amount) for currency, amount in sorted(amounts.items()))
    return f"{words.number(count)} ({sums})" if sums else words.number(count)


def _paragraphs(report: JobReport, words: Words, owners: Owners) -> Iterator[str]:
    if report.status == "failed":
        yield from _failure(report, words)
    elif report.counts is None or not report.counts.total:
        yield words.say("job.empty")
    elif report.counts.adds_up:
        yield words.say("job.adds_up", n=report.counts.total)
    else:
        yield words.say("job.adds_not_up")
    yield from why_not(report, report.counts or Counts(), words, owners)
    yield _circumstances(report, words)


def why_not(report: JobReport, counts: Counts, words: Words, owners: Owners) -> Iterator[str]:
    """Why invoices are held, and why they failed."""
    if counts.held:
        yield words.say("job.why_held", n=counts.held, causes=causes(report, "held", words, owners))
    if counts.failed:
        yield words.say("job.why_failed", n=counts.failed, causes=causes(report, "failed", words, owners))


def _failure(report: JobReport, words: Words) -> Iterator[str]:
    recorded = ": ".join(filter(None, (report.error_code, report.error_message)))
    yield words.say("job.reason", text=shorten(recorded) if recorded else words.say("job.no_reason"))
    if report.balance_broken:
        yield words.say("job.look_first")
    elif not report.cancelled:
        yield words.say("job.goes_on")


def causes(report: JobReport, status: str, words: Words = ENGLISH, owners: Owners = NOBODY) -> str:
    found = [cause for cause in report.causes if cause.status == status]
    return listed(found, words, owners) or words.say("cause.none")


def listed(found: Sequence[Cause], words: Words, owners: Owners = NOBODY) -> str:
    """The largest causes, with how many invoices and whose they are; empty where there are none."""
    ordered = sorted(found, key=lambda cause: (-cause.count, cause.reason, cause.code or ""))
    top = [_cause(cause, words, owners) for cause in ordered[:TOP]]
    more = sum(cause.count for cause in ordered[TOP:])
    return ", ".join([*top, words.say("cause.others", n=more)] if more else top)


def _cause(cause: Cause, words: Words, owners: Owners) -> str:
    owner = owners.of(*cause.names)
    marks = [mark for mark in (cause.code, owner and owner.name) if mark]
    what = words.name("reason", cause.reason)
    if marks:
        return words.say("cause.code", n=cause.count, what=what, code=", ".join(marks))
    return words.say("cause.plain", n=cause.count, what=what)


def _circumstances(report: JobReport, words: Words) -> str:
    run = words.say("run.scheduled" if report.job_type == "scheduled" else "run.manual")
    if report.started_at is None or report.completed_at is None:
        return words.say("run.plain", run=run)
    return words.say("run.took", run=run, time=words.duration(report.completed_at - report.started_at))


def shorten(text: str) -> str:
    return text if len(text) <= LONGEST_ERROR else f"{text[: LONGEST_ERROR - 1]}…"
