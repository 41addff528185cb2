"""Who a party is: its names and every number it gives, in normal form."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ubl.names import Element, cac, cbc
from ubl.numbers import belgian_digits, identifier_key, is_enterprise_number
from ubl.values import child, text

_BELGIAN_SCHEMES: Final = frozenset({"0208", "9925", "9956"})  # KBO/BCE, VAT, KBO/BCE before 2020
_PARTY: Final = cac("Party")
_NAME: Final = (cac("PartyName"), cbc("Name"))
_LEGAL: Final = cac("PartyLegalEntity")
_LEGAL_NAME: Final = (_LEGAL, cbc("RegistrationName"))
_COMPANY_ID: Final = cbc("CompanyID")
_TAX_SCHEME: Final = cac("PartyTaxScheme")
_TAX_SCHEME_ID: Final = (cac("TaxScheme"), cbc("ID"))
_ENDPOINT: Final = cbc("EndpointID")
_IDENTIFICATION: Final = (cac("PartyIdentification"), cbc("ID"))


@dataclass(frozen=True, slots=True)
class Party:
    """A party as a document names it. All numbers are in normal form.

    `numbers` holds the enterprise and VAT numbers, the enterprise's own first: a member of a VAT group has two.
    `key` is the one number to compare parties by: enterprise number, else VAT number, else the legal registration,
    else the endpoint, else the party identification.
    """

    name: str | None = None
    enterprise_number: str | None = None
    vat: str | None = None
    legal_id: str | None = None
    endpoint: str | None = None
    identification: str | None = None
    numbers: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        return self.enterprise_number or self.vat or self.legal_id or self.endpoint or self.identification


def party(role: Element | None) -> Party:
    """The party in `cac:AccountingSupplierParty` or `cac:AccountingCustomerParty`; empty where it is missing."""
    node = child(role, _PARTY)
    if node is None:
        return Party()
    legal = child(node, _LEGAL, _COMPANY_ID)
    vat = next(_vat_ids(node), None)
    endpoint = child(node, _ENDPOINT)
    identification = child(node, *_IDENTIFICATION)
    enterprise = [number for number in map(_enterprise, (legal, vat, endpoint, identification)) if number]
    vat_key = _key(vat)
    return Party(
        name=text(node, *_NAME) or text(node, *_LEGAL_NAME),
        enterprise_number=enterprise[0] if enterprise else None,
        vat=vat_key,
        legal_id=_key(legal),
        endpoint=_key(endpoint),
        identification=_key(identification),
        numbers=tuple(dict.fromkeys([*enterprise, vat_key] if vat_key else enterprise)),
    )


def _vat_ids(node: Element) -> Iterator[Element]:
    """The company ids of the tax schemes that are VAT or do not say what they are, never the local tax office's."""
    for scheme in node.iterchildren(_TAX_SCHEME):
        company = child(scheme, _COMPANY_ID)
        if company is not None and (text(scheme, *_TAX_SCHEME_ID) or "VAT").upper() == "VAT":
            yield company


def _key(element: Element | None) -> str | None:
    return None if element is None or element.text is None else identifier_key(element.text)


def _enterprise(element: Element | None) -> str | None:
    """The enterprise number in this identifier, when its scheme or `BE` says so, or else its check digits do."""
    if element is None or element.text is None:
        return None
    digits = belgian_digits(element.text)
    if digits is None:
        return None
    scheme = element.get("schemeID", "").strip().upper()
    if scheme in _BELGIAN_SCHEMES or scheme.startswith("BE") or element.text.strip().upper().startswith("BE"):
        return digits
    undeclared_but_right = not scheme and identifier_key(element.text) == digits and is_enterprise_number(digits)
    return digits if undeclared_but_right else None
