"""What becomes of a row whose outcome nobody knows. Pure: attempts, an answer and the time in, a verdict out.

Found is proof at any time. Absent is proof only once a request can no longer be on its way, so it has to be said
twice, `settle` apart, after the last unclear attempt's lease and settle. Even then the row is sent again only under a
key that the destination still knows: what was late by more than all that is then the same document and not a second.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never
from uuid import UUID

from sender.domain import retry
from sender.domain.settlement import Outcome

LOOKUPS = 2
"""How often a destination has to say that it does not have a document."""
_FAILED_LOOKUP = timedelta(seconds=30)
_UNCLEAR = frozenset({None, Outcome.UNKNOWN, Outcome.EXISTS, Outcome.EXPIRED})


@dataclass(frozen=True, slots=True)
class Rules:
    """What the destination can do, and how long things take there."""

    lookup: bool
    settle: timedelta
    key_life: timedelta | None
    """How long an Idempotency-Key protects; None where there is none."""
    key_margin: timedelta = timedelta(0)
    """How long before that a request has to leave, so that it arrives in time."""

    @property
    def resend_within(self) -> timedelta | None:
        """How long after the start of the first unclear attempt another may leave; None: never."""
        return None if self.key_life is None or not self.lookup else self.key_life - self.key_margin


@dataclass(frozen=True, slots=True)
class Found:
    """The destination has it, under these ids; more than one is a duplicate."""

    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """The destination says that it has nothing under the reference."""


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """No answer, or none that says anything."""

    why: str


Evidence: TypeAlias = Found | Absent | LookupFailed


@dataclass(frozen=True, slots=True)
class Trial:
    """An attempt as evidence. `absent` counts the lookups that may conclude, the last at `looked_up_at`."""

    number: int
    started_at: datetime
    lease_until: datetime
    outcome: Outcome | None
    uuid: str | None = None
    absent: int = 0
    looked_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """An unknown row as it was read `at`, with all attempts of its reference, oldest first."""

    id: UUID
    version: int
    reference: UUID
    at: datetime
    trials: Sequence[Trial]
    failures: int = 0
    failing_for: timedelta = timedelta(0)
    document: bool = True
    """Whether there is anything to send: a row that was made from what Kafka remembers has none."""

    @property
    def unclear(self) -> Sequence[Trial]:
        return [trial for trial in self.trials if trial.outcome in _UNCLEAR]

    @property
    def accepted(self) -> tuple[str, ...]:
        """The uuids that are written to attempts already, each once."""
        return tuple(dict.fromkeys(t.uuid for t in self.trials if t.outcome is Outcome.ACCEPTED and t.uuid))


@dataclass(frozen=True, slots=True)
class Proven:
    """It is there: the row is sent. More than one uuid: somebody has to look."""

    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookAgain:
    """The row stays unknown for `wait`; `absent` says that the answer counts."""

    wait: timedelta
    absent: bool = False


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The row may be claimed again after `wait`. `cleared`: it is proven that nothing was ever accepted."""

    wait: timedelta
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Only a person can tell. `absent` says that the answer of a lookup counts."""

    why: str
    absent: bool = False


Verdict: TypeAlias = Proven | LookAgain | SendAgain | Hold


@dataclass(frozen=True, slots=True)
class Finding:
    """A case with its verdict."""

    case: Case
    verdict: Verdict


def needs_lookup(case: Case, rules: Rules) -> bool:
    """Whether the attempts alone do not say it, and there is somebody to ask."""
    return rules.lookup and not case.accepted and bool(case.unclear)


def judge(case: Case, evidence: Evidence | None, rules: Rules, chance: random.Random) -> Verdict:
    """What the attempts and the answer of a lookup, if one was made, say about a row."""
    if case.accepted:
        return Proven(case.accepted)
    if case.trials and not case.unclear:  # late answers have proven each attempt not accepted
        return SendAgain(timedelta(0), cleared=True)
    if evidence is None:
        return Hold("the destination cannot be asked")
    match evidence:
        case Found(uuids=uuids):
            return Proven(uuids)
        case LookupFailed():
            return LookAgain(min(_FAILED_LOOKUP, rules.settle) * (0.5 + chance.random()))
        case Absent():
            return _absent(case, rules, chance)
        case _:
            assert_never(evidence)


def _absent(case: Case, rules: Rules, chance: random.Random) -> Verdict:
    if not case.unclear:
        return Hold("it is marked as perhaps sent, and no attempt of it is known")
    last = case.unclear[-1]
    counts_from = max(t.lease_until for t in case.unclear) + rules.settle
    if last.looked_up_at is not None:
        counts_from = max(counts_from, last.looked_up_at + rules.settle)
    if case.at < counts_from:
        return LookAgain(counts_from - case.at)
    if last.absent + 1 < LOOKUPS:
        return LookAgain(rules.settle, absent=True)
    if why := _why_not_again(case, rules):
        return Hold(why, absent=True)
    return SendAgain(retry.pause(case.failures, case.failing_for, chance))


def _why_not_again(case: Case, rules: Rules) -> str | None:
    reasons = (
        (
            any(trial.outcome is Outcome.EXISTS for trial in case.unclear),
            "the destination says that it has the document, but not under our reference",
        ),
        (
            any(trial.outcome is Outcome.REFUSED for trial in case.trials),
            "the destination refused it when it was sent again, and has nothing of before",
        ),
        (not case.document, "its document is not here: the row was recovered after a loss of data"),
        (
            rules.resend_within is None,
            "the destination has no key that would keep a second sending from being a second document",
        ),
        (
            case.at >= case.unclear[0].started_at + (rules.resend_within or timedelta(0)),
            "the key that keeps a second sending from being a second document may be forgotten there",
        ),
        (retry.exhausted(case.failing_for), "it was tried for 72 hours"),
    )
    return next((why for applies, why in reasons if applies), None)
