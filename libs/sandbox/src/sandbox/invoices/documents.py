"""One document from a seed and its place: always the same bytes."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from sandbox.check_digits import structured_communication
from sandbox.invoices.amounts import Bill, draw_bill
from sandbox.invoices.parties import ADMINISTRATIONS, COUNTERPARTIES, Party
from sandbox.invoices.rendering import Sheet, render

LineShares: TypeAlias = tuple[tuple[float, int, int], ...]

BENCH_1: LineShares = ((0.97, 1, 10), (0.03, 11, 50))  # share of the documents, fewest lines, most lines
DEMO: LineShares = ((0.90, 1, 10), (0.09, 11, 50), (0.01, 51, 500))
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
SPACING = timedelta(seconds=7)


class Kind(StrEnum):
    """What a document is for. The last five carry their kind in the document number: `...-REFUSED`."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DUPLICATE = "duplicate"  # means what an earlier one means, under another source id
    CHANGED = "changed"  # says that it is an earlier one, and bills something else
    MALFORMED = "malformed"
    INVALID = "invalid"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Generated:
    """`original` is the source id that a duplicate or a changed document repeats, else empty."""

    id: str
    number: str
    modified_at: datetime
    ubl: bytes
    kind: Kind
    original: str = ""


def document(
    seed: int,
    n: int,
    *,
    lines: LineShares = BENCH_1,
    suffix: str = "",
    revision: int = 0,
    customer: Party | None = None,
    supplier: Party | None = None,
) -> Generated:
    """The n-th invoice or credit note; another `revision` bills something else under the same number and dates."""
    dice = _dice(f"{seed}/{n}")
    modified_at = modified(n)
    sale = dice.random() < 0.6
    ours = ADMINISTRATIONS[int(dice.random() * len(ADMINISTRATIONS))]
    other = COUNTERPARTIES[int(dice.random() * len(COUNTERPARTIES))]
    credits_other = dice.random() < 0.1
    issued = modified_at.date() - timedelta(days=int(dice.random() * 10))
    number = _number("VK" if sale else other.number[4:8], issued, credit=credits_other, place=f"{seed}-{n:07d}{suffix}")
    sheet = Sheet(
        number=number,
        issued=issued,
        due=issued + timedelta(days=dice.choice((14, 30, 60))),
        supplier=supplier or (ours if sale else other),
        customer=customer or (other if sale else ours),
        communication=structured_communication(dice.randrange(10**10)),
        order=f"PO-{dice.randrange(10**6):06d}",
        bill=_bill(dice if not revision else _dice(f"{seed}/{n}/{revision}"), lines),
        credits=f"{number.replace('CN', 'F')}-0" if credits_other else "",
    )
    return Generated(
        identifier(seed, n),
        number,
        modified_at,
        render(sheet).encode(),
        Kind.CREDIT_NOTE if credits_other else Kind.INVOICE,
    )


def identifier(seed: int, n: int) -> str:
    """Source ids sort by place up to a thousand million documents."""
    return f"{seed}-{n:09d}"


def modified(n: int) -> datetime:
    return START + n * SPACING


def _number(series: str, issued: date, *, credit: bool, place: str) -> str:
    return f"{series}{'CN' if credit else 'F'}-{issued.year}-{place}"


def _bill(dice: random.Random, shares: LineShares) -> Bill:
    draw = dice.random()
    for share, fewest, most in shares:
        if draw < share:
            return draw_bill(dice, dice.randint(fewest, most))
        draw -= share
    return draw_bill(dice, shares[-1][2])


def _dice(name: str) -> random.Random:
    return random.Random(name)  # noqa: S311 reproducible on purpose
