"""Names of UBL 2.1: namespaces, the prefixes that people write, and the tags that this package reads."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from lxml import etree

# lxml gives its classes private names and documents them all the same: spelt here, once.
Element: TypeAlias = etree._Element  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
LogEntry: TypeAlias = etree._LogEntry  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

INVOICE_NS: Final = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CREDIT_NOTE_NS: Final = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
CAC_NS: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC_NS: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
EXT_NS: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"

PREFIXES: Final[Mapping[str, str]] = {
    "inv": INVOICE_NS,
    "cn": CREDIT_NOTE_NS,
    "cac": CAC_NS,
    "cbc": CBC_NS,
    "ext": EXT_NS,
}
_PREFIX_OF: Final[Mapping[str, str]] = {
    INVOICE_NS: "",
    CREDIT_NOTE_NS: "",
    CAC_NS: "cac:",
    CBC_NS: "cbc:",
    EXT_NS: "ext:",
}


class Kind(StrEnum):
    """Which of the two documents it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


ROOTS: Final[Mapping[str, Kind]] = {
    f"{{{INVOICE_NS}}}Invoice": Kind.INVOICE,
    f"{{{CREDIT_NOTE_NS}}}CreditNote": Kind.CREDIT_NOTE,
}


def cac(name: str) -> str:
    return f"{{{CAC_NS}}}{name}"


def cbc(name: str) -> str:
    return f"{{{CBC_NS}}}{name}"


LINE_TAGS: Final = (cac("InvoiceLine"), cac("CreditNoteLine"))


def short(tag: str) -> str:
    """`{namespace}Name` as people write it: `cac:Party`, `Invoice`, and foreign names without their namespace."""
    if not tag.startswith("{"):
        return tag
    namespace, name = tag[1:].split("}", 1)
    return _PREFIX_OF.get(namespace, "") + name
