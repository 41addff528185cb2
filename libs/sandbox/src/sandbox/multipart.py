"""Reads `multipart/form-data` (RFC 7578) as the public Clearfacts API wants it."""

import re
from typing import NamedTuple

_BOUNDARY = re.compile(r"boundary=\"?([^\";]+)")
_NAME = re.compile(r"\bname=\"([^\"]*)\"")
_FILENAME = re.compile(r"\bfilename=\"([^\"]*)\"")
_END = b"--"


class Part(NamedTuple):
    """`filename` and `content_type` are empty where the part has none."""

    content: bytes
    filename: str
    content_type: str


def parts_of(content_type: str, body: bytes) -> dict[str, Part]:
    """The parts by name, of two with one name the last. Raises ValueError for what is no such body."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise ValueError("a boundary is needed")
    delimiter = b"\r\n--" + boundary[1].encode("latin-1")
    first, *pieces = (b"\r\n" + body).split(delimiter)
    if first or not pieces or not pieces[-1].startswith(_END):
        raise ValueError("the body is not delimited as its boundary says")
    return dict(_part(piece) for piece in pieces[:-1])


def _part(piece: bytes) -> tuple[str, Part]:
    head, found, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    text = head.decode("utf-8", errors="replace")
    name = _NAME.search(text)
    if not found or name is None:
        raise ValueError("a part without a name")
    kind = re.search(r"^content-type:\s*([^\r;]+)", text, re.IGNORECASE | re.MULTILINE)
    filename = _FILENAME.search(text)
    return name[1], Part(content, filename[1] if filename else "", kind[1].strip() if kind else "")
