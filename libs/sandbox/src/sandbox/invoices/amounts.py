"""What is billed: lines, allowances, charges, and totals that add up as EN 16931 wants them."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)


class Tax(NamedTuple):
    """A VAT category of UNCL5305 and its rate in per cent."""

    category: str
    rate: Decimal


class Article(NamedTuple):
    """Prices in cents, lowest and highest; `unit` is a code of UN/ECE recommendation 20."""

    name: str
    unit: str
    low: int
    high: int
    tax: Tax


S21, S12, S6 = Tax("S", Decimal(21)), Tax("S", Decimal(12)), Tax("S", Decimal(6))
ZERO_RATED, REVERSE_CHARGE = Tax("Z", Decimal(0)), Tax("AE", Decimal(0))

ARTICLES = (
    Article("Consultancy, senior", "HUR", 8500, 16500, S21),
    Article("Ontwikkeling webshop", "HUR", 7500, 12500, S21),
    Article("Bureaustoel ergonomisch", "C62", 14900, 49900, S21),
    Article("Papier A4 80 g, doos", "C62", 1890, 3490, S21),
    Article("Téléphonie mobile, abonnement", "MON", 1500, 4500, S21),
    Article("Diesel B7", "LTR", 135, 189, S21),
    Article("Onderhoud lift", "C62", 18000, 42000, S21),
    Article("Repas d'affaires", "C62", 2250, 8900, S12),
    Article("Catering, broodjeslunch", "C62", 950, 1850, S12),
    Article("Pommes Jonagold", "KGM", 120, 240, S6),
    Article("Koffiebonen Arabica", "KGM", 1450, 2890, S6),
    Article("Handboek boekhouden", "C62", 2950, 8900, S6),
    Article("Eau potable", "MTQ", 310, 540, S6),
    Article("Dagblad, abonnement", "MON", 2900, 4500, ZERO_RATED),
)
WORKS = (
    Article("Plaatsing gyprocwand", "MTK", 3800, 7200, REVERSE_CHARGE),
    Article("Travaux de toiture", "MTK", 8900, 16500, REVERSE_CHARGE),
    Article("Elektriciteitswerken", "HUR", 4800, 7200, REVERSE_CHARGE),
)


@dataclass(frozen=True, slots=True)
class Line:
    """`net` = quantity times price, rounded, less the allowance."""

    article: Article
    quantity: Decimal
    price: Decimal
    gross: Decimal
    allowance: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An allowance or a charge on the whole document; `percent` of `base` where it was reckoned so."""

    charge: bool
    reason: str
    code: str
    amount: Decimal
    tax: Tax
    percent: Decimal | None = None
    base: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """All that is reckoned follows from lines and adjustments; amounts in euro with two decimals."""

    lines: Sequence[Line]
    adjustments: Sequence[Adjustment]
    prepaid: Decimal
    taxable: dict[Tax, Decimal] = field(init=False)
    line_total: Decimal = field(init=False)

    def __post_init__(self) -> None:
        taxable: defaultdict[Tax, Decimal] = defaultdict(lambda: ZERO)
        for line in self.lines:
            taxable[line.article.tax] += line.net
        object.__setattr__(self, "line_total", sum(taxable.values(), ZERO))
        for adjustment in self.adjustments:
            taxable[adjustment.tax] += adjustment.amount if adjustment.charge else -adjustment.amount
        object.__setattr__(self, "taxable", dict(taxable))

    @property
    def allowances(self) -> Decimal:
        return sum((each.amount for each in self.adjustments if not each.charge), ZERO)

    @property
    def charges(self) -> Decimal:
        return sum((each.amount for each in self.adjustments if each.charge), ZERO)

    @property
    def exclusive(self) -> Decimal:
        return self.line_total - self.allowances + self.charges

    @property
    def taxes(self) -> dict[Tax, Decimal]:
        return {tax: rounded(amount * tax.rate / HUNDRED) for tax, amount in self.taxable.items()}

    @property
    def inclusive(self) -> Decimal:
        return self.exclusive + sum(self.taxes.values(), ZERO)

    @property
    def payable(self) -> Decimal:
        return self.inclusive - self.prepaid


def rounded(amount: Decimal) -> Decimal:
    """Commercial rounding to cents, as EN 16931 and Belgian law have it."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def draw_bill(dice: random.Random, count: int) -> Bill:
    """A bill of `count` lines; one in twenty is construction work under reverse charge."""
    articles = WORKS if dice.random() < 0.05 else ARTICLES
    lines = [_line(dice, articles) for _ in range(count)]
    adjustments = [*_discount(dice, lines), *_shipping(dice, lines)]
    prepaid = rounded(lines[0].net / 2) if dice.random() < 0.05 else ZERO
    return Bill(lines, adjustments, prepaid)


def _line(dice: random.Random, articles: Sequence[Article]) -> Line:
    article = articles[int(dice.random() * len(articles))]
    price = Decimal(dice.randint(article.low, article.high)).scaleb(-2)
    whole = article.unit == "C62"
    quantity = Decimal(dice.randint(1, 24)) if whole else Decimal(dice.randint(1, 400)).scaleb(-1)
    gross = rounded(quantity * price)
    allowance = rounded(gross * Decimal("0.05")) if dice.random() < 0.08 else ZERO
    return Line(article, quantity, price, gross, allowance, gross - allowance)


def _discount(dice: random.Random, lines: Sequence[Line]) -> list[Adjustment]:
    if dice.random() >= 0.15:
        return []
    tax = lines[0].article.tax
    base = sum((line.net for line in lines if line.article.tax == tax), ZERO)
    percent = Decimal(dice.choice((2, 5, 10)))
    amount = rounded(base * percent / HUNDRED)
    return [Adjustment(charge=False, reason="Korting", code="95", amount=amount, tax=tax, percent=percent, base=base)]


def _shipping(dice: random.Random, lines: Sequence[Line]) -> list[Adjustment]:
    tax = lines[0].article.tax  # an ancillary cost follows the rate of what is delivered
    if dice.random() >= 0.1:
        return []
    amount = Decimal(dice.randint(495, 2995)).scaleb(-2)
    return [Adjustment(charge=True, reason="Frais de transport", code="FC", amount=amount, tax=tax)]
