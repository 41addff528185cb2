"""Normal forms of the numbers that identify documents and parties, so that equal things compare equal."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_BELGIAN: Final = re.compile(r"(?:BE)?([01]?\d{9})", re.ASCII)
_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")
_STRUCTURED: Final = re.compile(r"(\+{3}|\*{3})?(\d{3})/?(\d{4})/?(\d{3})(\d{2})(?(1)\1)", re.ASCII)
_ENTERPRISE_LENGTH: Final = 10
_CACHED_LENGTH: Final = 40  # the same companies come again and again; a long text is no number of theirs


def number_key(number: str) -> str:
    """A document number for comparing: NFKC, case-folded, trimmed, each inner blank one space; zeros stay."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    return " ".join(folded.split())


def identifier_key(identifier: str) -> str | None:
    """Any identifier for comparing: its letters and digits, upper case; None where it has none.

    A Belgian VAT number is the enterprise number behind `BE`, and becomes that: `BE0123456749` -> `0123456749`.
    """
    key = _compact(identifier)
    if key.startswith("BE") and (number := belgian_digits(key)) is not None:
        return number
    return key or None


def belgian_digits(identifier: str) -> str | None:
    """The ten digits of a Belgian number in any spelling (`BE 0123.456.749`, old ones with nine); None for others.

    Says nothing of the check digits: see `is_enterprise_number`.
    """
    match = _BELGIAN.fullmatch(_compact(identifier))
    return match[1].zfill(_ENTERPRISE_LENGTH) if match else None


def _compact(identifier: str) -> str:
    return _compact_cached(identifier) if len(identifier) <= _CACHED_LENGTH else _compacted(identifier)


def _compacted(identifier: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", identifier).upper())


_compact_cached = lru_cache(maxsize=8192)(_compacted)


def is_enterprise_number(digits: str) -> bool:
    """Whether these are ten digits that start with 0 or 1 and end in 97 minus the first eight modulo 97."""
    if len(digits) != _ENTERPRISE_LENGTH or not (digits.isascii() and digits.isdecimal()) or digits[0] not in "01":
        return False
    return 97 - int(digits[:8]) % 97 == int(digits[8:])


def structured_communication(reference: str) -> str | None:
    """A Belgian structured communication as it is printed: twelve digits, the last two the others modulo 97 (0 is 97).

    None for any other reference.
    """
    match = _STRUCTURED.fullmatch("".join(reference.split()))
    if match is None:
        return None
    first, middle, last, check = match.groups()[1:]
    if (int(first + middle + last) % 97 or 97) != int(check):
        return None
    return f"+++{first}/{middle}/{last}{check}+++"
