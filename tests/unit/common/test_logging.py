"""Log lines: one JSON object of Elastic's fields each, and nothing of a document or a person in them."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from typing import Any

import asyncpg
import pytest
import structlog
from pydantic import BaseModel

from common.db.pool import translate
from common.observability.ecs import told
from common.observability.logging import RateLimit, configure_logging
from common.observability.tracing import Context, correlation_id, current, job_id, trace_id

NAMES = ("Ann Peeters", "Bakkerij De Smet", "ann@desmet.example", "BE0123456749", "Kerkstraat")
DOCUMENT = """<?xml version="1.0"?><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">
<cac:AccountingSupplierParty><cbc:Name>Bakkerij De Smet</cbc:Name><cbc:CompanyID>BE0123456749</cbc:CompanyID>
<cbc:StreetName>Kerkstraat 1</cbc:StreetName><cac:Contact><cbc:Name>Ann Peeters</cbc:Name>
<cbc:ElectronicMail>ann@desmet.example</cbc:ElectronicMail></cac:Contact></cac:AccountingSupplierParty></Invoice>"""

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """To be called after `configure_logging`, in the test: pytest gives it another standard output."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def own(line: Mapping[str, Any]) -> Any:
    return line["clearfacts"]


def test_a_line_has_the_fields_of_the_schema(lines: Lines) -> None:
    configure_logging(service="test")

    def say() -> None:
        correlation_id.set("correlation-1")
        job_id.set("job-1")
        current.set(Context("a" * 32, "b" * 16, sampled=True))
        structlog.get_logger().warning("row_parked", invoice="i-1", note="a\nb")

    copy_context().run(say)
    [line] = lines()
    assert line.pop("@timestamp").endswith("Z")
    assert line.pop("ecs.version")
    assert line == {
        "log.level": "warning",
        "message": "row_parked",
        "event.action": "row_parked",
        "service.name": "test",
        "trace.id": "a" * 32,
        "span.id": "b" * 16,
        "clearfacts": {"invoice": "i-1", "note": "a\nb", "correlation_id": "correlation-1", "job_id": "job-1"},
    }


def test_a_trace_that_was_handed_in_is_said_where_no_span_is_open(lines: Lines) -> None:
    configure_logging(service="test")

    def say() -> None:
        trace_id.set("c" * 32)
        structlog.get_logger().info("x")

    copy_context().run(say)
    assert [line["trace.id"] for line in lines()] == ["c" * 32]


def test_a_library_writes_the_same_lines(lines: Lines) -> None:
    configure_logging(service="test")
    logging.getLogger("library").warning("no %s", "broker")
    try:
        int("x" * 3)
    except ValueError:
        logging.getLogger("library").exception("failed")
    plain, failed = lines()
    assert (plain["log.level"], plain["log.logger"], plain["message"]) == ("warning", "library", "no broker")
    assert "event.action" not in plain
    assert (failed["error.type"], failed["error.message"]) == (
        "ValueError",
        "invalid literal for int() with base 10: <value>",
    )


def test_secrets_are_not_written(lines: Lines) -> None:
    configure_logging(service="test")
    structlog.get_logger("x").info("signed_in", access_token="s3cr3t", user="u", Password="s3cr3t", COOKIE=["s3cr3t"])
    [line] = lines()
    assert own(line) == {"access_token": "***", "user": "u", "Password": "***", "COOKIE": "***"}


def test_what_cannot_be_json_is_written_all_the_same(lines: Lines) -> None:
    configure_logging(service="test")
    structlog.get_logger().info("odd", half="\ud800", large=2**70, thing=object(), key={1: 2})
    [line] = lines()
    assert own(line)["large"] == 2**70


def failures() -> Iterator[Exception]:
    """As they come out of the libraries, with a document and a person in hand."""

    class Party(BaseModel):
        number: int

    fault = asyncpg.NotNullViolationError('null value in column "number" of relation "invoices" violates not-null')
    fault.detail = f"Failing row contains ({DOCUMENT})."
    syntax = asyncpg.InvalidTextRepresentationError(f'invalid input syntax for type uuid: "{NAMES[0]}"')
    for error in (fault, syntax):
        try:
            raise translate(error) from error  # noqa: TRY301
        except Exception as raised:  # noqa: BLE001 - what is raised is the point
            yield raised
    for call in (
        lambda: Party.model_validate({"number": DOCUMENT}),
        lambda: int(DOCUMENT),
        lambda: {}[NAMES[0]],
        lambda: DOCUMENT.encode("ascii").decode().index(NAMES[0] + "?"),
    ):
        try:
            call()
        except Exception as raised:  # noqa: BLE001
            yield raised


def test_no_document_and_no_person_is_written_whatever_an_error_says(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="test")
    log = structlog.get_logger()
    for error in failures():
        log.warning("row_parked", error=str(error), cause=f"the verdict cannot be stored: {error}", why=str(error))
        log.error("failed", exc_info=error)
        logging.getLogger("asyncio").error("never retrieved: %r", error, exc_info=error)
    log.critical("ended_by_a_defect", exc_info=ExceptionGroup("several", list(failures())))
    written = capsys.readouterr().out
    assert written.count("\n") >= 14
    assert [name for name in (*NAMES, "<Invoice", "cbc:Name") if name in written] == []
    assert "NotNullViolationError" in written
    assert 'column \\"number\\" of relation \\"invoices\\"' in written


def test_a_text_is_told_without_what_it_quotes() -> None:
    said = 'refused "Ann": not \'Ann\' of relation "jobs", it is Ann\'s\nDETAIL: Ann'
    assert told(said) == 'refused <value>: not <value> of relation "jobs", it is Ann\'s'


def test_a_library_that_says_the_same_a_hundred_times_a_second_is_heard_twice() -> None:
    limit = RateLimit(per_second=2.0)
    record = logging.LogRecord("aiokafka", logging.WARNING, "f", 1, "no broker %s", ("x",), None)
    other = logging.LogRecord("aiokafka", logging.WARNING, "f", 1, "another text", (), None)
    heard = 0
    for number in range(100):
        record.created = 1000.0 + number / 100
        heard += limit.filter(record)
    assert heard == 2
    other.created = record.created
    assert limit.filter(other)
