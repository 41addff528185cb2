"""Bills as UBL 2.1 in the order of the schema, profile Peppol BIS Billing 3.0."""

from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

from sandbox.invoices.amounts import ARTICLES, WORKS, ZERO, Adjustment, Bill, Line, Tax
from sandbox.invoices.parties import Party

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_REASON = {"AE": "Btw verlegd - Autoliquidation"}
_NAMES = {article: escape(article.name) for article in (*ARTICLES, *WORKS)}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on the paper. `credits` is the number of the invoice that a credit note takes back, else empty."""

    number: str
    issued: date
    due: date
    supplier: Party
    customer: Party
    communication: str
    order: str
    bill: Bill
    credits: str = ""


def render(sheet: Sheet) -> str:
    root = "CreditNote" if sheet.credits else "Invoice"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="{_UBL}:{root}-2" xmlns:cac="{_UBL}:CommonAggregateComponents-2" \
xmlns:cbc="{_UBL}:CommonBasicComponents-2">
  <cbc:CustomizationID>{_CUSTOMIZATION}</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
  <cbc:ID>{sheet.number}</cbc:ID>
{_head(sheet)}
  <cac:AccountingSupplierParty>
    <cac:Party>{sheet.supplier.xml}
    </cac:Party>
  </cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty>
    <cac:Party>{sheet.customer.xml}
    </cac:Party>
  </cac:AccountingCustomerParty>
{_payment(sheet)}{"".join(map(_adjustment, sheet.bill.adjustments))}{_totals(sheet.bill)}{_lines(sheet)}
</{root}>
"""


def _head(sheet: Sheet) -> str:
    if not sheet.credits:
        return f"""  <cbc:IssueDate>{sheet.issued}</cbc:IssueDate>
  <cbc:DueDate>{sheet.due}</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cbc:BuyerReference>{sheet.order}</cbc:BuyerReference>
  <cac:OrderReference>
    <cbc:ID>{sheet.order}</cbc:ID>
  </cac:OrderReference>"""
    return f"""  <cbc:IssueDate>{sheet.issued}</cbc:IssueDate>
  <cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cbc:BuyerReference>{sheet.order}</cbc:BuyerReference>
  <cac:BillingReference>
    <cac:InvoiceDocumentReference>
      <cbc:ID>{sheet.credits}</cbc:ID>
    </cac:InvoiceDocumentReference>
  </cac:BillingReference>"""


def _payment(sheet: Sheet) -> str:
    return f"""  <cac:PaymentMeans>
    <cbc:PaymentMeansCode name="Credit transfer">30</cbc:PaymentMeansCode>
    <cbc:PaymentID>{sheet.communication}</cbc:PaymentID>
    <cac:PayeeFinancialAccount>
      <cbc:ID>{sheet.supplier.iban}</cbc:ID>
    </cac:PayeeFinancialAccount>
  </cac:PaymentMeans>
  <cac:PaymentTerms>
    <cbc:Note>Betaalbaar tot / payable jusqu'au {sheet.due}</cbc:Note>
  </cac:PaymentTerms>"""


def _adjustment(adjustment: Adjustment) -> str:
    factor = base = ""
    if adjustment.percent is not None:
        factor = f"\n    <cbc:MultiplierFactorNumeric>{adjustment.percent}</cbc:MultiplierFactorNumeric>"
        base = f'\n    <cbc:BaseAmount currencyID="EUR">{adjustment.base}</cbc:BaseAmount>'
    return f"""
  <cac:AllowanceCharge>
    <cbc:ChargeIndicator>{str(adjustment.charge).lower()}</cbc:ChargeIndicator>
    <cbc:AllowanceChargeReasonCode>{adjustment.code}</cbc:AllowanceChargeReasonCode>
    <cbc:AllowanceChargeReason>{adjustment.reason}</cbc:AllowanceChargeReason>{factor}
    <cbc:Amount currencyID="EUR">{adjustment.amount}</cbc:Amount>{base}
    <cac:TaxCategory>
      <cbc:ID>{adjustment.tax.category}</cbc:ID>
      <cbc:Percent>{adjustment.tax.rate}</cbc:Percent>
      <cac:TaxScheme>
        <cbc:ID>VAT</cbc:ID>
      </cac:TaxScheme>
    </cac:TaxCategory>
  </cac:AllowanceCharge>"""


