"""Invoices as a file: CSV that is safe in a spreadsheet, JSON or XML, row by row."""

import csv
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol

from gateway.domain.readings import InvoiceSummary

COLUMNS = tuple(each.name for each in fields(InvoiceSummary))
_values = attrgetter(*COLUMNS)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""As OWASP lists them ("CSV Injection"); the last four are the wide forms of the first."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Extent:
    """How many rows an export has; `cut` where there are more than one export may have."""

    rows: int
    cut: bool


class Rendering(Protocol):
    """One file: `start`, any number of `rows`, `end`. An end that is missing shows that the file is not whole."""

    media_type: str

    def start(self) -> str: ...

    def rows(self, items: Iterable[InvoiceSummary]) -> str: ...

    def end(self, extent: Extent) -> str: ...


class CsvRendering:
    """RFC 4180 with a header row. A text that a spreadsheet would calculate gets an apostrophe in front."""

    media_type = "text/csv; charset=utf-8; header=present"

    def start(self) -> str:
        return _csv_line(COLUMNS)

    def rows(self, items: Iterable[InvoiceSummary]) -> str:
        return "".join(_csv_line([cell(value) for value in _values(item)]) for item in items)

    def end(self, extent: Extent) -> str:
        del extent  # a line that is no invoice would be read as one: the headers of the answer say it
        return ""


class JsonRendering:
    """`{"items": [...], "rows": N, "cut": false}`, the items as the API has them."""

    media_type = "application/json"

    def __init__(self) -> None:
        self._separator = ""

    def start(self) -> str:
        return '{"items": ['

    def rows(self, items: Iterable[InvoiceSummary]) -> str:
        return "".join(self._items(items))

    def end(self, extent: Extent) -> str:
        return f'\n], "rows": {extent.rows}, "cut": {json.dumps(extent.cut)}}}\n'

    def _items(self, items: Iterable[InvoiceSummary]) -> Iterator[str]:
        for item in items:
            named = dict(zip(COLUMNS, _values(item), strict=True))
            yield f"{self._separator}\n{json.dumps(named, default=_written, ensure_ascii=False)}"
            self._separator = ","


class XmlRendering:
    """`<invoices>` of `<invoice>`, an element a column, and at the end `<extent rows="N" cut="false"/>`."""

    media_type = "application/xml"

    def start(self) -> str:
        return '<?xml version="1.0" encoding="UTF-8"?>\n<invoices>\n'

    def rows(self, items: Iterable[InvoiceSummary]) -> str:
        return "".join(f"<invoice>{''.join(_elements(item))}</invoice>\n" for item in items)

    def end(self, extent: Extent) -> str:
        return f'<extent rows="{extent.rows}" cut="{json.dumps(extent.cut)}"/>\n</invoices>\n'


def rendering(format_: Format) -> Rendering:
    match format_:
        case Format.CSV:
            return CsvRendering()
        case Format.JSON:
            return JsonRendering()
        case Format.XML:
            return XmlRendering()


def cell(value: Any) -> str:
    """Numbers as they are, also negative ones; texts so that no spreadsheet takes them for a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return _written(value)


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _elements(item: InvoiceSummary) -> Iterator[str]:
    for name, value in zip(COLUMNS, _values(item), strict=True):
        if value is not None:
            yield f"<{name}>{html.escape(_NOT_XML.sub('', _written(value)), quote=False)}</{name}>"


class _Line:
    """A file for one line: csv wants something to write to."""

    def write(self, text: str) -> str:
        return text


_writer = csv.writer(_Line(), lineterminator="\r\n")


def _csv_line(cells: Sequence[str]) -> str:
    return str(_writer.writerow(cells))
