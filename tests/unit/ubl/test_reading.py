from datetime import date
from decimal import Decimal

import pytest

from tests.unit.ubl.documents import SAMPLE, Document, official, party
from ubl.names import Kind
from ubl.reading import MAX_LINES, LineReading, Payment, VatReading, read

TAX_TOTAL = (
    '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">21.00</cbc:TaxAmount><cac:TaxSubtotal>'
    '<cbc:TaxableAmount currencyID="EUR">100.00</cbc:TaxableAmount>'
    '<cbc:TaxAmount currencyID="EUR">21.00</cbc:TaxAmount>'
    "<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>21</cbc:Percent></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
)
MEANS = (
    "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode><cbc:PaymentDueDate>2026-04-05</cbc:PaymentDueDate>"
    "<cbc:PaymentID>+++090/9337/55493+++</cbc:PaymentID><cac:PayeeFinancialAccount><cbc:ID>BE68539007547034</cbc:ID>"
    "</cac:PayeeFinancialAccount></cac:PaymentMeans><cac:PaymentTerms><cbc:Note>30 days</cbc:Note></cac:PaymentTerms>"
)
ADDRESS = (
    "<cac:PostalAddress><cbc:StreetName>Nieuwstraat 1</cbc:StreetName><cbc:CityName>Gent</cbc:CityName>"
    "<cbc:PostalZone>9000</cbc:PostalZone><cac:Country><cbc:IdentificationCode>BE</cbc:IdentificationCode></cac:Country>"
    "</cac:PostalAddress>"
)


def test_the_sample_reads() -> None:
    found = read(SAMPLE)
    assert (found.kind, found.number, found.issued) == (Kind.INVOICE, "INV-2024-001", date(2024, 1, 15))
    assert (found.currency, found.notes, found.vat) == (None, (), ())
    assert found.totals.payable == Decimal("121.00")
    assert found.lines == (
        LineReading(
            "1", None, "Product Description", Decimal(10), "EA", Decimal("10.00"), Decimal("100.00"), None, None
        ),
    )


def test_a_full_document_reads() -> None:
    found = read(
        Document(
            kind="CreditNote",
            head="<cbc:Note>one</cbc:Note><cbc:Note/><cbc:Note>two</cbc:Note>",
            supplier=party("0123456749", extra=ADDRESS),
            before_totals=MEANS + TAX_TOTAL,
        ).xml()
    )
    assert (found.kind, found.type_code, found.notes) == (Kind.CREDIT_NOTE, "381", ("one", "two"))
    assert (found.supplier.address, found.supplier.country) == (("Nieuwstraat 1", "9000 Gent"), "BE")
    assert found.supplier.identity.key == "0123456749"
    assert found.payment == Payment(
        date(2026, 4, 5), "+++090/9337/55493+++", "BE68539007547034", "30 days", "+++090/9337/55493+++"
    )
    assert found.vat == (VatReading("S", Decimal(21), Decimal("100.00"), Decimal("21.00"), None),)
    assert found.lines[0].quantity == Decimal(1)


def test_a_credit_note_names_what_it_corrects() -> None:
    billing = "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>2026/{}</cbc:ID>"
    billing += "</cac:InvoiceDocumentReference></cac:BillingReference>"
    head = billing.format(1) + billing.format(2) + "<cac:BillingReference/>"
    assert read(Document(kind="CreditNote", head=head).xml()).corrects == ("2026/1", "2026/2")


def test_a_document_with_nothing_in_it_reads() -> None:
    found = read(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><x/></Invoice>')
    assert (found.number, found.lines, found.supplier.address, found.payment.due) == (None, (), (), None)


def test_a_line_with_nothing_in_it_reads() -> None:
    raw = SAMPLE.decode().split("<cac:InvoiceLine>")[0] + "<cac:InvoiceLine/></Invoice>"
    assert read(raw.encode()).lines == (LineReading(*[None] * 9),)


def test_lines_beyond_the_thousandth_are_counted_only() -> None:
    raw = SAMPLE.replace(b"<cac:LegalMonetaryTotal>", b"<cac:InvoiceLine/>" * 1500 + b"<cac:LegalMonetaryTotal>")
    found = read(raw)
    assert (len(found.lines), found.line_count) == (MAX_LINES, 1501)


def test_official_documents_read() -> None:
    paths = list(official())
    if not paths:
        pytest.skip("the official example documents are not here")
    assert all(read(path.read_bytes()).lines for path in paths)
