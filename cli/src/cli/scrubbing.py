"""Text that may leave the house: no document, nobody's name or number, no secret. What is doubtful goes. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

LONGEST_LINE = 2000

_FOREIGN = re.compile(r"\b(DETAIL|STATEMENT|CONTEXT|QUERY|PARAMETERS):")
"""Where PostgreSQL begins to quote rows and statements."""

_MASKS = (
    (re.compile(r"(?is)\s*\b(DETAIL|STATEMENT|CONTEXT|QUERY|PARAMETERS):.*"), ""),
    (re.compile(r"(?s)<(?:\?xml|/?(?:\w+:)?(?:Invoice|CreditNote)\b|/?\w+:\w+).*"), "<document>"),  # to its end
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "<token>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 <token>"),
    (re.compile(r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization))\b(\"?\s*[=:]\s*)(?!<)\S+"),
     r"\1\2<secret>"),
    (re.compile(r"\b([a-z][a-z0-9+]*)://(?:[^\s/@]*@)?([^\s/?#\"']+)[^\s\"']*"), r"\1://\2"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<email>"),
    (re.compile(r"/(home|Users)/[^/\s\"']+"), r"/\1/<user>"),
    (re.compile(r"(?<![\w-])(?:[A-Z]{2} ?)?[01]?\d{3}\.\d{3}\.\d{3}(?![\w.-])"), "<number>"),
    (re.compile(r"(?<![\w-])(?:[A-Z]{2} ?)?\d{8,12}(?:B\d{2})?(?![\w-])"), "<number>"),
    (re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])"), "<iban>"),
    (re.compile(r"=\([^)]*\)"), "=(...)"),
    (re.compile(r"\"(?![^\"]*\.py\")[^\"]{3,}\""), '"..."'),  # the file of a traceback stays
    (re.compile(r"(?<!\w)'[^']{3,}'"), "'...'"),
)  # fmt: skip
_PLAIN_KEYS = frozenset({"@timestamp", "event.action", "log.level", "message", "service.name", "span.id", "trace.id"})
_WRITTEN_BY_US = frozenset({"@timestamp", "span.id", "trace.id"})
_KEPT = re.compile(r"[\w .,:;()/+-]{1,100}")


def scrub_text(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def scrub_line(line: str) -> str | None:
    """A log line as it may be shown; None where nothing of it may."""
    line = line.rstrip("\n")
    if line.startswith("{"):
        try:
            found = json.loads(line)
        except ValueError:
            return _cut(scrub_text(line))
        return _cut(json.dumps({scrub_text(str(key)): _field(str(key), value) for key, value in found.items()}))
    if line.startswith("\t") or _FOREIGN.search(line):
        return None  # a row or a statement, or how it goes on
    return _cut(scrub_text(line))


def scrub(value: Any) -> Any:
    """The same for a value that JSON can hold."""
    match value:
        case str():
            return scrub_text(value)
        case Mapping():
            return {scrub_text(str(key)): scrub(inner) for key, inner in value.items()}
        case list() | tuple():
            return [scrub(inner) for inner in value]
        case _:
            return value


def _field(key: str, value: Any) -> Any:
    if key in _PLAIN_KEYS and isinstance(value, str) and _KEPT.fullmatch(value):
        return value if key in _WRITTEN_BY_US else scrub_text(value)
    return scrub(value)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."
