"""What a document says, as one hash: equal for two spellings of the same content, different for any other text.

The canonical form is Exclusive XML Canonicalization with fixed prefixes and without text that is only white space.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from typing import Final

from lxml import etree

from ubl.names import CAC_NS, CBC_NS, EXT_NS, PREFIXES, ROOTS, Element

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS: Final = (f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation")
_LAYOUT: Final = re.compile(rb">[ \t\n]+<")
_KNOWN: Final = {"cac": CAC_NS, "cbc": CBC_NS, "ext": EXT_NS}
_UNUSUAL: Final = re.compile(
    rb"xmlns(?!"
    + b"|".join(
        [re.escape(f':{prefix}="{uri}"'.encode()) for prefix, uri in _KNOWN.items()]
        + [re.escape(f'="{etree.QName(tag).namespace}"'.encode()) for tag in ROOTS]
    )
    + rb")"
)


def content_sha256(root: Element, volatile: frozenset[str] = frozenset()) -> bytes:
    """SHA-256 of the canonical form: names, attributes and text count; layout, prefixes, schema hints do not.

    `volatile` are paths from the root in the usual prefixes (`cac:AdditionalDocumentReference/cac:Attachment`) whose
    elements do not count either.
    """
    if volatile or any(hint in root.attrib for hint in _HINTS):
        root = _without(root, volatile)
    written = _canonicalise(root)
    # Most documents are written in the usual prefixes, and canonical already.
    if _UNUSUAL.search(written):
        written = _canonicalise(_renamed(root))
    return sha256(_LAYOUT.sub(b"><", written)).digest()


def _canonicalise(root: Element) -> bytes:
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


def _renamed(root: Element) -> Element:
    """A copy in the usual prefixes, with those of other namespaces numbered in the order of their names."""
    known = {str(etree.QName(root).namespace), *_KNOWN.values()}
    foreign = sorted({*_namespaces(root)} - known)
    numbered = {f"n{index}": uri for index, uri in enumerate(foreign)}
    wrapper = etree.Element("document", nsmap={None: str(etree.QName(root).namespace), **_KNOWN, **numbered})
    # Moving it under declarations of the same namespaces makes libxml2 use those.
    wrapper.append(deepcopy(root))
    return wrapper[0]


def _namespaces(root: Element) -> Iterator[str]:
    for element in root.iter():
        for name in (str(element.tag), *map(str, element.attrib)):
            if name.startswith("{"):
                yield name[1:].split("}", 1)[0]


def _without(root: Element, volatile: frozenset[str]) -> Element:
    copy = deepcopy(root)
    for hint in _HINTS:
        copy.attrib.pop(hint, None)
    for path in volatile:
        for element in copy.findall(path, namespaces=PREFIXES):
            parent = element.getparent()
            if parent is not None:  # its tail is layout: content of UBL is elements or text, never both
                parent.remove(element)
    return copy
