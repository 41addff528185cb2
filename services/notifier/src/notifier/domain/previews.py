"""How a dry run of tonight is said: what would go, what would not and why, while there is time to do something."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifier.domain.message import Message, Severity, Tone
from notifier.domain.owners import NOBODY, Owners
from notifier.domain.report import Amounts, Cause
from notifier.domain.wording import listed, shorten, with_amounts
from notifier.domain.words import ENGLISH, Words


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run that has ended; `causes` have the outcomes `would_fail` and `would_wait` as their status."""

    run_id: UUID
    completed_at: datetime | None
    error: str | None
    """Why it failed."""
    would_go: int = 0
    would_fail: int = 0
    would_wait: int = 0
    duplicates: int = 0
    known: int = 0
    open: int = 0
    amounts: Amounts | None = None
    """Of what would go."""
    causes: Sequence[Cause] = ()

    @property
    def new(self) -> int:
        return self.would_go + self.would_fail + self.would_wait + self.duplicates


def write_preview(preview: Preview, public_url: str, words: Words = ENGLISH, owners: Owners = NOBODY) -> Message:
    tone = Tone.ATTENTION if preview.error or preview.would_fail or preview.would_wait else Tone.GOOD
    return Message(
        tone,
        _headline(preview, words),
        tuple(_figures(preview, words)),
        tuple(_paragraphs(preview, words, owners)),
        f"{public_url.rstrip('/')}/jobs/{preview.run_id}",
        preview.completed_at,
        words.say("link.preview"),
        Severity.WARNING if preview.error else None,
    )


def _headline(preview: Preview, words: Words) -> str:
    if preview.error:
        return words.say("preview.failed")
    if not preview.new:
        return words.say("preview.nothing")
    return words.say(
        "preview.headline", go=preview.would_go, fail=preview.would_fail, duplicates=preview.duplicates
    )  # fmt: skip


def _figures(preview: Preview, words: Words) -> Iterator[tuple[str, str]]:
    if preview.new:
        yield words.say("label.would_go"), with_amounts(preview.would_go, preview.amounts or {}, words)
        yield words.say("label.would_fail"), words.number(preview.would_fail)
        yield words.say("label.would_wait"), words.number(preview.would_wait)
        yield words.say("label.duplicate"), words.number(preview.duplicates)


def _paragraphs(preview: Preview, words: Words, owners: Owners) -> Iterator[str]:
    if preview.error:
        yield words.say("job.reason", text=shorten(preview.error))
    for status, count, key in (
        ("would_fail", preview.would_fail, "preview.fail"),
        ("would_wait", preview.would_wait, "preview.wait"),
    ):
        if count:
            found = [cause for cause in preview.causes if cause.status == status]
            yield words.say(key, n=count, causes=listed(found, words, owners))
    if preview.known:
        yield words.say("preview.known", n=preview.known)
    if preview.open:
        yield words.say("preview.open", n=preview.open)
    yield words.say("preview.not_the_night" if preview.error else "preview.nothing_sent")
