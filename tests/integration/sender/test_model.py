"""The model of tests/unit/sender/model against PostgreSQL: the same row on both sides after every step of a walk."""

import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest

from common.db.moves import apply_moves
from common.invoice.move import Move
from common.invoice.stage import Reason, Stage
from sender.adapters.postgres import PostgresClaims
from sender.domain import Claim, release, settle
from sender.domain.evidence import Absent, Finding, Found, LookupFailed, judge
from sender.ports import Key
from tests.integration.sender.rows import Desk, ready_row
from tests.unit.sender.model.core import ANSWERS, CHANCE, Core, Step
from tests.unit.sender.model.search import search
from tests.unit.sender.model.world import LEASE, RULES, TICK, Row, last_unclear

pytestmark = pytest.mark.stack

WALKS = 30
STEPS = 40
SEED = 20261124
IN_TIME = replace(RULES, key_life=(RULES.key_life or TICK) + timedelta(minutes=1))
"""Ticks are whole in the model and some milliseconds longer here."""
ONLY_THERE = ("another row takes the key", "the network doubles")


class Walked(Core):
    """Nothing is tidied away, so that attempts keep their numbers.

    Each walk has likings of its own: what happens often in one is rare in the next, or every answer would be written
    at once and every crash come early.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._likings: dict[str, float] = {}

    def steps(self, row: Row) -> Iterator[Step]:
        return (step for step in self._all(row) if not step.name.startswith(ONLY_THERE))

    def walk(self, row: Row) -> Step:
        steps = list(self.steps(row))
        return self._dice.choices(steps, [self._liking(step) for step in steps])[0]

    def _liking(self, step: Step) -> float:
        kind = "".join(letter for letter in step.name if not letter.isdigit())
        if kind not in self._likings:
            self._likings[kind] = self._dice.choice([0.02, 0.3, 1.0, 3.0])
        return self._likings[kind]


@dataclass(slots=True)
class Here:
    """The row in the database, and what the model's workers and sweep hold of it."""

    desk: Desk
    claims: PostgresClaims
    id: UUID
    held: dict[int, Claim] = field(default_factory=dict[int, Claim])
    finding: Finding | None = None

    async def follow(self, before: Row, step: Step) -> None:
        """Do in the database what `step` did in the model."""
        match step.name.split():
            case ["a", "tick"]:
                await self.desk.pass_time(self.id, TICK)
            case ["claim"]:
                await self.desk.database.execute("UPDATE invoices SET wake_at = now() WHERE id = $1", self.id)
                ((claim, _),) = await self.claims.claim(["0123456749"], 1, LEASE * TICK)
                self.held[len(before.attempts)] = claim
            case [_, "is", "written", "to", number]:
                await self._settle(before, int(number))
            case ["the", "lease", *_]:
                await self.claims.give_up([await self._leased()], Stage.UNKNOWN, "ran out")
            case ["looked", "up"]:
                await self._look(Found(("u",)) if before.accepted else Absent())
            case ["a", "lookup", "fails"]:
                await self._look(LookupFailed("503"))
            case ["concluded:", _]:
                assert self.finding is not None
                await self.desk.unknowns.conclude([self.finding])
            case ["the", "job", *_]:
                await self._cancel()
            case _:
                pass  # the network and the destination: nothing is written

    async def _settle(self, before: Row, number: int) -> None:
        (phase,) = [worker.phase for worker in before.workers if worker.attempt == number]
        claim = self.held[number]
        end = release(claim) if phase == "claimed" else settle(claim, ANSWERS[phase], CHANCE)
        await self.claims.settle([end])

    async def _leased(self) -> Key:  # as a sweep does
        version = await self.desk.database.fetchval(
            "UPDATE invoices SET version = version + 1 WHERE id = $1 RETURNING version", self.id
        )
        return self.id, version

    async def _look(self, evidence: Found | Absent | LookupFailed) -> None:
        (case,) = await self.desk.unknowns.cases([await self._leased()])
        self.finding = Finding(case, judge(case, evidence, RULES, CHANCE))

    async def _cancel(self) -> None:
        version = await self.desk.version(self.id)
        move = Move(self.id, version, Stage.VALIDATED, Stage.FAILED, Reason.CANCELLED)
        async with self.desk.database.transaction() as connection:
            assert len(await apply_moves(connection, [move], actor="fetcher")) == 1

    async def state(self) -> tuple[str, bool, list[str | None], int]:
        stage, _, maybe_sent = await self.desk.stage(self.id)
        rows = await self.desk.database.fetch(
            "SELECT outcome, absent FROM attempts WHERE invoice_id = $1 ORDER BY number", self.id
        )
        unclear = [row["absent"] for row in rows if row["outcome"] in {None, "unknown", "expired"}]
        return stage, maybe_sent, [row["outcome"] for row in rows], min(unclear[-1], 2) if unclear else 0


