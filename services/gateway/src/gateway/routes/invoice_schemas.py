"""What callers may ask of invoices, and the answers that are no readings."""

import re
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from common.invoice.stage import Reason, Stage, Status
from gateway.domain.exports import Format
from gateway.domain.invoices import Direction, DocumentKind, InvoiceFilter
from gateway.routes.schemas import Day, Instant, Line, Paging, Sent

_AMOUNT = r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$"
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217")]


def _plain(value: object) -> object:
    if isinstance(value, str) and re.match(_AMOUNT, value) is None:
        raise ValueError("an amount is digits, perhaps with a point and decimals")
    return value


Amount = Annotated[Decimal, BeforeValidator(_plain), WithJsonSchema({"type": "string", "pattern": _AMOUNT})]


class InvoiceCriteria(Sent):
    """All that are given hold."""

    status: Status | None = None
    stage: Stage | None = None
    reason: Reason | None = None
    job_id: UUID | None = None
    number: Line | None = Field(default=None, description="the invoice's own number, exactly")
    invoice_id: Line | None = Field(default=None, description="the source's id, exactly")
    dossier: Line | None = Field(default=None, description="the enterprise number of the books")
    direction: Direction | None = None
    kind: DocumentKind | None = None
    currency: Currency | None = None
    supplier: Line | None = Field(default=None, description="a number in any spelling, or a part of the name")
    customer: Line | None = Field(default=None, description="a number in any spelling, or a part of the name")
    amount: Amount | None = Field(default=None, description="exactly")
    amount_min: Amount | None = Field(default=None, description="at least")
    amount_max: Amount | None = Field(default=None, description="at most")
    issued_since: Day | None = None
    issued_until: Day | None = Field(default=None, description="this day included")
    created_since: Instant | None = Field(default=None, description="stored at or after")
    created_until: Instant | None = Field(default=None, description="stored before")
    q: Line | None = Field(
        default=None,
        description="a whole number or source id; where there is none, a part of a number, source id, party or name",
    )

    @model_validator(mode="after")
    def _windows_are_not_upside_down(self) -> "InvoiceCriteria":
        for low, high in (
            ("amount_min", "amount_max"),
            ("issued_since", "issued_until"),
            ("created_since", "created_until"),
        ):
            first, last = getattr(self, low), getattr(self, high)
            if first is not None and last is not None and last < first:
                raise ValueError(f"{high} lies before {low}")
        return self

    def chosen(self) -> InvoiceFilter:
        return InvoiceFilter(**{name: getattr(self, name) for name in InvoiceCriteria.model_fields})


class InvoiceQuery(InvoiceCriteria, Paging):
    """A page of invoices."""


class ExportQuery(InvoiceCriteria):
    """What a file is made of."""

    format: Format
