"""What a document says, as one hash: equal for two spellings of the same content, different for any other text.

The canonical form is Canonical XML with all namespaces declared at the root in fixed prefixes, without text that is
only white space.
"""

import re
from copy import deepcopy
from hashlib import sha256
from typing import Final

from lxml import etree

from ubl.names import CAC_NS, CBC_NS, EXT_NS, PREFIXES, Element

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS: Final = (f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation")
_LAYOUT: Final = re.compile(rb">[ \t\n]+<")
_USUAL: Final = {"cac": CAC_NS, "cbc": CBC_NS, "ext": EXT_NS}
_NO_NAMESPACE: Final = "about:no-namespace"


def content_sha256(root: Element, volatile: frozenset[str] = frozenset()) -> bytes:
    """SHA-256 of the canonical form: names, attributes and text count; layout, prefixes, schema hints do not.

    `volatile` are paths from the root in the usual prefixes (`cac:AdditionalDocumentReference/cac:Attachment`) whose
    elements do not count either. The prefixes in `root` may be others afterwards.
    """
    if volatile or any(hint in root.attrib for hint in _HINTS):
        root = _without(root, volatile)
    usual = {None: str(etree.QName(root).namespace), **_USUAL}
    bare = next(root.iter("{}*"), None) is not None  # below a default namespace libxml2 would write it as if in that
    etree.cleanup_namespaces(root, top_nsmap=usual)
    written = _canonicalise(root)
    if bare or not (root.nsmap.items() <= usual.items() and written.count(b"xmlns") == len(root.nsmap)):
        written = _canonicalise(_in_usual_prefixes(root, usual))
    return sha256(_LAYOUT.sub(b"><", written)).digest()


def _canonicalise(root: Element) -> bytes:
    return etree.tostring(root, method="c14n", with_comments=False)


def _in_usual_prefixes(root: Element, usual: dict[str | None, str]) -> Element:
    """A copy whose other namespaces have prefixes that are numbered in the order of their names."""
    copy = deepcopy(root)
    foreign = sorted(_namespaces(copy) - set(usual.values()))
    numbered = {f"n{index}": uri for index, uri in enumerate(foreign)}
    wrapper = etree.Element("document", nsmap={**usual, **numbered})
    # Moving it under declarations of the same namespaces makes libxml2 use those; written and read, they can be raised.
    wrapper.append(copy)
    written = etree.tostring(copy, method="c14n", exclusive=True)
    again = etree.fromstring(written)  # noqa: TID251 - what libxml2 itself has just written
    etree.cleanup_namespaces(again, top_nsmap={**usual, **numbered})
    return again


def _namespaces(root: Element) -> set[str]:
    """All namespaces in use, once elements without one have a stand-in: else they would fall into the default one."""
    for element in root.iter():
        if not str(element.tag).startswith("{"):
            element.tag = f"{{{_NO_NAMESPACE}}}{element.tag}"
    names = [str(element.tag) for element in root.iter()]
    names += [str(name) for element in root.iter() for name in element.attrib]
    return {name[1:].split("}", 1)[0] for name in names if name.startswith("{")}


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
