"""What a verdict makes of a row."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InfrastructureError, RetryableError
from common.invoice.stage import Reason, Stage
from ubl.verdict import Finding, Layer, Severity, Verdict
from validator.adapters.workers import CHUNK, Apart, WorkerValidation, to_judged
from validator.domain import MAX_FINDINGS, Document, Judged, move, parked

ROW = Document(uuid4(), 4, b"<a/>")


def finding(rule: str, severity: Severity = Severity.FATAL, message: str = "no") -> Finding:
    return Finding(rule, severity, Layer.LOCAL, message)


def test_a_valid_document_moves_on_with_its_warnings_and_the_rules_version() -> None:
    warning = finding("W-1", Severity.WARNING)
    made = move(ROW, to_judged(Verdict("basic", "r-1", valid=True, findings=(warning,))))
    assert (made.id, made.version, made.from_, made.to) == (ROW.id, 4, Stage.FETCHED, Stage.VALIDATED)
    assert (made.reason, made.error, made.details) == (None, None, {"ruleset": "r-1"})
    assert made.findings is not None
    assert made.findings[0]["rule"] == "W-1"


def test_an_invalid_document_fails_with_its_first_fatal_finding_in_one_line() -> None:
    findings = (finding("W-1", Severity.WARNING), finding("F-1"), finding("F-2"))
    made = move(ROW, to_judged(Verdict("basic", "r-1", valid=False, findings=findings)))
    assert (made.to, made.reason, made.error) == (Stage.FAILED, Reason.INVALID, "F-1: no")


def test_a_verdict_without_findings_stores_none() -> None:
    assert move(ROW, Judged(valid=True, ruleset="r", findings=(), summary=None)).findings is None


def test_a_verdict_that_cannot_be_stored_parks_the_row_with_the_cause() -> None:
    made = parked(ROW.id, ROW.version, "22P05: " + "x" * 2000)
    assert (made.to, made.reason, made.findings) == (Stage.FAILED, Reason.PARKED, None)
    assert made.error is not None
    assert len(made.error) == 1000


@given(st.booleans(), st.integers(0, 300), st.text(max_size=3000))
def test_whatever_the_verdict_the_move_is_legal_and_bounded(valid: bool, count: int, message: str) -> None:  # noqa: FBT001
    findings = tuple(finding(f"F-{n}", message=message) for n in range(count))
    made = move(ROW, to_judged(Verdict("basic", "r", valid, findings)))
    assert made.to is (Stage.VALIDATED if valid else Stage.FAILED)
    assert made.findings is None or len(made.findings) <= MAX_FINDINGS
    assert made.error is None or len(made.error) <= 1000


class Workers:
    """Answers with the document's own bytes as ruleset; dies of poison, or of whatever is in hand `unlucky` times."""

    def __init__(self, *, unlucky: int = 0) -> None:
        self.unlucky = unlucky
        self.sizes: list[int] = []

    async def run(self, function: object, profile: str, chunk: list[bytes]) -> list[Verdict]:
        self.sizes.append(len(chunk))
        if self.unlucky or b"poison" in chunk:
            self.unlucky = max(0, self.unlucky - 1)
            raise RetryableError("a worker process died with this batch in hand")
        return [Verdict("basic", document.decode(), valid=True) for document in chunk]


def validation(workers: Workers) -> WorkerValidation:
    return WorkerValidation(workers.run, Apart(workers.run), "basic")


async def rulesets(workers: Workers, documents: list[bytes]) -> list[bytes | None]:
    return [answer and answer.ruleset.encode() for answer in await validation(workers)(documents)]


DOCUMENTS = [str(n).encode() for n in range(2 * CHUNK + 1)]


async def test_a_batch_is_shared_in_chunks_and_answered_in_order() -> None:
    workers = Workers()
    assert await rulesets(workers, DOCUMENTS) == DOCUMENTS
    assert workers.sizes == [CHUNK, CHUNK, 1]


async def test_no_documents_are_no_work() -> None:
    workers = Workers()
    assert await validation(workers)([]) == []
    assert workers.sizes == []


async def test_a_worker_that_is_killed_costs_time_and_no_document() -> None:
    workers = Workers(unlucky=1)
    assert await rulesets(workers, DOCUMENTS[:5]) == DOCUMENTS[:5]
    assert workers.sizes == [5, 1, 1, 1, 1, 1]


async def test_a_document_that_ends_its_worker_alone_has_no_answer_and_the_others_are_judged_at_once() -> None:
    workers = Workers()
    assert await rulesets(workers, [b"one", b"poison", b"two"]) == [b"one", None, b"two"]
    assert workers.sizes == [3, 1, 1, 1]


async def test_another_failure_is_not_taken_for_a_death() -> None:
    async def run(*_: object) -> list[Verdict]:
        raise InfrastructureError("not this")

    with pytest.raises(InfrastructureError):
        await WorkerValidation(run, Apart(run), "basic")([b"one"])
