"""A document as a person reads it: header, parties, lines, VAT and totals. Missing parts are None, never an error."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final

from ubl.names import LINE_TAGS, ROOTS, Element, Kind, cac, cbc
from ubl.numbers import structured_communication
from ubl.parties import Party, party
from ubl.safe import DEFAULT, Limits, parse
from ubl.values import amount, child, day, text

MAX_LINES: Final = 1000
_TYPE_CODES: Final = {Kind.INVOICE: cbc("InvoiceTypeCode"), Kind.CREDIT_NOTE: cbc("CreditNoteTypeCode")}
_CATEGORY: Final = cac("TaxCategory")
_ITEM: Final = cac("Item")
_ITEM_TAX: Final = (_ITEM, cac("ClassifiedTaxCategory"))


@dataclass(frozen=True, slots=True)
class PartyReading:
    """A party with its address, line by line."""

    identity: Party
    address: tuple[str, ...]
    country: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class LineReading:
    """An invoice or credit note line."""

    number: str | None
    name: str | None
    description: str | None
    quantity: Decimal | None
    unit: str | None
    price: Decimal | None
    amount: Decimal | None
    vat_category: str | None
    vat_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class VatReading:
    """One row of the VAT breakdown."""

    category: str | None
    percent: Decimal | None
    taxable: Decimal | None
    tax: Decimal | None
    exemption: str | None


@dataclass(frozen=True, slots=True)
class TotalsReading:
    """The document's own totals, as written."""

    lines: Decimal | None
    allowances: Decimal | None
    charges: Decimal | None
    tax_exclusive: Decimal | None
    tax: Decimal | None
    tax_inclusive: Decimal | None
    prepaid: Decimal | None
    rounding: Decimal | None
    payable: Decimal | None


@dataclass(frozen=True, slots=True)
class Payment:
    """How it is to be paid. `structured_communication` is the reference as `+++090/9337/55493+++`, where it is one."""

    due: date | None
    reference: str | None
    account: str | None
    terms: str | None
    structured_communication: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The whole document. `lines` are the first thousand of `line_count`; `corrects` numbers of earlier invoices."""

    kind: Kind
    type_code: str | None
    number: str | None
    issued: date | None
    currency: str | None
    customization: str | None
    buyer_reference: str | None
    order: str | None
    notes: tuple[str, ...]
    supplier: PartyReading
    customer: PartyReading
    payment: Payment
    lines: tuple[LineReading, ...]
    line_count: int
    vat: tuple[VatReading, ...]
    totals: TotalsReading
    attachments: tuple[str, ...]
    corrects: tuple[str, ...]


def read(raw: bytes, limits: Limits = DEFAULT) -> Reading:
    """Reads the document in these bytes; raises `MalformedDocument`."""
    root = parse(raw, limits)
    kind = ROOTS[str(root.tag)]
    return Reading(
        kind=kind,
        type_code=text(root, _TYPE_CODES[kind]),
        number=text(root, cbc("ID")),
        issued=day(text(root, cbc("IssueDate"))),
        currency=text(root, cbc("DocumentCurrencyCode")),
        customization=text(root, cbc("CustomizationID")),
        buyer_reference=text(root, cbc("BuyerReference")),
        order=text(root, cac("OrderReference"), cbc("ID")),
        notes=_texts(root.iterchildren(cbc("Note"))),
        supplier=_party(child(root, cac("AccountingSupplierParty"))),
        customer=_party(child(root, cac("AccountingCustomerParty"))),
        payment=_payment(root),
        lines=tuple(map(_line, islice(root.iterchildren(*LINE_TAGS), MAX_LINES))),
        line_count=sum(1 for _ in root.iterchildren(*LINE_TAGS)),
        vat=tuple(map(_vat, root.iterfind(f"{cac('TaxTotal')}/{cac('TaxSubtotal')}"))),
        totals=_totals(root),
        attachments=tuple(
            name
            for element in root.iterchildren(cac("AdditionalDocumentReference"))
            if (name := text(element, cbc("ID")))
        ),
        corrects=_texts(root.iterchildren(cac("BillingReference")), cac("InvoiceDocumentReference"), cbc("ID")),
    )


def _texts(elements: Iterable[Element], *path: str) -> tuple[str, ...]:
    return tuple(found for element in elements if (found := text(element, *path)))


def _party(role: Element | None) -> PartyReading:
    node = child(role, cac("Party"))
    address = child(node, cac("PostalAddress"))
    city = " ".join(filter(None, (text(address, cbc("PostalZone")), text(address, cbc("CityName")))))
    parts = (text(address, cbc("StreetName")), text(address, cbc("AdditionalStreetName")), city)
    return PartyReading(
        identity=party(role),
        address=tuple(part for part in parts if part),
        country=text(address, cac("Country"), cbc("IdentificationCode")),
        email=text(node, cac("Contact"), cbc("ElectronicMail")),
    )


def _payment(root: Element) -> Payment:
    means = child(root, cac("PaymentMeans"))
    reference = text(means, cbc("PaymentID"))
    return Payment(
        due=day(text(root, cbc("DueDate")) or text(means, cbc("PaymentDueDate"))),
        reference=reference,
        account=text(means, cac("PayeeFinancialAccount"), cbc("ID")),
        terms=text(root, cac("PaymentTerms"), cbc("Note")),
        structured_communication=None if reference is None else structured_communication(reference),
    )


def _line(line: Element) -> LineReading:
    quantity = child(line, cbc("InvoicedQuantity"))
    if quantity is None:
        quantity = child(line, cbc("CreditedQuantity"))
    return LineReading(
        number=text(line, cbc("ID")),
        name=text(line, _ITEM, cbc("Name")),
        description=text(line, _ITEM, cbc("Description")),
        quantity=amount(quantity),
        unit=None if quantity is None else quantity.get("unitCode"),
        price=amount(line, cac("Price"), cbc("PriceAmount")),
        amount=amount(line, cbc("LineExtensionAmount")),
        vat_category=text(line, *_ITEM_TAX, cbc("ID")),
        vat_percent=amount(line, *_ITEM_TAX, cbc("Percent")),
    )


def _vat(subtotal: Element) -> VatReading:
    return VatReading(
        category=text(subtotal, _CATEGORY, cbc("ID")),
        percent=amount(subtotal, _CATEGORY, cbc("Percent")),
        taxable=amount(subtotal, cbc("TaxableAmount")),
        tax=amount(subtotal, cbc("TaxAmount")),
        exemption=text(subtotal, _CATEGORY, cbc("TaxExemptionReason")),
    )


def _totals(root: Element) -> TotalsReading:
    totals = child(root, cac("LegalMonetaryTotal"))
    return TotalsReading(
        lines=amount(totals, cbc("LineExtensionAmount")),
        allowances=amount(totals, cbc("AllowanceTotalAmount")),
        charges=amount(totals, cbc("ChargeTotalAmount")),
        tax_exclusive=amount(totals, cbc("TaxExclusiveAmount")),
        tax=amount(root, cac("TaxTotal"), cbc("TaxAmount")),
        tax_inclusive=amount(totals, cbc("TaxInclusiveAmount")),
        prepaid=amount(totals, cbc("PrepaidAmount")),
        rounding=amount(totals, cbc("PayableRoundingAmount")),
        payable=amount(totals, cbc("PayableAmount")),
    )
