"""What may happen to a row next. The decisions are the product's own; the broken variants override one of them."""

import random
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, assert_never

from common.invoice.stage import Stage
from sender.domain import (
    Accepted,
    Delivery,
    NotAccepted,
    Outcome,
    OutcomeUnknown,
    Refused,
    Settlement,
    release,
    settle,
)
from sender.domain.evidence import Absent, Evidence, Found, Hold, LookAgain, LookupFailed, Proven, Rules, SendAgain
from sender.domain.evidence import judge as judge_
from tests.unit.sender.fakes import make_claim
from tests.unit.sender.model.world import (
    DEADLINE,
    LEASE,
    OLD,
    RULES,
    TICK,
    UNCLEAR,
    Attempt,
    Request,
    Row,
    Worker,
    arrived,
    case_of,
    last_unclear,
    may_tick,
    moved,
    replaced,
    tick,
    tidied,
    with_attempt,
    without,
)

CHANCE = random.Random(1)
MOST_ATTEMPTS = 3
MOST_WORKERS = 2
ANSWERS: dict[str, Delivery] = {
    "accepted": Accepted("u", {}),
    "refused": Refused("X", "wrong", {}),
    "not_accepted": NotAccepted("denied"),
    "unknown": OutcomeUnknown("reset"),
}


class Step(NamedTuple):
    """`good`: it happens by itself once nothing is broken any more. `broken`: it did what no step may do."""

    name: str
    row: Row
    good: bool = True
    broken: str | None = None


