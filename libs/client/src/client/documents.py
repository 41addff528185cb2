"""What there is to read in the document of an invoice."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from client.answers import Answer
from client.held import Comparison, OtherVersion


class PartyIdentity(Answer):
    name: str | None = None
    enterprise_number: str | None = None
    vat: str | None = None
    legal_id: str | None = None
    endpoint: str | None = None
    identification: str | None = None
    numbers: list[str]


class PartyReading(Answer):
    identity: PartyIdentity
    address: list[str]
    country: str | None = None
    email: str | None = None


class LineReading(Answer):
    number: str | None = None
    name: str | None = None
    description: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    vat_category: str | None = None
    vat_percent: Decimal | None = None


class VatReading(Answer):
    category: str | None = None
    percent: Decimal | None = None
    taxable: Decimal | None = None
    tax: Decimal | None = None
    exemption: str | None = None


class TotalsReading(Answer):
    lines: Decimal | None = None
    allowances: Decimal | None = None
    charges: Decimal | None = None
    tax_exclusive: Decimal | None = None
    tax: Decimal | None = None
    tax_inclusive: Decimal | None = None
    prepaid: Decimal | None = None
    rounding: Decimal | None = None
    payable: Decimal | None = None


class Payment(Answer):
    due: date | None = None
    reference: str | None = None
    account: str | None = None
    terms: str | None = None
    structured_communication: str | None = None


class Reading(Answer):
    """`lines` are the first thousand of `line_count`."""

    kind: str
    type_code: str | None = None
    number: str | None = None
    issued: date | None = None
    currency: str | None = None
    customization: str | None = None
    buyer_reference: str | None = None
    order: str | None = None
    notes: list[str]
    supplier: PartyReading
    customer: PartyReading
    payment: Payment
    lines: list[LineReading]
    line_count: int
    vat: list[VatReading]
    totals: TotalsReading
    attachments: list[str]
    corrects: list[str]


class Differences(Answer):
    id: UUID
    other: OtherVersion | None = None
    difference: Comparison | None = None
