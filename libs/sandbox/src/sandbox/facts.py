"""What the destination reads from a body without parsing it: cheap, and good enough to tell documents apart."""

import html
import re
from typing import NamedTuple

_ROOT = re.compile(rb"<(?:[\w.-]+:)?(Invoice|CreditNote)(?:\s[^>]*)?>\s*(<(?:[\w.-]+:)?UBLExtensions)?")
_ID = re.compile(rb"<(?:[\w.-]+:)?ID(?:\s[^>]*)?>\s*([^<]*?)\s*<")
_SUPPLIER = re.compile(rb"<(?:[\w.-]+:)?AccountingSupplierParty[\s>]")
_COMPANY = re.compile(rb"<(?:[\w.-]+:)?(?:CompanyID|EndpointID)(?:\s[^>]*)?>\s*([^<]*?)\s*<")
_NOISE = re.compile(r"[^0-9A-Z]")
_BELGIAN = re.compile(r"(?:BE)?0?(\d{9})|(?:BE)?(1\d{9})")
_EXTENSIONS = b"UBLExtensions>"


class Facts(NamedTuple):
    """`kind` is empty when the body is no UBL document; an enterprise number comes as ten digits."""

    kind: str
    supplier: str
    number: str


def facts_of(body: bytes) -> Facts:
    root = _ROOT.search(body)
    if root is None:
        return Facts("", "", "")
    start = body.rfind(_EXTENSIONS) if root[2] else root.end()  # extensions may hold ids of their own
    number = _ID.search(body, start)
    return Facts(root[1].decode(), _supplier(body, start), _text(number[1]) if number else "")


def _supplier(body: bytes, start: int) -> str:
    begin = _SUPPLIER.search(body, start)
    if begin is None:
        return ""
    end = body.find(b"AccountingSupplierParty", begin.end())
    found = _COMPANY.search(body, begin.end(), end if end >= 0 else len(body)) or _ID.search(body, begin.end())
    if found is None:
        return ""
    plain = _NOISE.sub("", _text(found[1]).upper())
    belgian = _BELGIAN.fullmatch(plain)
    return plain if belgian is None else belgian[2] or f"0{belgian[1]}"


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", errors="replace"))
