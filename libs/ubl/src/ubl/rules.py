"""Our own few rules, for documents that the schema accepts: what makes one fit to be booked at all."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from ubl.location import path_of
from ubl.names import LINE_TAGS, Element, cac, cbc
from ubl.parties import party, party_name
from ubl.safe import Malformation, MalformedDocument
from ubl.totals import total_findings
from ubl.values import child, day, text
from ubl.verdict import Finding, Layer, Severity

RULESET: Final = "local-1"
ENGINE_ERROR: Final = "RULE-ENGINE-ERROR"
NOT_OURS: Final = Finding(
    rule="LOCAL-ADMIN-01",
    severity=Severity.FATAL,
    layer=Layer.LOCAL,
    message="Neither the supplier nor the customer is one of our administrations",
)
_EARLIEST: Final = date(2000, 1, 1)
_LATEST: Final = date(2099, 12, 31)
_MALFORMED_RULES: Final = {
    Malformation.SYNTAX: "LOCAL-XML-01",
    Malformation.DTD: "LOCAL-XML-02",
    Malformation.ENCODING: "LOCAL-XML-03",
    Malformation.TOO_LARGE: "LOCAL-XML-04",
    Malformation.TOO_COMPLEX: "LOCAL-XML-05",
    Malformation.ATTACHMENT_TOO_LARGE: "LOCAL-XML-06",
    Malformation.NOT_UBL: "LOCAL-XML-07",
}


def malformed_finding(malformed: MalformedDocument) -> Finding:
    rule = _MALFORMED_RULES[malformed.code]
    return Finding(rule, Severity.FATAL, Layer.LOCAL, malformed.message, line=malformed.line)


def local_findings(root: Element) -> Iterator[Finding]:
    """Everything that our rules find."""
    for rule in _RULES:
        yield from rule(root)


def _identity(root: Element) -> Iterator[Finding]:
    if text(root, cbc("ID")) is None:
        yield _fatal("LOCAL-ID-01", "The document has no number", root, cbc("ID"))


def _dates(root: Element) -> Iterator[Finding]:
    issued = day(text(root, cbc("IssueDate")))
    if issued is None:
        yield _fatal("LOCAL-DATE-01", "The document has no readable issue date", root, cbc("IssueDate"))
        return
    if not _EARLIEST <= issued <= _LATEST:
        message = f"The issue date {issued} is not between {_EARLIEST.year} and {_LATEST.year}"
        yield _fatal("LOCAL-DATE-02", message, root, cbc("IssueDate"))
    for path in _DUE_DATES:
        due = day(text(root, *path))
        if due is not None and due < issued:
            message = f"The due date {due} is before the issue date {issued}"
            yield _finding("LOCAL-DATE-03", Severity.WARNING, message, root, path)


def _parties(root: Element) -> Iterator[Finding]:
    for rule, role, word in _ROLES:
        who = child(root, role)
        if party_name(who) is None and party(who).key is None:
            yield _fatal(rule, f"The {word} has neither a name nor a number", root, role)


def _lines(root: Element) -> Iterator[Finding]:
    if next(root.iterchildren(*LINE_TAGS), None) is None:
        yield _fatal("LOCAL-LINE-01", "The document has no line", root)


def _totals(root: Element) -> Iterator[Finding]:
    for rule, message, path in total_findings(root):
        yield _fatal(rule, message, root, *path)


_DUE_DATES: Final = ((cbc("DueDate"),), (cac("PaymentMeans"), cbc("PaymentDueDate")))
_ROLES: Final = (
    ("LOCAL-PARTY-01", cac("AccountingSupplierParty"), "supplier"),
    ("LOCAL-PARTY-02", cac("AccountingCustomerParty"), "customer"),
)
_RULES: Final[tuple[Callable[[Element], Iterator[Finding]], ...]] = (
    _identity,
    _dates,
    _parties,
    _lines,
    _totals,
)


def _fatal(rule: str, message: str, root: Element, *path: str) -> Finding:
    return _finding(rule, Severity.FATAL, message, root, path)


def _finding(rule: str, severity: Severity, message: str, root: Element, path: tuple[str, ...]) -> Finding:
    """A finding at the end of the path, or at the nearest element above it that exists."""
    at = root
    for tag in path:
        below = child(at, tag)
        if below is None:
            break
        at = below
    return Finding(rule, severity, Layer.LOCAL, message, path_of(at), at.sourceline)
