"""Many rows, one clock, one process that dies, one destination that is down for all of them at once."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.sender.model.core import Core, Step, broken_promise
from tests.unit.sender.model.world import ENDS, Row, may_tick, tick

ROWS = 6
ROUNDS = 40
"""How many rounds a row may need to its end once nothing is broken any more; a round lasts a tick at most."""
CORE = Core()


class ManyRows(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.rows = [Row() for _ in range(ROWS)]

    def _do(self, number: int, step: Step) -> None:
        assert step.broken is None, step
        self.rows[number] = step.row

    @rule(number=st.integers(0, ROWS - 1), pick=st.integers(0, 30))
    def anything(self, number: int, pick: int) -> None:
        steps = [step for step in CORE.steps(self.rows[number]) if step.name != "a tick"]
        if steps:
            self._do(number, steps[pick % len(steps)])

    @rule()
    @precondition(lambda self: all(map(may_tick, self.rows)))
    def time_passes(self) -> None:
        self.rows = [tick(row) for row in self.rows]

    @rule()
    def everything_due_is_claimed(self) -> None:
        self._all("claim")

    @rule()
    def a_sweep_looks_up_what_is_unknown(self) -> None:
        self._all("looked up")

    @rule()
    def the_destination_is_down_for_every_lookup(self) -> None:
        self._all("a lookup fails")

    @rule()
    def the_process_is_killed(self) -> None:
        self.rows = [row._replace(workers=(), finding=None) for row in self.rows]

    def _all(self, name: str) -> None:
        for number, row in enumerate(self.rows):
            for step in CORE.steps(row):
                if step.name == name:
                    self._do(number, step)

    @invariant()
    def promises_hold(self) -> None:
        assert [promise for promise in map(broken_promise, self.rows) if promise] == []

    def teardown(self) -> None:
        """Nothing is broken any more: every row finds its end by itself, and keeps the promises there."""
        for row in self.rows:
            ended = healed(row)
            assert ended.stage in ENDS, ended
            assert broken_promise(ended) is None, ended


def healed(row: Row) -> Row:
    """The row after what happens by itself has happened: each thing once a round, then a tick."""
    for _ in range(ROUNDS):
        done: set[str] = set()
        while step := next((s for s in CORE.steps(row) if s.good and s.name not in {*done, "a tick"}), None):
            done.add(step.name)
            row = step.row
        row = tick(row) if may_tick(row) else row
        if row.stage in ENDS and not (row.workers or row.requests):
            break
    return row


TestManyRows = ManyRows.TestCase
TestManyRows.settings = settings(max_examples=60, stateful_step_count=80, deadline=None, database=None, print_blob=True)
