"""Invoices and filters of them, small enough to meet each other often."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from common.invoice.stage import STATUS, Reason, Stage
from gateway.domain.invoices import InvoiceFilter
from gateway.domain.readings import InvoiceDetail
from tests.unit.gateway.fakes import invoice

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
_INSTANTS = [FIRST + timedelta(minutes=minute) for minute in range(0, 3 * 24 * 60, 7)]
_NAMES = ("Bakkerij Peeters", "Café Élysée", "100% Frites", "a_b", "back\\slash BV")
_NUMBERS = ("2026/1", "2026/10", "INV-7", "")
_PARTIES = ("0123456749", "BE0123.456.749", "DE999", "lysée", "%", "_", "PEETERS", "\\")

_AMOUNTS = [Decimal(text) for text in ("-12.30", "0", "12.30", "12.3", "99999999999999999.99")]
_DAYS = [date(2026, 2, day) for day in (1, 2, 3)]


def uuid7_at(at: datetime, number: int) -> UUID:
    """An id of that instant, the `number`th."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number)


@st.composite
def rows(draw: st.DrawFn, *, most: int = 15) -> list[InvoiceDetail]:
    """Their ids are as old as they are, give or take an hour, and no two are equal."""
    chances = draw(st.lists(st.integers(0, 2**64 - 1), max_size=most))
    return [_row(number, _Chance(chance)) for number, chance in enumerate(chances)]


class _Chance:
    """One drawn number, used up choice by choice: a draw for each field of each row would take seconds."""

    def __init__(self, left: int) -> None:
        self._left = left

    def of(self, *options: Any) -> Any:
        self._left, place = divmod(self._left, len(options))
        return options[place]


def _row(number: int, chance: _Chance) -> InvoiceDetail:
    created = chance.of(*_INSTANTS)
    stage = chance.of(*Stage)
    fields: dict[str, Any] = {
        "id": uuid7_at(created + timedelta(minutes=chance.of(-59, 0, 59)), number),
        "created_at": created,
        "stage": stage.value,
        "status": STATUS[stage].value,
        "reason": chance.of(None, Reason.INVALID.value, Reason.REFUSED.value),
        "invoice_id": chance.of("SRC-1", "SRC-2", "2026/1"),
        "number": chance.of(None, *_NUMBERS),
        "dossier": chance.of(None, "0123456749", "0987654394"),
        "direction": chance.of(None, "SALE", "PURCHASE"),
        "kind": chance.of(None, "invoice", "credit_note"),
        "currency": chance.of(None, "EUR", "USD"),
        "amount": chance.of(None, *_AMOUNTS),
        "issue_date": chance.of(None, *_DAYS),
    }
    for role in ("supplier", "customer"):
        fields[role] = chance.of(None, "0123456749", "DE999")
        fields[f"{role}_name"] = chance.of(None, *_NAMES)
    return invoice(**fields)


OPTIONS: Mapping[str, Sequence[Any]] = {
    "status": sorted(set(STATUS.values())),
    "stage": list(Stage),
    "reason": (Reason.INVALID, Reason.PARKED),
    "number": _NUMBERS[:3],
    "invoice_id": ("SRC-1", "nowhere"),
    "dossier": ("0123456749", "nowhere"),
    "direction": ("SALE", "PURCHASE"),
    "kind": ("invoice", "credit_note"),
    "currency": ("EUR", "CHF"),
    "supplier": _PARTIES,
    "customer": _PARTIES,
    "amount": _AMOUNTS,
    "amount_min": _AMOUNTS,
    "amount_max": _AMOUNTS,
    "issued_since": _DAYS,
    "issued_until": _DAYS,
    "created_since": _INSTANTS[::40],
    "created_until": _INSTANTS[::40],
    "q": (*_PARTIES, *_NUMBERS[:3], "2026", "SRC-2", "src"),
}
"""Values to ask for; some hit a row exactly."""


@st.composite
def filters(draw: st.DrawFn, *, most: int = 3) -> InvoiceFilter:
    names = draw(st.lists(st.sampled_from(sorted(OPTIONS)), max_size=most, unique=True))
    return InvoiceFilter(**{name: draw(st.sampled_from(OPTIONS[name])) for name in names})


def many_rows(number: int, seed: int) -> list[InvoiceDetail]:
    """Always the same ones for a seed."""
    chance = random.Random(seed)
    return [_row(place, _Chance(chance.getrandbits(64))) for place in range(number)]
