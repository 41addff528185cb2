"""Addresses of e-mail, as far as a mail server has to understand them."""

import re

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+")
LONGEST = 254


def checked_address(text: str) -> str:
    """The address. Raises ValueError, which does not repeat it, for what could be more than one, or a header."""
    if len(text) > LONGEST or not _ADDRESS.fullmatch(text) or text.endswith("."):
        raise ValueError("give one address like accounts@example.test, without a name")
    return text