def _totals(bill: Bill) -> str:
    taxes = bill.taxes
    subtotals = "".join(_subtotal(bill, tax) for tax in taxes)
    allowed = f'\n    <cbc:AllowanceTotalAmount currencyID="EUR">{bill.allowances}</cbc:AllowanceTotalAmount>'
    charged = f'\n    <cbc:ChargeTotalAmount currencyID="EUR">{bill.charges}</cbc:ChargeTotalAmount>'
    prepaid = f'\n    <cbc:PrepaidAmount currencyID="EUR">{bill.prepaid}</cbc:PrepaidAmount>'
    extra = f"{allowed if bill.allowances else ''}{charged if bill.charges else ''}{prepaid if bill.prepaid else ''}"
    return f"""
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="EUR">{sum(taxes.values(), ZERO)}</cbc:TaxAmount>{subtotals}
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount currencyID="EUR">{bill.line_total}</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount currencyID="EUR">{bill.exclusive}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">{bill.inclusive}</cbc:TaxInclusiveAmount>{extra}
    <cbc:PayableAmount currencyID="EUR">{bill.payable}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>"""


def _subtotal(bill: Bill, tax: Tax) -> str:
    reason = _REASON.get(tax.category)
    exemption = (
        f"\n        <cbc:TaxExemptionReasonCode>VATEX-EU-AE</cbc:TaxExemptionReasonCode>"
        f"\n        <cbc:TaxExemptionReason>{reason}</cbc:TaxExemptionReason>"
        if reason
        else ""
    )
    return f"""
    <cac:TaxSubtotal>
      <cbc:TaxableAmount currencyID="EUR">{bill.taxable[tax]}</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="EUR">{bill.taxes[tax]}</cbc:TaxAmount>
      <cac:TaxCategory>
        <cbc:ID>{tax.category}</cbc:ID>
        <cbc:Percent>{tax.rate}</cbc:Percent>{exemption}
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:TaxCategory>
    </cac:TaxSubtotal>"""


def _lines(sheet: Sheet) -> str:
    kind, quantity = ("CreditNoteLine", "CreditedQuantity") if sheet.credits else ("InvoiceLine", "InvoicedQuantity")
    return "".join(_line(kind, quantity, place, line) for place, line in enumerate(sheet.bill.lines, 1))


def _line(kind: str, quantity: str, place: int, line: Line) -> str:
    article = line.article
    return f"""
  <cac:{kind}>
    <cbc:ID>{place}</cbc:ID>
    <cbc:{quantity} unitCode="{article.unit}">{line.quantity}</cbc:{quantity}>
    <cbc:LineExtensionAmount currencyID="EUR">{line.net}</cbc:LineExtensionAmount>{_line_allowance(line)}
    <cac:Item>
      <cbc:Name>{_NAMES[article]}</cbc:Name>
      <cac:ClassifiedTaxCategory>
        <cbc:ID>{article.tax.category}</cbc:ID>
        <cbc:Percent>{article.tax.rate}</cbc:Percent>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price>
      <cbc:PriceAmount currencyID="EUR">{line.price}</cbc:PriceAmount>
    </cac:Price>
  </cac:{kind}>"""


def _line_allowance(line: Line) -> str:
    if not line.allowance:
        return ""
    return f"""
    <cac:AllowanceCharge>
      <cbc:ChargeIndicator>false</cbc:ChargeIndicator>
      <cbc:AllowanceChargeReasonCode>95</cbc:AllowanceChargeReasonCode>
      <cbc:AllowanceChargeReason>Korting</cbc:AllowanceChargeReason>
      <cbc:MultiplierFactorNumeric>5</cbc:MultiplierFactorNumeric>
      <cbc:Amount currencyID="EUR">{line.allowance}</cbc:Amount>
      <cbc:BaseAmount currencyID="EUR">{line.gross}</cbc:BaseAmount>
    </cac:AllowanceCharge>"""
