"""Why an invoice stands where it stands, in one sentence."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from common.invoice.stage import STATUS, Reason, Stage
from gateway.domain.readings import Twin
from gateway.domain.why import sentence
from tests.unit.gateway.fakes import NOON, invoice

ROW = UUID("01a20bdb-f2df-7799-8505-d7193d2f5503")
TWIN = Twin(ROW, "SRC-0", "2026/0", "sent", "sent")


def why(**given: Any) -> str:
    usual: dict[str, Any] = {"number": "2026/1", "processed_at": NOON}
    return sentence(invoice(**usual | given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"status": "sent", "stage": "sent", "clearfacts_response": {"uuid": "cf-1"}},
            "2026/1 was sent to Clearfacts at 2026-11-24 12:00:00Z and accepted as cf-1.",
        ),
        (
            {"status": "duplicate", "stage": "duplicate", "duplicate_of": TWIN},
            f"2026/1 is a duplicate of 2026/0 (row {ROW}, sent) and was not sent again.",
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
            {"status": "pending", "stage": "validated", "next_attempt_at": NOON + timedelta(hours=1)},
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