class Core:
    """The sender as it is. What is written in SQL there (compare-and-set, who holds a key) is here in Python."""

    rules: Rules = RULES
    after_lease = Stage.UNKNOWN

    def is_mine(self, worker: Worker) -> bool:
        """The compare-and-set: whether a row in `sending` still stands at the version of this claim."""
        return worker.fresh

    def frees_its_key(self, row: Row) -> bool:
        return row.stage is Stage.FAILED and not row.maybe_sent

    def steps(self, row: Row) -> Iterator[Step]:
        """Everything that may happen next."""
        for step in self._all(row):
            yield step._replace(row=tidied(step.row))

    def _all(self, row: Row) -> Iterator[Step]:
        if may_tick(row):
            yield Step("a tick", tick(row))
        yield from self._row_steps(row)
        for worker in dict.fromkeys(row.workers):
            yield from self._worker_steps(row, worker)
        for request in dict.fromkeys(row.requests):
            yield from self._network_steps(row, request)

    def _row_steps(self, row: Row) -> Iterator[Step]:
        if row.stage is Stage.VALIDATED:
            if len(row.attempts) < MOST_ATTEMPTS and len(row.workers) < MOST_WORKERS:
                yield Step("claim", self._claimed(row))
            yield Step("the job is cancelled", moved(row, Stage.FAILED, maybe_sent=None), good=False)
        if row.stage is Stage.SENDING and row.attempts[-1].age >= LEASE:
            yield Step("the lease runs out", self._given_up(row))
        if row.stage is Stage.UNKNOWN and row.finding is None:
            yield from self._lookups(row)
        if row.finding is not None:
            yield Step(f"concluded: {row.finding}", self._concluded(row, row.finding))
            yield Step("the sweep crashes", row._replace(finding=None), good=False)
        if self.frees_its_key(row) and not row.successor:
            yield Step("another row takes the key and is sent", row._replace(successor=True), good=False)

    def time_to_leave(self, row: Row) -> int:
        """How long after a claim its request may leave: what is left of the lease, and of an earlier attempt's key."""
        if not row.maybe_sent:
            return LEASE
        within, unclear = self.rules.resend_within, row.unclear_age()
        return 0 if within is None or unclear is None else max(0, min(LEASE, within // TICK - unclear))

    def _claimed(self, row: Row) -> Row:
        left = self.time_to_leave(row)
        worker = Worker(
            len(row.attempts), left=left, maybe_sent=row.maybe_sent, too_late=left < LEASE, found=row.evidence
        )
        claimed = moved(row, Stage.SENDING, maybe_sent=None)
        workers = tuple(sorted((*claimed.workers, worker)))
        return claimed._replace(attempts=(*row.attempts, Attempt()), workers=workers)

    def _given_up(self, row: Row) -> Row:
        last = len(row.attempts) - 1
        if row.attempts[last].outcome is None:
            row = with_attempt(row, last, row.attempts[last]._replace(outcome=Outcome.EXPIRED))
        if row.evidence:
            return moved(row, Stage.SENT, maybe_sent=False)
        return moved(row, self.after_lease, maybe_sent=True if self.after_lease is Stage.UNKNOWN else None)

    # Lookups

    def _lookups(self, row: Row) -> Iterator[Step]:
        leased = moved(row, Stage.UNKNOWN, maybe_sent=None)  # the sweep's lease is a new version
        truth: Evidence = Found(("u",)) if row.accepted else Absent()
        yield Step("looked up", leased._replace(finding=self._verdict(row, truth)))
        failed = leased._replace(finding=self._verdict(row, LookupFailed("503")))
        yield Step("a lookup fails", failed, good=False)

    def _verdict(self, row: Row, evidence: Evidence) -> str:
        return _judged(row._replace(workers=(), requests=(), accepted=(), finding=None), evidence, self.rules)

    def _concluded(self, row: Row, verdict: str) -> Row:
        if row.evidence or verdict == "proven":
            return moved(_as_found(row), Stage.SENT, maybe_sent=False)
        if verdict in {"absent", "again", "hold"}:
            row = _as_absent(row)
        match verdict:
            case "again":
                return moved(row, Stage.VALIDATED, maybe_sent=None)
            case "free":
                return moved(row, Stage.VALIDATED, maybe_sent=False)
            case "hold":
                return moved(row, Stage.HELD, maybe_sent=None)
            case _:
                return row._replace(finding=None)

    # Workers

    def _worker_steps(self, row: Row, worker: Worker) -> Iterator[Step]:
        yield Step(f"the sender of {worker.attempt} crashes", without(row, worker), good=False)
        match worker.phase:
            case "claimed":
                may_leave = worker.age + DEADLINE <= worker.left and not worker.found
                released = self._settled(row, worker, "released")
                yield released._replace(good=not may_leave)
                if may_leave:
                    flying = replaced(row, worker, worker._replace(phase="flying", age=0))
                    requests = (*row.requests, Request(worker.attempt))
                    yield Step(f"{worker.attempt} leaves", flying._replace(requests=requests))
            case "flying":
                if worker.age >= DEADLINE:
                    yield Step(f"no answer for {worker.attempt}", _answered(row, worker, "unknown"))
            case answer:
                yield self._settled(row, worker, answer)

    def _settled(self, row: Row, worker: Worker, answer: str) -> Step:
        end = _end(answer, maybe_sent=worker.maybe_sent, too_late=worker.too_late)
        name = f"{end.outcome} is written to {worker.attempt}"
        attempt, row = row.attempts[worker.attempt], without(row, worker)
        known = row.evidence
        if attempt.outcome is not Outcome.ACCEPTED:
            unclear = end.outcome in UNCLEAR
            row = with_attempt(
                row, worker.attempt, attempt._replace(outcome=end.outcome, age=attempt.age if unclear else OLD)
            )
        if row.stage is Stage.SENDING and self.is_mine(worker):
            other = worker.attempt != len(row.attempts) - 1
            broken = "an attempt in flight was moved by another's answer" if other else None
            sent = known or end.outcome is Outcome.ACCEPTED
            to, maybe_sent = (Stage.SENT, False) if sent else (end.to, end.maybe_sent)
            return Step(name, moved(row, to, maybe_sent=maybe_sent), broken=broken)
        late = {Stage.UNKNOWN, Stage.HELD, Stage.VALIDATED, Stage.FAILED}
        if end.outcome is Outcome.ACCEPTED and row.stage in late:
            row = moved(row, Stage.SENT, maybe_sent=False)
        return Step(name, row)

    # The network and the destination

    def _network_steps(self, row: Row, request: Request) -> Iterator[Step]:
        number = request.attempt
        taken, untaken = arrived(row, request, taken=True), arrived(row, request, taken=False)
        waiting = next((w for w in row.workers if w.attempt == number and w.phase == "flying"), None)
        if not request.copy:
            copy = row._replace(requests=(*row.requests, request._replace(copy=True)))
            if not any(other.copy for other in row.requests):
                yield Step(f"the network doubles {number}", copy, good=False)
        yield Step(f"{number} is lost", untaken, good=False)
        yield Step(f"{number} arrives, its answer is lost", taken, good=waiting is None or request.copy)
        if waiting is None or request.copy:
            return
        yield Step(f"{number} is accepted", _answered(taken, waiting, "accepted"))
        # A destination that takes one copy and refuses the other would be lying, as one that denies what it has.
        doubled = any(other.copy and other.attempt == number for other in row.requests)
        if not row.accepted and not doubled:
            yield Step(f"{number} is refused", _answered(untaken, waiting, "refused"), good=False)
            yield Step(f"{number} is not accepted", _answered(untaken, waiting, "not_accepted"), good=False)


def broken_promise(row: Row) -> str | None:
    """What must hold in every state."""
    if len(row.accepted) + row.successor > 1:
        return "sent twice"
    if row.stage is Stage.SENT and not row.accepted:
        return "said to be sent, and was not"
    if row.accepted and row.stage is Stage.FAILED and not row.maybe_sent:
        return "sent, and said to have failed"
    return None


def _answered(row: Row, worker: Worker, answer: str) -> Row:
    return replaced(row, worker, worker._replace(phase=answer, age=0, left=0))


@cache
def _end(answer: str, *, maybe_sent: bool, too_late: bool) -> Settlement:
    """The product's own decision."""
    claim = make_claim(maybe_sent=maybe_sent, too_late=too_late)
    return release(claim) if answer == "released" else settle(claim, ANSWERS[answer], CHANCE)


@cache
def _judged(row: Row, evidence: Evidence, rules: Rules) -> str:
    verdict = judge_(case_of(row), evidence, rules, CHANCE)
    match verdict:
        case Proven():
            return "proven"
        case LookAgain(absent=absent):
            return "absent" if absent else "wait"
        case SendAgain(cleared=cleared):
            return "free" if cleared else "again"
        case Hold():
            return "hold"
        case _:
            assert_never(verdict)


def _as_found(row: Row) -> Row:
    last = last_unclear(row)
    return row if last is None else with_attempt(row, last, Attempt(Outcome.ACCEPTED, OLD))


def _as_absent(row: Row) -> Row:
    last = last_unclear(row)
    if last is None:
        return row
    attempt = row.attempts[last]
    return with_attempt(row, last, attempt._replace(absent=min(attempt.absent + 1, 2), looked=0))
