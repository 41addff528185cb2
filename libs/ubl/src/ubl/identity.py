"""Which document this is: what tells it from others, whose books it belongs in, and the keys made of that."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Final
from uuid import UUID, uuid5

from ubl.content import content_sha256
from ubl.names import ROOTS, Element, Kind, cac, cbc
from ubl.numbers import identifier_key, number_key
from ubl.parties import Party, party
from ubl.safe import DEFAULT, Limits, parse
from ubl.values import amount, child, day, text

REFERENCES: Final = UUID("6c6f4d1e-7f0a-5b8e-9d53-1a8f0a4f2c11")
_KEY_LENGTH: Final = 300
_DEFAULT_TYPE: Final = {Kind.INVOICE: "380", Kind.CREDIT_NOTE: "381"}
_TYPE_TAG: Final = {Kind.INVOICE: cbc("InvoiceTypeCode"), Kind.CREDIT_NOTE: cbc("CreditNoteTypeCode")}


class Direction(StrEnum):
    """Which side of the document we are."""

    SALE = "SALE"
    PURCHASE = "PURCHASE"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The books that a document goes to."""

    administration: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one document from another. Missing or unreadable parts are None: judging is the rules' work."""

    kind: Kind
    type_code: str
    number: str | None
    number_key: str | None
    issue_date: date | None
    supplier: Party
    customer: Party
    currency: str | None
    payable_amount: Decimal | None
    tax_exclusive_amount: Decimal | None
    tax_inclusive_amount: Decimal | None
    content_sha256: bytes

    def __reduce__(self) -> tuple[type["Identity"], tuple[object, ...]]:
        """By position: it comes back from a worker process for every document, and this halves what that costs."""
        return Identity, _identity_values(self)


_identity_values = attrgetter(*Identity.__slots__)


def identify(raw: bytes, *, volatile: frozenset[str] = frozenset(), limits: Limits = DEFAULT) -> Identity:
    """The identity of the document in these bytes; raises `MalformedDocument`. For `volatile` see `content_sha256`."""
    return identity_of(parse(raw, limits), volatile)


def identity_of(root: Element, volatile: frozenset[str] = frozenset()) -> Identity:
    """As `identify`, of a document that is parsed already."""
    kind = ROOTS[str(root.tag)]
    number = text(root, cbc("ID"))
    totals = child(root, cac("LegalMonetaryTotal"))
    return Identity(
        kind=kind,
        type_code=text(root, _TYPE_TAG[kind]) or _DEFAULT_TYPE[kind],
        number=number,
        number_key=(number_key(number) or None) if number else None,
        issue_date=day(text(root, cbc("IssueDate"))),
        supplier=party(child(root, cac("AccountingSupplierParty"))),
        customer=party(child(root, cac("AccountingCustomerParty"))),
        currency=_currency(root, totals),
        payable_amount=amount(totals, cbc("PayableAmount")),
        tax_exclusive_amount=amount(totals, cbc("TaxExclusiveAmount")),
        tax_inclusive_amount=amount(totals, cbc("TaxInclusiveAmount")),
        content_sha256=content_sha256(root, volatile),
    )


def _currency(root: Element, totals: Element | None) -> str | None:
    payable = child(totals, cbc("PayableAmount"))
    return text(root, cbc("DocumentCurrencyCode")) or (None if payable is None else payable.get("currencyID"))


def direction(
    identity: Identity,
    administrations: frozenset[str],
    *,
    both: Direction = Direction.SALE,
    default: str | None = None,
) -> Assignment | None:
    """Whose document it is; None when it is nobody's of ours, which is rule LOCAL-ADMIN-01.

    Supplier ours: sale; customer ours: purchase; both: the side `both` names. A document that gives no enterprise or
    VAT number at all is a sale of `default`. Spellings do not matter, and the answer has the normal form.
    """
    ours = _normalised(administrations)
    sale = next((number for number in identity.supplier.numbers if number in ours), None)
    purchase = next((number for number in identity.customer.numbers if number in ours), None)
    if sale and not (purchase and both is Direction.PURCHASE):
        return Assignment(sale, Direction.SALE)
    if purchase:
        return Assignment(purchase, Direction.PURCHASE)
    if default is None or identity.supplier.numbers or identity.customer.numbers:
        return None
    return Assignment(identifier_key(default) or default, Direction.SALE)


@lru_cache(maxsize=16)
def _normalised(administrations: frozenset[str]) -> frozenset[str]:
    return frozenset(key for key in map(identifier_key, administrations) if key)


def dedupe_key(administration: str, direction: Direction, identity: Identity, source_id: str) -> str:
    """The business key of a document, readable: `0123456749|SALE|0123456749|0987654394|380|inv-7|2026`.

    Administration, direction, supplier, customer, type, number and issue year; without a number or a supplier,
    `administration|direction|source|source id`. `|` and `%` inside a part are escaped, so that different parts never
    make the same key; a key longer than 300 characters becomes `sha256:` and its hash, to fit an index.
    """
    supplier = identity.supplier.key
    if supplier is None or identity.number_key is None:
        parts = [administration, direction, "source", source_id]
    else:
        year = str(identity.issue_date.year) if identity.issue_date else ""
        customer = identity.customer.key or ""
        parts = [administration, direction, supplier, customer, identity.type_code, identity.number_key, year]
    key = "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)
    return key if len(key) <= _KEY_LENGTH else "sha256:" + sha256(key.encode()).hexdigest()


def reference(dossier: str, dedupe_key: str, generation: int, content_sha256: bytes) -> UUID:
    """The name of one sending at the destination: the same parts always give the same UUID (version 5)."""
    # U+001F cannot be part of XML text, so no two lists of parts read the same.
    return uuid5(REFERENCES, "\x1f".join((dossier, dedupe_key, str(generation), content_sha256.hex())))
