"""The document of an invoice: as bytes, as an accountant reads it, and how it differs from another version."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from gateway.domain.held import Comparison, OtherVersion
from gateway.domain.readings import FindingReading, Moved, ValidationReport

LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^\w.-]+")
_NOT_ASCII = re.compile(r"[^A-Za-z0-9._-]+")


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


def attachment(title: str, ending: str) -> str:
    """A `Content-Disposition` (RFC 6266) that saves under a harmless name whatever the title is."""
    plain = _name(_NOT_ASCII, title)
    whole = _name(_UNSAFE, title)
    header = f'attachment; filename="{plain}.{ending}"'
    return header if whole == plain else f"{header}; filename*=UTF-8''{quote(whole, safe='')}.{ending}"


def _name(unsafe: re.Pattern[str], title: str) -> str:
    """No separator of paths, no control character, nothing hidden, nothing long."""
    return unsafe.sub("_", title).strip("._")[:LONGEST_NAME] or "invoice"
