"""One row, its attempts, who has it in hand, what is on its way, and what the destination has. Values only.

Times are ages in ticks and stop growing where nothing depends on them any more, so that the states are finitely many.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from common.invoice.stage import Stage
from sender.domain import Outcome
from sender.domain.evidence import Case, Rules, Trial

TICK = timedelta(hours=1)
DEADLINE, LEASE, SETTLE = 1, 1, 1
LATEST = 4
"""A request may arrive this late: beyond lease and two settles, so that it may slip in behind the second lookup."""
KEY_LIFE, KEY_MARGIN = 6, 1
"""The destination forgets a key after 6; a request that leaves before 5 arrives while it is known."""
OLD = KEY_LIFE - KEY_MARGIN
"""Nothing depends on how much older an attempt is."""
RULES = Rules(lookup=True, settle=SETTLE * TICK, key_life=KEY_LIFE * TICK, key_margin=KEY_MARGIN * TICK)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROW = UUID(int=1)
UNCLEAR = frozenset({None, Outcome.UNKNOWN, Outcome.EXPIRED})
_TIDIED = frozenset({Outcome.NOT_ACCEPTED, Outcome.RELEASED, Outcome.REFUSED})
_TIMED = frozenset({"claimed", "flying"})
ENDS = frozenset({Stage.SENT, Stage.FAILED, Stage.HELD})


class Attempt(NamedTuple):
    """`looked`: ticks since the last lookup that counted."""

    outcome: Outcome | None = None
    age: int = 0
    absent: int = 0
    looked: int | None = None


class Worker(NamedTuple):
    """Somebody who claimed attempt number `attempt`. `fresh`: the row still stands at the version of that claim."""

    attempt: int
    phase: str = "claimed"  # then flying, then one of the answers
    fresh: bool = True
    age: int = 0
    """Since the claim, then since the request left."""
    left: int = LEASE
    """How long after the claim it may leave: the lease, or what is left of the key."""
    maybe_sent: bool = False
    too_late: bool = False
    found: bool = False


class Request(NamedTuple):
    """On its way to the destination; `copy`: the network made it, nobody waits for its answer."""

    attempt: int
    age: int = 0
    copy: bool = False


class Row(NamedTuple):
    stage: Stage = Stage.VALIDATED
    maybe_sent: bool = False
    attempts: tuple[Attempt, ...] = ()
    workers: tuple[Worker, ...] = ()
    requests: tuple[Request, ...] = ()
    accepted: tuple[int, ...] = ()
    """The documents that the destination took for this row, by age."""
    finding: str | None = None
    """What a sweep found out and has not written yet; forgotten once the row stands at another version."""
    cleared: bool = False
    """An attempt that is proven not to have been accepted was tidied away."""
    successor: bool = False
    """Another row took the key, and was sent."""

    @property
    def evidence(self) -> bool:
        """Whether an acceptance is written down."""
        return any(attempt.outcome is Outcome.ACCEPTED for attempt in self.attempts)

    def unclear_age(self) -> int | None:
        """Since the first attempt of which nobody knows the outcome."""
        return max((attempt.age for attempt in self.attempts if attempt.outcome in UNCLEAR), default=None)


def tick(row: Row) -> Row:
    """Everything is one tick older."""
    return row._replace(
        attempts=tuple(
            a._replace(age=min(a.age + 1, OLD), looked=None if a.looked is None else min(a.looked + 1, SETTLE))
            if a.outcome in UNCLEAR
            else a
            for a in row.attempts
        ),
        workers=tuple(w._replace(age=min(w.age + 1, LEASE)) if w.phase in _TIMED else w for w in row.workers),
        requests=tuple(r._replace(age=r.age + 1) for r in row.requests),
        accepted=tuple(min(age + 1, KEY_LIFE) for age in row.accepted),
    )


def may_tick(row: Row) -> bool:
    """A request that can be no later has to arrive, or be lost, first; so has an answer at its deadline."""
    late = any(request.age >= LATEST for request in row.requests)
    return not late and not any(w.phase == "flying" and w.age >= DEADLINE for w in row.workers)


def moved(row: Row, stage: Stage, *, maybe_sent: bool | None) -> Row:
    """A new version: whoever held the old one is stale."""
    return row._replace(
        stage=stage,
        maybe_sent=row.maybe_sent if maybe_sent is None else maybe_sent,
        workers=tuple(worker._replace(fresh=False) for worker in row.workers),
        finding=None,
    )


def with_attempt(row: Row, number: int, attempt: Attempt) -> Row:
    return row._replace(attempts=(*row.attempts[:number], attempt, *row.attempts[number + 1 :]))


def without(row: Row, worker: Worker) -> Row:
    workers = list(row.workers)
    workers.remove(worker)
    return row._replace(workers=tuple(workers))


def replaced(row: Row, worker: Worker, by: Worker) -> Row:
    rest = without(row, worker)
    return rest._replace(workers=tuple(sorted((*rest.workers, by))))


def arrived(row: Row, request: Request, *, taken: bool) -> Row:
    """The destination has the request now; `taken`: it makes a document of it, unless it still knows the key."""
    requests = list(row.requests)
    requests.remove(request)
    known = any(age < KEY_LIFE for age in row.accepted)
    accepted = row.accepted if known or not taken else (*row.accepted, 0)
    return row._replace(requests=tuple(requests), accepted=accepted)


def tidied(row: Row) -> Row:
    """Without what makes no difference: attempts that are proven not accepted, and lookups before the last attempt."""
    if not _untidy(row):
        return row
    last = last_unclear(row)
    attempts = tuple(
        a._replace(absent=0, looked=None) if n != last and (a.absent or a.looked is not None) else a
        for n, a in enumerate(row.attempts)
    )
    referred = {worker.attempt for worker in row.workers} | {request.attempt for request in row.requests}
    clear = {Outcome.NOT_ACCEPTED, Outcome.RELEASED, Outcome.REFUSED if last is None else Outcome.RELEASED}
    drop = {n for n, attempt in enumerate(attempts) if attempt.outcome in clear and n not in referred}
    if not drop:
        return row._replace(attempts=attempts)
    place = {n: n - sum(d < n for d in drop) for n in range(len(attempts)) if n not in drop}
    return row._replace(
        attempts=tuple(attempt for n, attempt in enumerate(attempts) if n not in drop),
        workers=tuple(worker._replace(attempt=place[worker.attempt]) for worker in row.workers),
        requests=tuple(request._replace(attempt=place[request.attempt]) for request in row.requests),
        cleared=True,
    )


def _untidy(row: Row) -> bool:
    """Whether `tidied` may find anything: most steps change none of it."""
    if any(attempt.outcome in _TIDIED for attempt in row.attempts):
        return True
    return any(attempt.absent or attempt.looked is not None for attempt in row.attempts[:-1])


def last_unclear(row: Row) -> int | None:
    """The number of the attempt to which lookups are written."""
    return max((n for n, attempt in enumerate(row.attempts) if attempt.outcome in UNCLEAR), default=None)


def case_of(row: Row) -> Case:
    """The row as the sender reads it before it judges."""
    tidy: Iterable[Attempt] = [Attempt(Outcome.NOT_ACCEPTED, OLD)] if row.cleared else []
    return Case(ROW, 1, ROW, NOW, [_trial(n, a) for n, a in enumerate((*tidy, *row.attempts))])


def _trial(number: int, attempt: Attempt) -> Trial:
    started = NOW - attempt.age * TICK
    return Trial(
        number=number,
        started_at=started,
        lease_until=started + LEASE * TICK,
        outcome=attempt.outcome,
        uuid="u" if attempt.outcome is Outcome.ACCEPTED else None,
        absent=attempt.absent,
        looked_up_at=None if attempt.looked is None else NOW - attempt.looked * TICK,
    )
