"""Documents for the tests of `ubl`: the customer's sample, a builder, and the official examples where they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

OFFICIAL: Final = Path(__file__).parents[3].parent / "shared/data/ubl"

NAMESPACES: Final = (
    'xmlns="urn:oasis:names:specification:ubl:schema:xsd:{kind}-2" '
    'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
)
INVOICE_NAMESPACES: Final = NAMESPACES.format(kind="Invoice")

SAMPLE: Final = f"""<Invoice {INVOICE_NAMESPACES}>

    <!-- Invoice Identification -->
    <cbc:ID>INV-2024-001</cbc:ID>
    <cbc:IssueDate>2024-01-15</cbc:IssueDate>
    <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>

    <!-- Supplier Information -->
    <cac:AccountingSupplierParty>
        <cac:Party>
            <cac:PartyIdentification>
                <cbc:ID>SUPPLIER-001</cbc:ID>
            </cac:PartyIdentification>
            <cac:PartyName>
                <cbc:Name>Supplier Company</cbc:Name>
            </cac:PartyName>
        </cac:Party>
    </cac:AccountingSupplierParty>

    <!-- Customer Information -->
    <cac:AccountingCustomerParty>
        <cac:Party>
            <cac:PartyIdentification>
                <cbc:ID>CUSTOMER-001</cbc:ID>
            </cac:PartyIdentification>
            <cac:PartyName>
                <cbc:Name>Customer Company</cbc:Name>
            </cac:PartyName>
        </cac:Party>
    </cac:AccountingCustomerParty>

    <!-- Invoice Lines -->
    <cac:InvoiceLine>
        <cbc:ID>1</cbc:ID>
        <cbc:InvoicedQuantity unitCode="EA">10</cbc:InvoicedQuantity>
        <cbc:LineExtensionAmount currencyID="EUR">100.00</cbc:LineExtensionAmount>
        <cac:Item>
            <cbc:Description>Product Description</cbc:Description>
        </cac:Item>
        <cac:Price>
            <cbc:PriceAmount currencyID="EUR">10.00</cbc:PriceAmount>
        </cac:Price>
    </cac:InvoiceLine>

    <!-- Totals -->
    <cac:LegalMonetaryTotal>
        <cbc:LineExtensionAmount currencyID="EUR">100.00</cbc:LineExtensionAmount>
        <cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount>
        <cbc:TaxInclusiveAmount currencyID="EUR">121.00</cbc:TaxInclusiveAmount>
        <cbc:PayableAmount currencyID="EUR">121.00</cbc:PayableAmount>
    </cac:LegalMonetaryTotal>

</Invoice>
""".encode()
"""The sample of the customer's specification, its totals behind its lines as there."""


def official() -> Iterator[Path]:
    return iter(sorted(OFFICIAL.rglob("*.xml")))


def party(enterprise: str | None = None, vat: str | None = None, *, extra: str = "", name: str = "A company") -> str:
    """The inside of a `cac:Party`; `extra` comes first, where the schema has endpoint and identification."""
    scheme = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    tax = f"<cac:PartyTaxScheme><cbc:CompanyID>{vat}</cbc:CompanyID>{scheme}</cac:PartyTaxScheme>" if vat else ""
    company = f"<cbc:CompanyID>{enterprise}</cbc:CompanyID>" if enterprise else ""
    legal = f"<cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName>{company}</cac:PartyLegalEntity>"
    return f"{extra}{tax}{legal}"


def amount(tag: str, value: str) -> str:
    return f'<cbc:{tag} currencyID="EUR">{value}</cbc:{tag}>'


@dataclass(frozen=True, kw_only=True)
class Document:
    """Builds a valid invoice or credit note of one line; every part can be replaced to break it."""

    kind: str = "Invoice"
    number: str = "INV-7"
    issued: str = "2026-03-04"
    type_code: str | None = None
    head: str = ""
    supplier: str = field(default_factory=lambda: party("0123456749"))
    customer: str = field(default_factory=lambda: party("0987654394"))
    before_totals: str = ""
    line_amount: str = "100.00"
    line_note: str = ""
    exclusive: str = "100.00"
    inclusive: str = "121.00"
    payable: str = "121.00"
    in_totals: str = ""

    def xml(self) -> bytes:
        code = {"Invoice": "380", "CreditNote": "381"}[self.kind] if self.type_code is None else self.type_code
        quantity = {"Invoice": "InvoicedQuantity", "CreditNote": "CreditedQuantity"}[self.kind]
        type_element = f"<cbc:{self.kind}TypeCode>{code}</cbc:{self.kind}TypeCode>" if code else ""
        return (
            f"<{self.kind} {NAMESPACES.format(kind=self.kind)}>"
            f"<cbc:ID>{self.number}</cbc:ID><cbc:IssueDate>{self.issued}</cbc:IssueDate>{self.head}{type_element}"
            f"<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
            f"<cac:AccountingSupplierParty><cac:Party>{self.supplier}</cac:Party></cac:AccountingSupplierParty>"
            f"<cac:AccountingCustomerParty><cac:Party>{self.customer}</cac:Party></cac:AccountingCustomerParty>"
            f"{self.before_totals}<cac:LegalMonetaryTotal>{amount('LineExtensionAmount', self.line_amount)}"
            f"{amount('TaxExclusiveAmount', self.exclusive)}{amount('TaxInclusiveAmount', self.inclusive)}"
            f"{self.in_totals}{amount('PayableAmount', self.payable)}</cac:LegalMonetaryTotal>"
            f"<cac:{self.kind}Line><cbc:ID>1</cbc:ID>{self.line_note}<cbc:{quantity}>1</cbc:{quantity}>"
            f"{amount('LineExtensionAmount', '100.00')}<cac:Item><cbc:Name>A thing</cbc:Name></cac:Item>"
            f"</cac:{self.kind}Line></{self.kind}>"
        ).encode()
