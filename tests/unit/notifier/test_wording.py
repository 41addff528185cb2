"""What people read at eight in the morning."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from notifier.adapters.slack import as_blocks, as_text
from notifier.domain.report import Cause, Counts, JobReport
from notifier.domain.wording import Message, Tone, write

JOB = UUID("0197b0d2-7e21-7000-8000-000000000001")
CLEAN = JobReport(
    job_id=JOB,
    job_type="scheduled",
    status="completed",
    started_at=datetime(2026, 11, 24, 1, 0, 0, tzinfo=UTC),
    completed_at=datetime(2026, 11, 24, 1, 3, 12, tzinfo=UTC),
    counts=Counts(total=215, sent=212, duplicates=3),
    amounts={"sent": {"EUR": Decimal("1234567.8"), "USD": Decimal(10)}},
)
MIXED = replace(
    CLEAN,
    counts=Counts(total=225, sent=212, failed=8, duplicates=3, held=2),
    causes=(
        Cause("failed", "invalid", "LOCAL-TOTAL-01", 4),
        Cause("failed", "refused", None, 2),
        Cause("failed", "parked", None, 1),
        Cause("failed", "cancelled", None, 1),
        Cause("held", "unknown_outcome", None, 1),
        Cause("held", "changed_after_sent", None, 1),
    ),
)
FAILED = replace(
    CLEAN,
    status="failed",
    counts=None,
    amounts={},
    error_code="EXTERNAL_API_ERROR",
    error_message="the source answered 503 <b>&</b> <!channel>",
)


HELD = "2 held, not sent until a person decides: 1 changed after it was sent, 1 nobody knows whether Clearfacts has it."


def said(report: JobReport) -> Message:
    return write(report, "https://invoices.example/")


def test_a_clean_run_says_that_nothing_is_missing_with_counts_and_amounts() -> None:
    message = said(CLEAN)
    assert message.tone is Tone.GOOD
    assert as_text(message).splitlines() == [
        "✅ Invoice run done: 212 sent, nothing to look at",
        "Listed 215, Sent 212 (EUR 1,234,567.80 + USD 10.00), Duplicates 3, Failed 0, Held 0",
        "Nothing is missing: all 215 listed invoices are accounted for.",
        "Scheduled run, took 3 min 12 s.",
        f"https://invoices.example/jobs/{JOB}",
    ]


def test_a_run_with_failed_and_held_invoices_says_how_many_and_why_most_first() -> None:
    message = said(MIXED)
    assert message.tone is Tone.ATTENTION
    assert message.headline == "Invoice run done: 212 sent, 8 failed, 2 waiting for a person"
    assert message.paragraphs[:3] == (
        "Nothing is missing: all 225 listed invoices are accounted for.",
        HELD,
        "8 failed: 4 not valid (LOCAL-TOTAL-01), 2 refused by Clearfacts, 1 cancelled, 1 for other reasons.",
    )


def test_a_run_without_invoices_says_that_there_was_nothing_to_do() -> None:
    message = said(replace(CLEAN, counts=Counts(), amounts={}))
    assert (message.tone, message.headline) == (Tone.GOOD, "Invoice run done: nothing to do")
    assert message.paragraphs[0] == "The source listed no invoices."
    assert not message.figures


def test_a_failed_run_says_why_and_that_nothing_is_lost() -> None:
    message = said(FAILED)
    assert (message.tone, message.headline) == (Tone.BAD, "Invoice run failed")
    assert message.paragraphs[0].startswith("Reason: EXTERNAL_API_ERROR: the source answered 503")
    assert "Nothing is lost" in message.paragraphs[1]


def test_a_broken_balance_never_says_that_nothing_is_missing() -> None:
    broken = replace(MIXED, status="failed", error_code="BALANCE_BROKEN", error_message="balance broken: 1 missing")
    message = said(broken)
    assert (message.tone, message.headline) == (Tone.BAD, "Invoice run failed: the balance is broken")
    assert "A person has to look" in message.paragraphs[1]
    assert "Nothing is" not in as_text(message)


def test_completed_numbers_that_do_not_add_up_are_called_out() -> None:
    message = said(replace(CLEAN, counts=Counts(total=215, sent=211, duplicates=3)))
    assert message.paragraphs[0].startswith("The numbers do not add up")


def test_invoices_that_are_open_at_the_end_are_among_the_figures() -> None:
    message = said(replace(CLEAN, counts=Counts(total=215, sent=211, duplicates=3, open=1)))
    assert message.figures[-1] == ("Still open", "1")


def test_a_cancelled_run_is_called_cancelled_and_not_failed() -> None:
    message = said(replace(FAILED, cancelled=True, error_code="CANCELLED", error_message="cancelled by a person"))
    assert (message.tone, message.headline) == (Tone.ATTENTION, "Invoice run cancelled")


def test_a_failed_run_without_a_reason_says_so_and_still_has_its_link() -> None:
    message = said(replace(FAILED, error_code=None, error_message=None, started_at=None, completed_at=None))
    assert message.paragraphs[0] == "Reason: no reason was recorded"
    assert as_blocks(message)[-1]["elements"][0]["text"] == f"<https://invoices.example/jobs/{JOB}|Open the job>"


def test_what_slack_would_read_as_markup_is_escaped_in_blocks_and_in_the_fallback() -> None:
    message = said(FAILED)
    blocks = str(as_blocks(message))
    for text in (as_text(message), blocks):
        assert "&lt;b&gt;&amp;&lt;/b&gt; &lt;!channel&gt;" in text
        assert "<!channel>" not in text


def test_a_very_long_reason_stays_within_slacks_limits() -> None:
    message = said(replace(FAILED, error_message="&" * 10_000))
    assert all(len(block["text"]["text"]) <= 3_000 for block in as_blocks(message) if "text" in block)
    assert len(as_blocks(replace(message, headline="x" * 500))[0]["text"]["text"]) <= 150


def test_the_blocks_show_figures_as_fields_and_the_time_in_the_readers_zone() -> None:
    blocks = as_blocks(said(CLEAN))
    assert [block["type"] for block in blocks] == ["header", "section", "section", "section", "context"]
    assert blocks[1]["fields"][1]["text"] == "*Sent*\n212 (EUR 1,234,567.80 + USD 10.00)"
    assert "<!date^1795482192^{date_short_pretty} {time}|2026-11-24 01:03 UTC>" in blocks[-1]["elements"][0]["text"]
