"""Invoices that wait for a person: what is shown of one, what may be decided, and what each decision does."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from common.invoice.move import Move
from common.invoice.stage import Reason, Stage
from gateway.domain.access import Caller, User
from gateway.domain.readings import Attempted, InvoiceSummary, Moved


class Resolution(StrEnum):
    FOUND = "found"
    NOT_THERE = "not_there"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class HeldFilter:
    reason: Reason | None = None
    dossier: str | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class HeldSummary(InvoiceSummary):
    """`maybe_sent`: nobody knows whether the destination has it. `age_seconds` counts from `held_since`."""

    maybe_sent: bool
    held_since: datetime
    age_seconds: int


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """The row that holds this one's place: the version that was sent, or that is on its way."""

    id: UUID
    invoice_id: str
    number: str | None
    status: str
    stage: str
    reason: str | None
    issue_date: date | None
    currency: str | None
    amount: Decimal | None
    modified_at: datetime | None
    processed_at: datetime | None
    uuid: str | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs; null where a document does not have it. Long values are cut."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """From the other version to the held one; `more` were left out, `note` says why there is nothing."""

    changes: list[FieldChange] = field(default_factory=list[FieldChange])
    more: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A resolution, whether it may be taken now, and why not."""

    resolution: Resolution
    allowed: bool
    why_not: str | None
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class HeldDetail(HeldSummary):
    version: int
    generation: int
    reference: UUID | None
    attempts: list[Attempted]
    history: list[Moved]
    other: OtherVersion | None
    difference: Comparison | None
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision about a held row has to respect, as it is at `at` by the database's clock."""

    at: datetime
    maybe_sent: bool
    holder: UUID | None
    """Who holds the row's key; None where it has none."""
    last_lease: datetime | None
    """When the last attempt's claim ends."""
    accepted: str | None
    """The uuid of an attempt that was accepted."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody decides; `uuid` is the destination's id of the document that they found."""

    resolution: Resolution
    reason: str
    uuid: str | None
    user: User
    caller: Caller
    idempotency_key: str | None

    @property
    def fingerprint(self) -> str:
        """Equal for decisions that say the same."""
        said = [self.resolution, self.reason, self.uuid]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @property
    def details(self) -> dict[str, Any]:
        """For the row's history and the audit log."""
        given = {
            "resolution": self.resolution.value,
            "reason": self.reason,
            "uuid": self.uuid,
            "idempotency_key": self.idempotency_key,
            "fingerprint": self.fingerprint if self.idempotency_key else None,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where the row stands after a decision; `replayed` when an earlier request with this key took it."""

    id: UUID
    resolution: Resolution
    status: str
    stage: str
    reason: str | None
    version: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a resolution may not be taken, and until when where it is a matter of time."""

    why: str
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    not_before: datetime | None = None


NEVER_SENT = "this version was never sent, so nobody can have found it or missed it"
VERSIONS = (
    f"{NEVER_SENT}: abandon it, and the other version stands; or send this one as well with force_processing, "
    "and then abandon it here"
)


def objection(resolution: Resolution, evidence: Evidence, row_id: UUID, *, settle: timedelta) -> Objection | None:
    """Why `resolution` may not be taken now; None when it may."""
    if resolution is Resolution.ABANDON:
        return None
    if not evidence.maybe_sent:
        return Objection(VERSIONS)
    if resolution is Resolution.NOT_THERE:
        return _objection_to_resend(evidence, row_id, settle)
    if evidence.accepted is not None:
        return _accepted(evidence.accepted)
    return None


def _objection_to_resend(evidence: Evidence, row_id: UUID, settle: timedelta) -> Objection | None:
    if evidence.accepted is not None:
        return _accepted(evidence.accepted)
    if evidence.holder != row_id:
        who = f"row {evidence.holder} holds it" if evidence.holder else "nobody holds it"
        return Objection(f"the row has lost its key, {who}: abandon this one", {"holder": str(evidence.holder)})
    sure_at = evidence.last_lease + settle if evidence.last_lease else evidence.at
    if evidence.at < sure_at:
        why = f"the last attempt may still arrive: look again and decide after {sure_at:%Y-%m-%d %H:%M:%S} UTC"
        return Objection(why, {"not_before": sure_at.isoformat().replace("+00:00", "Z")}, sure_at)
    return None


def _accepted(uuid: str) -> Objection:
    return Objection(f"an attempt was accepted as {uuid}: the row becomes sent by itself", {"uuid": uuid})


def choices(evidence: Evidence, row_id: UUID, *, settle: timedelta) -> list[Choice]:
    """Every resolution, with what speaks against it now."""
    found = [(resolution, objection(resolution, evidence, row_id, settle=settle)) for resolution in Resolution]
    return [Choice(taken, not no, no.why if no else None, no.not_before if no else None) for taken, no in found]


def move(row_id: UUID, version: int, decision: Decision) -> Move:
    """What a decision that nothing speaks against does to the row.

    `found` waits for the sender, which reads the uuid back. `not_there` is a person's word that nothing was
    accepted, so `maybe_sent` ends with it; what an attempt proves later still wins. `abandon` leaves it: a document
    that may be there must not free its key.
    """
    match decision.resolution:
        case Resolution.FOUND:
            said = {"stated": {"uuid": decision.uuid, "by": str(decision.user.id)}}
            return Move(row_id, version, Stage.HELD, Stage.HELD, Reason.STATED, STATED, timedelta(0), response=said,
                        details=decision.details)  # fmt: skip
        case Resolution.NOT_THERE:
            return Move(row_id, version, Stage.HELD, Stage.VALIDATED, maybe_sent=False, details=decision.details)
        case Resolution.ABANDON:
            return Move(row_id, version, Stage.HELD, Stage.FAILED, Reason.ABANDONED, ABANDONED,
                        details=decision.details)  # fmt: skip


STATED = "a person gave its uuid; it is read back at Clearfacts where that is possible"
ABANDONED = "abandoned by a person"
