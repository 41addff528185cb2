"""Which invoices somebody asks for, and how far a look at them got."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from common.invoice.stage import Reason, Stage, Status
from gateway.domain.readings import InvoiceSummary
from ubl.numbers import identifier_key

Direction: TypeAlias = Literal["SALE", "PURCHASE"]
DocumentKind: TypeAlias = Literal["invoice", "credit_note"]


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """Every criterion that is given holds. `supplier` and `customer` are a number, or a part of the name.

    Days are whole, the last one included; of instants `created_until` itself is not.
    """

    status: Status | None = None
    stage: Stage | None = None
    reason: Reason | None = None
    job_id: UUID | None = None
    number: str | None = None
    invoice_id: str | None = None
    dossier: str | None = None
    direction: Direction | None = None
    kind: DocumentKind | None = None
    currency: str | None = None
    supplier: str | None = None
    customer: str | None = None
    amount: Decimal | None = None
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    issued_since: date | None = None
    issued_until: date | None = None
    created_since: datetime | None = None
    created_until: datetime | None = None
    q: str | None = None


class Match(StrEnum):
    """How `q` is meant: as a whole number or source id, or as a part of a number, a name or a party's number."""

    WHOLE = "whole"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a look at the newest rows found; `next` is where the following one begins, None at the end.

    Shorter than asked for, even empty, with a `next` where it looked at as many rows as one look may.
    """

    items: Sequence[InvoiceSummary]
    next: UUID | None


def party_number(text: str) -> str | None:
    """The normal form in which rows keep the numbers of parties; None for a text that can be none."""
    return identifier_key(text)
