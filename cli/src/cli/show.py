"""Values as people read them. Text from documents and other systems loses its control characters."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from client import Answer, InvoiceSummary


def plain(value: object) -> str:
    return "".join(char if char.isprintable() else " " for char in str(value))


def moment(at: datetime | None, *, short: bool = False) -> str:
    """UTC; `short` leaves out the year and the seconds."""
    if at is None:
        return "-"
    return at.astimezone(UTC).strftime("%m-%d %H:%M" if short else "%Y-%m-%d %H:%M:%SZ")


def money(invoice: InvoiceSummary) -> str:
    return "-" if invoice.amount is None else f"{invoice.amount} {invoice.currency or ''}".rstrip()


def name(invoice: InvoiceSummary) -> str:
    """The number on the invoice; without one the source's id."""
    return plain(invoice.number or invoice.invoice_id)


def print_json(value: Answer | dict[str, Any]) -> None:
    """To standard output as it is: no colours, no wrapping."""
    found = value.model_dump(mode="json") if isinstance(value, Answer) else value
    print(json.dumps(found, indent=2, ensure_ascii=False))


def print_more(next_cursor: str | None) -> None:
    """How to get the next page, where there is one."""
    if next_cursor:
        print(f"more: --cursor {next_cursor}")


def print_table(console: Console, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[object]]) -> None:
    """`columns`: heading and greatest width; a negative one aligns to the right. What is longer is cut."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading, width in columns:
        table.add_column(
            heading,
            max_width=abs(width),
            justify="right" if width < 0 else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)


def print_facts(console: Console, facts: Iterable[tuple[str, object]]) -> None:
    """Name and value a line; what is not known is left out."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in facts:
        if value is not None and value != "":
            table.add_row(label, Text(plain(value)))
    console.print(table)
