"""One cause, many failures: what differs from case to case is masked, the rest is hashed.

Migration 0004 has the same in SQL (`failure_fingerprint`), for the indexes; a test holds the two together.
"""

import hashlib
import re

_LONGEST = 500
_RULE = re.compile(r"[A-Z][A-Z0-9_-]{1,39}: ")
_MASKS = (
    (re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"), "<id>"),
    (re.compile(r'"[^"]*"'), "<value>"),
    (re.compile(r"(^|[^A-Za-z0-9'])'[^']*'"), r"\1<value>"),
    (re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}"), "<hex>"),
    (re.compile(r"[0-9]+([.,][0-9]+)*"), "<n>"),
    (re.compile(r"[ \t\r\n]+"), " "),
)

UNREADABLE = "unreadable"
"""Stands for the reason of a record that nobody could read."""


def cause(message: str | None) -> str:
    """The message without what differs from case to case; the code of a rule in front of it stays."""
    text = (message or "")[:_LONGEST]
    rule = _RULE.match(text)
    code, rest = (rule[0], text[rule.end() :]) if rule else ("", text)
    for pattern, mask in _MASKS:
        rest = pattern.sub(mask, rest)
    return code + rest


def fingerprint(reason: str | None, message: str | None) -> str:
    """Sixteen hex digits, the same for failures of one cause."""
    whole = f"{reason or ''} {cause(message)}"
    return hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()[:16]
