"""Whether a document adds up: each rule is an equation over the amounts that are present."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from ubl.names import LINE_TAGS, Element, cac, cbc
from ubl.values import amount, child, decimal, text

TOLERANCE: Final = Decimal("0.02")  # two amounts, each rounded to the cent
_ZERO: Final = Decimal(0)
_TOTALS: Final = cac("LegalMonetaryTotal")
_LINES: Final = cbc("LineExtensionAmount")
_EXCLUSIVE: Final = cbc("TaxExclusiveAmount")
_INCLUSIVE: Final = cbc("TaxInclusiveAmount")
_PREPAID: Final = cbc("PrepaidAmount")
_ROUNDING: Final = cbc("PayableRoundingAmount")
_PAYABLE: Final = cbc("PayableAmount")
_CHARGES: Final = cbc("ChargeTotalAmount")
_ALLOWANCES: Final = cbc("AllowanceTotalAmount")

Broken = tuple[str, str, tuple[str, ...]]
"""A rule that does not hold: its id, what is expected and what is there, and the path of the amount."""


def total_findings(root: Element) -> Iterator[Broken]:
    """The equations that do not hold; one whose amounts are not all there is left out."""
    totals = child(root, _TOTALS)
    if totals is None:
        return
    stated = _stated(totals)
    lines = _line_sum(root)
    yield from _equal("LOCAL-TOTAL-01", "the sum of the lines", lines, stated, _LINES)
    before_tax = stated.get(_LINES, lines) + _charges(root, stated)
    yield from _equal("LOCAL-TOTAL-02", "lines less allowances plus charges", before_tax, stated, _EXCLUSIVE)
    exclusive, tax = stated.get(_EXCLUSIVE), _tax(root)
    if exclusive is not None and tax is not None:
        yield from _equal("LOCAL-TOTAL-03", "the amount without tax plus the tax", exclusive + tax, stated, _INCLUSIVE)
    inclusive = stated.get(_INCLUSIVE)
    if inclusive is not None:
        owed = inclusive - stated.get(_PREPAID, _ZERO) + stated.get(_ROUNDING, _ZERO)
        yield from _equal("LOCAL-TOTAL-04", "the amount with tax less prepaid plus rounding", owed, stated, _PAYABLE)


def _stated(totals: Element) -> dict[str, Decimal]:
    """The readable amounts by their tag, the first of each, in one pass: asking for each one costs twice as much."""
    first: dict[str, str | None] = {}
    for element in totals.iterchildren("{*}*"):
        first.setdefault(str(element.tag), element.text)
    found = ((tag, decimal(value.strip())) for tag, value in first.items() if value)
    return {tag: value for tag, value in found if value is not None}


def _equal(rule: str, meaning: str, expected: Decimal, stated: Mapping[str, Decimal], tag: str) -> Iterator[Broken]:
    found = stated.get(tag)
    if found is not None and abs(expected - found) > TOLERANCE:
        name = tag.rsplit("}", 1)[1]
        yield rule, f"{name} is {found}, but {meaning} is {expected}", (_TOTALS, tag)


def _line_sum(root: Element) -> Decimal:
    return sum((amount(line, _LINES) or _ZERO for line in root.iterchildren(*LINE_TAGS)), _ZERO)


def _charges(root: Element, stated: Mapping[str, Decimal]) -> Decimal:
    """Charges less allowances of the document: the totals that it states, else the sum of its own entries."""
    charges, allowances = stated.get(_CHARGES), stated.get(_ALLOWANCES)
    if charges is None:
        charges = _entries(root, charge=True)
    if allowances is None:
        allowances = _entries(root, charge=False)
    return charges - allowances


def _entries(root: Element, *, charge: bool) -> Decimal:
    return sum(
        (
            amount(entry, cbc("Amount")) or _ZERO
            for entry in root.iterchildren(cac("AllowanceCharge"))
            if (text(entry, cbc("ChargeIndicator")) in {"true", "1"}) is charge
        ),
        _ZERO,
    )


def _tax(root: Element) -> Decimal | None:
    """The tax in the document's currency; None when no tax total is in it (a second total may be in another)."""
    currency = text(root, cbc("DocumentCurrencyCode"))
    found = [
        (element.get("currencyID"), amount(total, cbc("TaxAmount")))
        for total in root.iterchildren(cac("TaxTotal"))
        if (element := child(total, cbc("TaxAmount"))) is not None
    ]
    ours = [value for code, value in found if value is not None and (currency is None or code == currency)]
    return sum(ours, _ZERO) if ours else None
