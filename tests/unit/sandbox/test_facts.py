import pytest

from sandbox.facts import facts_of
from sandbox.invoices import ADMINISTRATIONS, COUNTERPARTIES, Kind, document
from sandbox.invoices.variants import REPEATS

NUMBERS = {party.number for party in (*ADMINISTRATIONS, *COUNTERPARTIES)}
SEED_SAMPLE = b"""<?xml version="1.0"?>
<Invoice xmlns="urn:i" xmlns:cac="urn:a" xmlns:cbc="urn:b">

    <!-- Invoice Identification -->
    <cbc:ID>INV-2024-001</cbc:ID>
    <cac:AccountingSupplierParty><cac:Party><cac:PartyIdentification><cbc:ID>SUPPLIER-001</cbc:ID>
    </cac:PartyIdentification></cac:Party></cac:AccountingSupplierParty></Invoice>"""


def test_generated_documents_give_kind_supplier_and_number() -> None:
    for n in range(100):
        made = document(1, n)
        kind, supplier, number = facts_of(made.ubl)
        assert number == made.number
        assert supplier in NUMBERS
        assert kind == ("CreditNote" if made.kind is Kind.CREDIT_NOTE else "Invoice")


def test_layout_and_prefixes_change_nothing() -> None:
    for n in range(30):
        ubl = document(1, n).ubl
        assert {facts_of(repeat(ubl)) for repeat in REPEATS} == {facts_of(ubl)}


def test_a_document_without_enterprise_numbers_is_told_by_its_party_id() -> None:
    assert facts_of(SEED_SAMPLE) == ("Invoice", "SUPPLIER001", "INV-2024-001")


def test_ids_inside_extensions_are_not_the_number() -> None:
    extended = SEED_SAMPLE.replace(
        b'urn:b">',
        b'urn:b"><ext:UBLExtensions><ext:UBLExtension><cbc:ID>x</cbc:ID></ext:UBLExtension></ext:UBLExtensions>',
    )
    assert facts_of(extended).number == "INV-2024-001"


@pytest.mark.parametrize("spelling", ["0123456749", "BE0123456749", "BE 0123.456.749", "be123456749"])
def test_spellings_of_an_enterprise_number_are_one_supplier(spelling: str) -> None:
    body = f"<Invoice><AccountingSupplierParty><CompanyID>{spelling}</CompanyID></AccountingSupplierParty></Invoice>"
    assert facts_of(body.encode()).supplier == "0123456749"


@pytest.mark.parametrize("body", [b"", b"<html/>", b"\xff\xfe\x00", b"Invoice"])
def test_what_is_no_document_has_no_facts(body: bytes) -> None:
    assert facts_of(body) == ("", "", "")
