"""Why an invoice stands where it stands, in one sentence."""

from typing import Any

import pytest

from cli.reasons import sentence
from client import Invoice
from common.invoice.stage import STATUS, Reason, Stage

BASE: dict[str, Any] = {
    "id": "01a20bdb-f2df-7799-8505-d7193d2f5503",
    "invoice_id": "SRC-1",
    "number": "2026/1",
    "created_at": "2026-11-24T12:00:00Z",
    "updated_at": "2026-11-24T12:00:00Z",
    "processed_at": "2026-11-24T12:00:00Z",
    "version": 1,
    "maybe_sent": False,
    "raw_sha256": "00",
}
TWIN = {"id": BASE["id"], "invoice_id": "SRC-0", "number": "2026/0", "status": "sent", "stage": "sent"}


def why(**given: Any) -> str:
    return sentence(Invoice.model_validate(BASE | given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"status": "sent", "stage": "sent", "clearfacts_response": {"uuid": "cf-1"}},
            "2026/1 was sent to Clearfacts at 2026-11-24 12:00:00Z and accepted as cf-1.",
        ),
        (
            {"status": "duplicate", "stage": "duplicate", "duplicate_of": TWIN},
            f"2026/1 is a duplicate of 2026/0 (row {TWIN['id']}, sent) and was not sent again.",
        ),
        (
            {"status": "failed", "stage": "failed", "reason": "invalid", "error": "BR-CO-15: totals differ."},
            "2026/1 failed, because the document is not valid: BR-CO-15: totals differ.",
        ),
        (
            {"status": "held", "stage": "held", "reason": "unknown_outcome"},
            "2026/1 is held for a person: it is not known whether Clearfacts accepted it.",
        ),
        (
            {"status": "pending", "stage": "validated", "next_attempt_at": "2026-11-24T13:00:00Z"},
            "2026/1 is valid and waits to be sent; next look at 2026-11-24 13:00:00Z.",
        ),
        ({"status": "sent", "stage": "sent", "number": None}, "SRC-1 was sent to Clearfacts at 2026-11-24 12:00:00Z."),
    ],
)
def test_the_sentence_says_what_happened(given: dict[str, Any], expected: str) -> None:
    assert why(**given) == expected


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("reason", [*Reason, "a_reason_of_a_newer_gateway", None])
def test_every_stage_and_reason_has_a_whole_sentence(stage: Stage, reason: str | None) -> None:
    said = why(status=STATUS[stage].value, stage=stage.value, reason=reason)
    assert said.startswith("2026/1 ")
    assert said.endswith(".")
    assert said.count("\n") == 0
    assert "None" not in said
