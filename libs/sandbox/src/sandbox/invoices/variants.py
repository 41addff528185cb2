"""What is done to a good document so that it repeats another, cannot be read, or breaks a rule."""

import re
from collections.abc import Callable
from typing import TypeAlias

Variant: TypeAlias = Callable[[bytes], bytes]

_PAYABLE = re.compile(rb"(<cbc:PayableAmount[^>]*>)(\d+)")
_DATE = re.compile(rb"(<cbc:IssueDate>\d{4}-)\d\d-\d\d")
_XXE = b'<!DOCTYPE Invoice [<!ENTITY leak SYSTEM "file:///etc/hostname">]>\n'


def _same(ubl: bytes) -> bytes:
    return ubl


def _other_whitespace(ubl: bytes) -> bytes:
    return re.sub(rb">\n\s*<", b"><", ubl)


def _other_prefixes(ubl: bytes) -> bytes:
    for old, new in ((b"cac:", b"ns2:"), (b"cbc:", b"ns3:")):
        ubl = ubl.replace(old, new).replace(b"xmlns:" + old[:-1], b"xmlns:" + new[:-1])
    return ubl


def _truncated(ubl: bytes) -> bytes:
    return ubl[: len(ubl) * 3 // 5]


def _mismatched(ubl: bytes) -> bytes:
    return ubl.replace(b"</cac:Party>", b"</cac:Partij>", 1)


def _with_nul(ubl: bytes) -> bytes:
    return ubl.replace(b"<cbc:ID>", b"<cbc:ID>\x00", 1)


def _with_doctype(ubl: bytes) -> bytes:
    return ubl.replace(b"?>\n", b"?>\n" + _XXE, 1)


def _empty(_: bytes) -> bytes:
    return b""


def _unknown_element(ubl: bytes) -> bytes:
    return ubl.replace(b"cbc:ProfileID", b"cbc:ProfielID")


def _impossible_date(ubl: bytes) -> bytes:
    return _DATE.sub(rb"\g<1>02-30", ubl, count=1)


def _wrong_total(ubl: bytes) -> bytes:
    return _PAYABLE.sub(lambda found: found[1] + str(int(found[2]) + 100).encode(), ubl, count=1)


REPEATS: tuple[Variant, ...] = (_same, _other_whitespace, _other_prefixes)
MALFORMED: tuple[Variant, ...] = (_truncated, _mismatched, _with_nul, _with_doctype, _empty)
INVALID: tuple[Variant, ...] = (_wrong_total, _unknown_element, _impossible_date)