def state_of(row: Row) -> tuple[str, bool, list[str | None], int]:
    last = last_unclear(row)
    outcomes = [attempt.outcome.value if attempt.outcome else None for attempt in row.attempts]
    return row.stage.value, row.maybe_sent, outcomes, 0 if last is None else row.attempts[last].absent


@dataclass(slots=True)
class Walk:
    """The same row in the model and in the database."""

    here: Here
    row: Row = field(default_factory=Row)
    way: list[str] = field(default_factory=list[str])

    async def go(self, step: Step) -> None:
        self.way.append(step.name)
        await self.here.follow(self.row, step)
        self.row = step.row
        assert await self.here.state() == state_of(self.row), self.way
        for worker in self.row.workers:
            claim = self.here.held[worker.attempt]
            assert (claim.maybe_sent, claim.too_late) == (worker.maybe_sent, worker.too_late), self.way


@asynccontextmanager
async def walk_of(desk: Desk) -> AsyncGenerator[Walk]:
    yield (walk := Walk(Here(desk, PostgresClaims(desk.database, IN_TIME), await ready_row(desk.database))))
    await desk.database.execute("UPDATE invoices SET wake_at = NULL, stage = 'failed' WHERE id = $1", walk.here.id)
    assert await desk.alerts() == []


@pytest.mark.timeout(180)
async def test_the_model_and_the_database_say_the_same_of_a_row_after_every_step(desk: Desk) -> None:
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    for _ in range(WALKS):
        core = Walked(dice)
        async with walk_of(desk) as walk:
            for _ in range(STEPS):
                await walk.go(core.walk(walk.row))


OLDER = [(Stage.SENDING, answer, True) for answer in ANSWERS]
LAST = [(stage, answer, False) for stage in (Stage.UNKNOWN, Stage.HELD, Stage.SENT) for answer in ANSWERS]
NEVER = {(Stage.SENDING, "accepted", True), (Stage.HELD, "accepted", False)}
"""What was accepted is found by the lookups before. Where a person moved the row meanwhile: test_unknowns.py."""


@pytest.mark.parametrize(("stage", "answer", "older"), sorted({*OLDER, *LAST} - NEVER))
async def test_an_answer_that_comes_late_does_the_same_in_the_model_and_in_the_database(
    *, desk: Desk, stage: Stage, answer: str, older: bool
) -> None:
    def there(row: Row) -> str | None:
        """An answer of the last attempt, or of an older one, is about to be written while the row stands at `stage`."""
        last = len(row.attempts) - 1
        late = any(w.phase == answer and (w.attempt < last) is older for w in row.workers)
        return "there" if late and row.stage is stage else None

    core = Walked(random.Random(SEED))
    trace = search(core, Row(), promise=there).trace
    async with walk_of(desk) as walk:
        for name in trace:
            await walk.go(next(step for step in core.steps(walk.row) if step.name == name))
        writes = [step for step in core.steps(walk.row) if "written" in step.name]
        for step in writes:
            await walk.go(next(again for again in core.steps(walk.row) if again.name == step.name))
