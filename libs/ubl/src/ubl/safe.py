"""The one door for XML: hostile bytes in, a UBL document or `MalformedDocument` out."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final
from xml.parsers import expat

from lxml import etree

from ubl.names import ROOTS, Element

# What nearly every document starts with. Both parsers read such bytes as UTF-8, in which a DTD has but one spelling.
_PLAIN_UTF_8: Final = re.compile(rb'<\?xml version="1\.0" encoding="(?i:utf-8)"\?>\s*<[A-Za-z]')
_DOCTYPE: Final = b"<!DOCTYPE"
_ENCODINGS: Final = frozenset({"utf-8", "utf-16", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})


class Malformation(StrEnum):
    """Why bytes are not a UBL document that we read."""

    SYNTAX = "XML_SYNTAX"
    TOO_LARGE = "XML_TOO_LARGE"
    ENCODING = "XML_ENCODING"
    DTD = "XML_DTD_FORBIDDEN"
    TOO_COMPLEX = "XML_TOO_COMPLEX"
    ATTACHMENT_TOO_LARGE = "XML_ATTACHMENT_TOO_LARGE"
    NOT_UBL = "XML_NOT_UBL"


class MalformedDocument(Exception):
    """These bytes are no document: says why, and where when the parser knows. Travels between processes."""

    def __init__(self, code: Malformation, message: str, line: int | None = None) -> None:
        super().__init__(code, message, line)
        self.code = code
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return self.message if self.line is None else f"{self.message} (line {self.line})"


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps that hold before a tree is built. `markup` counts `<`, so an element with content costs two."""

    size: int = 20 * 1024 * 1024
    markup: int = 400_000
    attributes: int = 400_000
    namespaces: int = 500
    depth: int = 64


DEFAULT: Final = Limits()


def parse(raw: bytes, limits: Limits = DEFAULT) -> Element:
    """The root of a UBL 2.1 Invoice or CreditNote, without comments, processing instructions and most layout.

    Raises `MalformedDocument`, and nothing else whatever the bytes are. Reads no file and no address.
    """
    _within(raw, limits)
    if _DOCTYPE in raw or _PLAIN_UTF_8.match(raw) is None:
        _scan_prolog(raw)
    root = _build(raw)
    if root.getroottree().docinfo.internalDTD is not None:  # the scan has seen to it; the two parsers must agree
        raise MalformedDocument(Malformation.DTD, "A document type declaration is not allowed")
    if root.tag not in ROOTS:
        raise MalformedDocument(Malformation.NOT_UBL, "The root is neither a UBL Invoice nor a CreditNote")
    if _deeper_than(limits.depth)(root):
        raise MalformedDocument(Malformation.TOO_COMPLEX, f"Elements are nested deeper than {limits.depth}")
    return root


def _within(raw: bytes, limits: Limits) -> None:
    """Counts bytes, not elements: an upper bound in every encoding let in, and free next to a callback each."""
    if len(raw) > limits.size:
        raise MalformedDocument(Malformation.TOO_LARGE, f"The document is larger than {limits.size} bytes")
    namespaces = raw.count(b"xmlns")
    if b"\0" in raw:  # in UTF-16, of either byte order, the letters of a name have NUL bytes between them
        namespaces += raw.count(b"x\0m\0l\0n\0s")
    markup_fits = len(raw) <= limits.markup or raw.count(b"<") <= limits.markup
    attributes_fit = len(raw) <= limits.attributes or raw.count(b"=") <= limits.attributes
    if namespaces > limits.namespaces or not (markup_fits and attributes_fit):
        raise MalformedDocument(
            Malformation.TOO_COMPLEX, "The document has too many elements, attributes or namespaces"
        )


class _RootReachedError(Exception):
    """The prolog is over, and with it every place where a document type declaration can be."""


def _scan_prolog(raw: bytes) -> None:
    """Has expat read up to the root: libxml2 would expand internal entities and takes encodings that hide a DTD."""
    parser = expat.ParserCreate()
    parser.XmlDeclHandler = _on_declaration
    parser.StartDoctypeDeclHandler = _on_doctype
    parser.StartElementHandler = _on_root
    try:
        parser.Parse(raw, True)
    except _RootReachedError:
        return
    except expat.ExpatError as error:
        raise MalformedDocument(Malformation.SYNTAX, expat.ErrorString(error.code), error.lineno) from None


def _on_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise MalformedDocument(Malformation.ENCODING, "The encoding is not one of " + ", ".join(sorted(_ENCODINGS)))


def _on_doctype(*_: object) -> None:
    raise MalformedDocument(Malformation.DTD, "A document type declaration is not allowed")


def _on_root(*_: object) -> None:
    raise _RootReachedError


def _build(raw: bytes) -> Element:
    # Never collect_ids=False here: with it lxml reads external entities in spite of the other settings.
    parser = etree.XMLParser(  # noqa: TID251 - this is the door
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
        remove_blank_text=True,
    )
    try:
        return etree.fromstring(raw, parser)  # noqa: TID251 - hardened above
    except etree.XMLSyntaxError as error:
        raise _translate(error) from None


def _translate(error: etree.XMLSyntaxError) -> MalformedDocument:
    message = (error.msg or "not well-formed").rsplit(", line ", 1)[0].strip()[:200]
    code = Malformation.SYNTAX
    if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        code = Malformation.ATTACHMENT_TOO_LARGE if "Text node" in message else Malformation.TOO_COMPLEX
    return MalformedDocument(code, message, error.lineno)


@cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")
