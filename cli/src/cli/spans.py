"""The spans of one invoice out of the trace of its job, as a tree. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

INVOICE_ID = "clearfacts.invoice.id"
_STATEMENT = "db.system.name"

Span = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    span: Span
    below: list["Node"] = field(default_factory=list["Node"])


@dataclass(frozen=True, slots=True)
class Story:
    """`roots`: where it begins, one where all is told; `orphans`: spans whose parent nobody told."""

    spans: Sequence[Span]
    roots: Sequence[Node]
    orphans: Sequence[Node]

    @property
    def own(self) -> Sequence[Span]:
        """Those that are about an invoice, not about its job."""
        return [span for span in self.spans if INVOICE_ID in span["attributes"]]


def story(trace: Sequence[Span], invoice_id: str) -> Story:
    """What is about the job, and of its invoices what is about this one."""
    spans = [span for span in trace if not _of_another(span, invoice_id)]
    hidden = {span["span_id"] for span in trace} - {span["span_id"] for span in spans}
    below: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in spans:
        below[span["parent_id"]].append(span)
    known = {span["span_id"] for span in spans} | hidden  # what a hidden one is the parent of is hidden too
    orphaned = [span for span in spans if span["parent_id"] is not None and span["parent_id"] not in known]
    roots = [_node(span, below) for span in below[None]]
    orphans = [_node(span, below) for span in orphaned]
    shown = [span for node in (*roots, *orphans) for span in _walk(node)]
    return Story(shown, roots, orphans)


def without_statements(node: Node) -> Node:
    """The same tree without what was asked of the database."""
    kept = (without_statements(inner) for inner in node.below if _STATEMENT not in inner.span["attributes"])
    return Node(node.span, list(kept))


def _of_another(span: Span, invoice_id: str) -> bool:
    return span["attributes"].get(INVOICE_ID, invoice_id) != invoice_id


def _node(span: Span, below: Mapping[str | None, Sequence[Span]]) -> Node:
    return Node(span, [_node(inner, below) for inner in below.get(span["span_id"], ())])


def _walk(node: Node) -> Iterator[Span]:
    yield node.span
    for inner in node.below:
        yield from _walk(inner)
