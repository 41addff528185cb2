"""Reads single values out of a parsed document: forgiving, because the XSD is the one that judges."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from ubl.names import Element

# Bounded on purpose: Decimal arithmetic on a number with a million digits is an attack, not an amount.
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


def child(parent: Element | None, *tags: str) -> Element | None:
    """The first element at the end of this path of tags, following the first of each."""
    for tag in tags:
        if parent is None:
            return None
        parent = next(parent.iterchildren(tag), None)
    return parent


def text(parent: Element | None, *tags: str) -> str | None:
    """The trimmed text at the end of the path; None where there is none or it is blank."""
    element = child(parent, *tags)
    if element is None or element.text is None:
        return None
    return element.text.strip() or None


def decimal(value: str | None) -> Decimal | None:
    """An `xsd:decimal`; None for anything else (`NaN`, `1e9`, more than 20 digits on a side)."""
    if value is None or _DECIMAL.fullmatch(value) is None:
        return None
    return Decimal(value)


def amount(parent: Element | None, *tags: str) -> Decimal | None:
    return decimal(text(parent, *tags))


def day(value: str | None) -> date | None:
    """An `xsd:date`, whose time zone says nothing about an invoice; None for anything else."""
    match = None if value is None else _DATE.fullmatch(value)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None
