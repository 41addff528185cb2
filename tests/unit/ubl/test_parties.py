import pytest

from tests.unit.ubl.documents import SAMPLE, Document, party
from ubl.identity import identify
from ubl.parties import Party

VAT = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"


def supplier(inside: str) -> Party:
    return identify(Document(supplier=inside).xml()).supplier


def tax(company: str, scheme: str = VAT) -> str:
    return f"<cac:PartyTaxScheme><cbc:CompanyID>{company}</cbc:CompanyID>{scheme}</cac:PartyTaxScheme>"


def endpoint(value: str, scheme: str) -> str:
    return f'<cbc:EndpointID schemeID="{scheme}">{value}</cbc:EndpointID>'


def identification(value: str, scheme: str = "") -> str:
    attribute = f' schemeID="{scheme}"' if scheme else ""
    return f"<cac:PartyIdentification><cbc:ID{attribute}>{value}</cbc:ID></cac:PartyIdentification>"


@pytest.mark.parametrize(
    "inside",
    [
        party("0123456749"),
        party("0123.456.749"),
        party("BE0123456749"),
        party(vat="BE0123456749"),
        party(vat="BE 0123.456.749"),
        endpoint("0123456749", "0208"),
        endpoint("BE0123456749", "9925"),
        endpoint("123456749", "0208"),
        endpoint("0123456749", "be:vat"),
        identification("0123.456.749"),
        identification("0123456749", "0208"),
        '<cac:PartyLegalEntity><cbc:CompanyID schemeID="0208">0123456749</cbc:CompanyID></cac:PartyLegalEntity>',
    ],
)
def test_an_enterprise_number_is_found_wherever_it_stands(inside: str) -> None:
    found = supplier(inside)
    assert (found.key, found.enterprise_number, found.numbers) == ("0123456749", "0123456749", ("0123456749",))


def test_a_declared_number_with_wrong_check_digits_still_identifies() -> None:
    assert supplier(party(vat="BE0123456700")).key == "0123456700"


@pytest.mark.parametrize("inside", [party("0123456700"), identification("123456749"), endpoint("0123456749", "0088")])
def test_digits_that_only_look_belgian_are_no_enterprise_number(inside: str) -> None:
    found = supplier(inside)
    assert found.enterprise_number is None
    assert found.numbers == ()
    assert found.key is not None


def test_a_member_of_a_vat_group_has_its_own_number_first() -> None:
    found = supplier(party("0123456749", "BE0987654394"))
    assert (found.key, found.numbers) == ("0123456749", ("0123456749", "0987654394"))


def test_a_foreign_vat_number_goes_before_the_registration() -> None:
    found = supplier(party("HRB 12345", "DE 811.569.869"))
    assert (found.key, found.legal_id, found.numbers) == ("DE811569869", "HRB12345", ("DE811569869",))


def test_the_local_tax_office_is_not_vat() -> None:
    local = "<cac:TaxScheme><cbc:ID>TAX</cbc:ID></cac:TaxScheme>"
    assert supplier(tax("LOCAL1", local) + tax("FR40303265045")).vat == "FR40303265045"


def test_a_tax_scheme_without_a_name_is_vat() -> None:
    assert supplier(tax("FR40303265045", "<cac:TaxScheme/>")).vat == "FR40303265045"


def test_a_tax_scheme_without_a_number_is_nothing() -> None:
    assert supplier(f"<cac:PartyTaxScheme>{VAT}</cac:PartyTaxScheme>").key is None


@pytest.mark.parametrize(
    ("inside", "key"),
    [
        (party("HRB 12345"), "HRB12345"),
        (endpoint("730-001", "0088") + identification("X1"), "730001"),
        (identification("supplier-001"), "SUPPLIER001"),
        ("<cac:PartyName><cbc:Name>Only a name</cbc:Name></cac:PartyName>", None),
        (identification(""), None),
        ("", None),
    ],
)
def test_the_key_falls_back_step_by_step(inside: str, key: str | None) -> None:
    assert supplier(inside).key == key


def test_the_trade_name_goes_before_the_registered_one() -> None:
    trade = "<cac:PartyName><cbc:Name> Trade </cbc:Name></cac:PartyName>"
    assert supplier(party(name="Registered", extra=trade)).name == "Trade"
    assert supplier(party(name="Registered")).name == "Registered"


def test_a_document_without_a_party_has_an_empty_one() -> None:
    raw = SAMPLE.replace(b"cac:Party>", b"cac:Nobody>")
    assert identify(raw).supplier == Party()
