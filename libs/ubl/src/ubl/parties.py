"""Who a party is: its names and every number it gives, in normal form."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from lxml import etree

from ubl.names import Element, cac, cbc
from ubl.numbers import belgian_digits, identifier_key, is_enterprise_number
from ubl.values import child, text

_BELGIAN_SCHEMES: Final = frozenset({"0208", "9925", "9956"})  # KBO/BCE, VAT, KBO/BCE before 2020
_PARTY: Final = cac("Party")
_NAME: Final = (cac("PartyName"), cbc("Name"))
_LEGAL: Final = cac("PartyLegalEntity")
_REGISTRATION_NAME: Final = cbc("RegistrationName")
_COMPANY_ID: Final = cbc("CompanyID")
_TAX_SCHEME: Final = cac("PartyTaxScheme")
_TAX_SCHEME_ID: Final = (cac("TaxScheme"), cbc("ID"))
_ENDPOINT: Final = cbc("EndpointID")
_IDENTIFICATION: Final = (cac("PartyIdentification"), cbc("ID"))
_KNOWN: Final = 2048
_KNOWN_LENGTH: Final = 4096  # bytes: with the number of entries, 8 MiB at most


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

    def __reduce__(self) -> tuple[type["Party"], tuple[object, ...]]:
        """By position, as in `Identity`."""
        return Party, _party_values(self)

    @property
    def key(self) -> str | None:
        return self.enterprise_number or self.vat or self.legal_id or self.endpoint or self.identification


_party_values = attrgetter(*Party.__slots__)

# The same companies come again and again, in the same words: reading one is a fifth of identifying a document.
_known: OrderedDict[bytes, Party] = OrderedDict()


def party(role: Element | None) -> Party:
    """The party in `cac:AccountingSupplierParty` or `cac:AccountingCustomerParty`; empty where it is missing."""
    node = child(role, _PARTY)
    if node is None:
        return Party()
    written = etree.tostring(node, with_tail=False)
    known = _known.get(written)
    if known is None:
        known = _party(node)
        if len(written) <= _KNOWN_LENGTH:
            _known[written] = known
            if len(_known) > _KNOWN:
                _known.popitem(last=False)
    return known


def _party(node: Element) -> Party:
    legal = _identifier(child(node, _LEGAL, _COMPANY_ID))
    vat = _identifier(next(_vat_ids(node), None))
    endpoint = _identifier(child(node, _ENDPOINT))
    identification = _identifier(child(node, *_IDENTIFICATION))
    enterprise = [each.enterprise for each in (legal, vat, endpoint, identification) if each.enterprise]
    return Party(
        name=_name(node),
        enterprise_number=enterprise[0] if enterprise else None,
        vat=vat.key,
        legal_id=legal.key,
        endpoint=endpoint.key,
        identification=identification.key,
        numbers=tuple(dict.fromkeys([*enterprise, vat.key] if vat.key else enterprise)),
    )


def party_name(role: Element | None) -> str | None:
    """The trade name of the party, else its registered name."""
    return _name(child(role, _PARTY))


def _name(node: Element | None) -> str | None:
    return text(node, *_NAME) or text(node, _LEGAL, _REGISTRATION_NAME)


def _vat_ids(node: Element) -> Iterator[Element]:
    """The company ids of the tax schemes that are VAT or do not say what they are, never the local tax office's."""
    for scheme in node.iterchildren(_TAX_SCHEME):
        company = child(scheme, _COMPANY_ID)
        if company is not None and (text(scheme, *_TAX_SCHEME_ID) or "VAT").upper() == "VAT":
            yield company


@dataclass(frozen=True, slots=True)
class _Identifier:
    key: str | None = None
    enterprise: str | None = None


_NOTHING: Final = _Identifier()


def _identifier(element: Element | None) -> _Identifier:
    """An identifier, and the enterprise number in it when its scheme or `BE` says so, or else its check digits do."""
    if element is None or element.text is None:
        return _NOTHING
    key = identifier_key(element.text)
    digits = belgian_digits(element.text)
    if digits is None:
        return _Identifier(key)
    scheme = element.get("schemeID", "").strip().upper()
    declared = scheme in _BELGIAN_SCHEMES or scheme.startswith("BE") or element.text.lstrip().upper().startswith("BE")
    if declared:
        return _Identifier(digits, digits)
    return _Identifier(key, digits if not scheme and key == digits and is_enterprise_number(digits) else None)
