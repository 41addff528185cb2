"""What is in a document, as people read it on a terminal."""

from rich.console import Console

from cli.show import plain, print_facts, print_table
from client import Comparison, Reading


def print_reading(console: Console, found: Reading) -> None:
    """Header, lines, VAT and totals."""
    print_facts(console, _header(found))
    columns = [("Line", 6), ("What", 34), ("Quantity", -12), ("Price", -12), ("VAT %", -6), ("Amount", -14)]
    rows = [
        (line.number or "-", line.name or line.description or "-", f"{_said(line.quantity)} {line.unit or ''}".rstrip(),
         _said(line.price), _said(line.vat_percent), _said(line.amount))
        for line in found.lines
    ]  # fmt: skip
    print_table(console, columns, rows)
    if found.line_count > len(found.lines):
        console.print(f"and {found.line_count - len(found.lines)} more lines")
    print_facts(console, _totals(found))


def _header(found: Reading) -> list[tuple[str, object]]:
    payment = found.payment
    parties = [
        (role, ", ".join(filter(None, (party.identity.name, *party.identity.numbers, *party.address, party.country))))
        for role, party in (("supplier", found.supplier), ("customer", found.customer))
    ]
    return [
        (found.kind.replace("_", " "), found.number),
        ("issued", found.issued),
        ("corrects", ", ".join(found.corrects)),
        *parties,
        ("due", payment.due),
        ("account", payment.account),
        ("communication", payment.structured_communication or payment.reference),
        ("terms", payment.terms),
        ("order", found.order),
        ("notes", "; ".join(found.notes)),
        ("attachments", ", ".join(found.attachments)),
    ]


def _totals(found: Reading) -> list[tuple[str, object]]:
    totals = found.totals
    vat = [
        (f"VAT {row.category or ''} {_said(row.percent)}%", f"{_said(row.tax)} on {_said(row.taxable)}")
        for row in found.vat
    ]
    return [
        *vat,
        ("without VAT", totals.tax_exclusive),
        ("VAT", totals.tax),
        ("with VAT", totals.tax_inclusive),
        ("prepaid", totals.prepaid),
        ("to pay", f"{_said(totals.payable)} {found.currency or ''}".rstrip()),
    ]


def _said(value: object) -> str:
    return "-" if value is None else str(value)


def print_difference(console: Console, difference: Comparison) -> None:
    if difference.note:
        console.print(f"difference: {plain(difference.note)}", soft_wrap=True)
        return
    columns = [("Field", 38), ("Other version", 20), ("This version", 20)]
    rows = [(_tail(change.path, 38), change.old or "-", change.new or "-") for change in difference.changes]
    print_table(console, columns, rows)
    if difference.more:
        console.print(f"and {difference.more} more fields: --json shows the first {len(rows)} whole")


def _tail(path: str, width: int) -> str:
    """The end of a path says which field it is."""
    return path if len(path) <= width else f"…{path[1 - width :]}"
