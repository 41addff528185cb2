"""Answers that are files."""

import re
from urllib.parse import quote

SANDBOX = {"Content-Security-Policy": "sandbox; default-src 'none'"}
"""Whatever opens the file, nothing in it runs."""
LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^\w.-]+")
_NOT_ASCII = re.compile(r"[^A-Za-z0-9._-]+")


def attachment(title: str, ending: str) -> str:
    """A `Content-Disposition` (RFC 6266) that saves under a harmless name whatever the title is."""
    plain = _name(_NOT_ASCII, title)
    whole = _name(_UNSAFE, title)
    header = f'attachment; filename="{plain}.{ending}"'
    return header if whole == plain else f"{header}; filename*=UTF-8''{quote(whole, safe='')}.{ending}"


def _name(unsafe: re.Pattern[str], title: str) -> str:
    """No separator of paths, no control character, nothing hidden, nothing long."""
    return unsafe.sub("_", title).strip("._")[:LONGEST_NAME] or "invoice"
