"""`clearfacts trace`: the tree of one invoice, out of a trace that has many."""

import json
from dataclasses import replace
from typing import Any

from cli.spans import INVOICE_ID, Node, story, without_statements
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import invoice, job

ONE, OTHER = "one", "other"


def span(
    span_id: str, parent: str | None, name: str, *, invoice: str | None = None, **attributes: str
) -> dict[str, Any]:
    about = {INVOICE_ID: invoice} if invoice else {}
    return {
        "trace_id": "t", "span_id": span_id, "parent_id": parent, "service": "s", "name": name, "kind": "internal",
        "start": 1_000_000, "end": 3_500_000, "attributes": {**about, **attributes}, "links": [], "error": None,
    }  # fmt: skip


TRACE = [
    span("1", None, "POST"),
    span("2", "1", "list"),
    span("3", "1", "invoice", invoice=ONE),
    span("4", "1", "invoice", invoice=OTHER),
    span("5", "3", "send", invoice=ONE),
    span("6", "4", "send", invoice=OTHER),
    span("7", "5", "POST clearfacts"),
    span("8", "6", "POST clearfacts"),
    span("9", "2", "SELECT jobs", **{"db.system.name": "postgresql"}),
]


def names(node: Node) -> Any:
    return (node.span["name"], [names(inner) for inner in node.below]) if node.below else node.span["name"]


def test_of_other_invoices_nothing_is_told() -> None:
    found = story(TRACE, ONE)
    assert [names(root) for root in found.roots] == [
        ("POST", [("list", ["SELECT jobs"]), ("invoice", [("send", ["POST clearfacts"])])])
    ]
    assert found.orphans == []
    assert {one["span_id"] for one in found.spans} == {"1", "2", "3", "5", "7", "9"}
    assert [one["span_id"] for one in found.own] == ["3", "5"]


def test_a_span_whose_parent_nobody_told_is_shown_as_one() -> None:
    found = story([*TRACE, span("a", "lost", "publish"), span("b", "a", "process")], ONE)
    assert [names(orphan) for orphan in found.orphans] == [("publish", ["process"])]


def test_statements_can_be_left_out() -> None:
    assert names(without_statements(story(TRACE, ONE).roots[0])) == (
        "POST",
        ["list", ("invoice", [("send", ["POST clearfacts"])])],
    )


def traced(desk: Desk, trace_id: str | None = "a" * 32) -> Desk:
    """Signed in, in front of an invoice of a job with the trace above."""
    asked, sent = job(trace_id=trace_id), invoice(number="2026/7")
    row = replace(sent, job_id=asked.job_id)
    desk.world.jobs.rows.append(asked)
    desk.world.invoices.rows.append(row)
    desk.trace = [
        {**one, "attributes": {**one["attributes"], INVOICE_ID: str(row.id)}}
        if one["attributes"].get(INVOICE_ID) == ONE
        else one
        for one in TRACE
    ]
    return desk.signed_in()


def test_the_tree_says_who_did_what_and_how_long_it_took(desk: Desk) -> None:
    shown = traced(desk)("trace", "2026/7", "--traces", "http://receiver")
    assert shown.exit_code == 0, shown.output
    first, *lines = shown.output.splitlines()
    assert first == f"2026/7 is sent; trace {'a' * 32}, 6 spans"
    assert [line.strip(" │├└─") for line in lines] == [
        "s POST  2.5 ms at 0.0 ms",
        "s list  2.5 ms at 0.0 ms",
        "s invoice  2.5 ms at 0.0 ms",
        "s send  2.5 ms at 0.0 ms",
        "s POST clearfacts  2.5 ms at 0.0 ms",
    ]


def test_programs_get_the_spans_and_what_is_missing(desk: Desk) -> None:
    traced(desk)
    desk.trace = [*desk.trace, span("a", "lost", "publish")]
    shown = desk("trace", "2026/7", "--traces", "http://receiver", "--json")
    told = json.loads(shown.output)
    assert (told["roots"], told["orphans"], len(told["spans"])) == (["1"], ["a"], 7)


def test_what_cannot_be_shown_is_said_in_a_line(desk: Desk) -> None:
    assert "which receiver?" in traced(desk)("trace", "2026/7").stderr
    desk.trace = []
    shown = desk("trace", "2026/7", "--traces", "http://receiver")
    assert (shown.exit_code, "the receiver has no span of trace" in shown.stderr) == (1, True)


def test_a_job_that_is_not_traced_says_why(desk: Desk) -> None:
    shown = traced(desk, None)("trace", "2026/7", "--traces", "http://receiver")
    assert "is not traced: OTEL_EXPORTER_OTLP_ENDPOINT" in shown.stderr


def test_an_invoice_that_was_not_sampled_has_its_jobs_spans(desk: Desk) -> None:
    traced(desk).trace = [span("1", None, "POST"), span("2", "1", "list")]
    shown = desk("trace", "2026/7", "--traces", "http://receiver")
    assert shown.output.splitlines()[-1].startswith("its own spans were not sampled")
