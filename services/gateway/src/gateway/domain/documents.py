"""The document of an invoice: as bytes, as an accountant reads it, and how it differs from another version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.domain.held import Comparison, OtherVersion
from gateway.domain.readings import FindingReading, Moved, ValidationReport


@dataclass(frozen=True, slots=True)
class Document:
    """`content` are the original bytes; `title` is the number on the invoice, else the source's id."""

    id: UUID
    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Differences:
    """`other` is the version that holds this one's place; null where there is no other."""

    id: UUID
    other: OtherVersion | None
    difference: Comparison | None


def report(findings: Sequence[Mapping[str, Any]] | None, moves: Sequence[Moved]) -> ValidationReport:
    """`moves` are the row's, in order: the last one that names a ruleset is the verdict that stands."""
    verdict = next((move for move in reversed(moves) if (move.details or {}).get("ruleset")), None)
    return ValidationReport(
        ruleset=(verdict.details or {})["ruleset"] if verdict else None,
        valid=verdict.stage == "validated" if verdict else None,
        findings=[_finding(finding) for finding in findings or ()],
    )


def _finding(stored: Mapping[str, Any]) -> FindingReading:
    return FindingReading(
        rule=str(stored.get("rule", "")),
        severity=str(stored.get("severity", "")),
        layer=stored.get("layer"),
        message=str(stored.get("message", "")),
        location=stored.get("location"),
        line=stored.get("line"),
    )
