"""Waiting is bounded and in slices."""

from datetime import timedelta

import pytest

from common.clock import Clock
from common.errors import DatabaseTimeout, InfrastructureError, PermanentError
from common.kafka.patience import Patience


class Step:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


async def test_a_step_is_repeated_until_its_infrastructure_is_there() -> None:
    step = Step(InfrastructureError("away"), DatabaseTimeout("slow"))
    await Patience().insist(step)
    assert step.calls == 3


async def test_a_step_that_can_never_work_is_not_repeated() -> None:
    step = Step(PermanentError("wrong"))
    with pytest.raises(PermanentError):
        await Patience().insist(step)
    assert step.calls == 1


async def test_after_the_limit_the_last_error_is_raised() -> None:
    seconds = iter([0.0, 1.0, 119.9])
    patience = Patience(timedelta(seconds=120), Clock(monotonic=lambda: next(seconds)))
    step = Step(InfrastructureError("first"), InfrastructureError("last"))
    with pytest.raises(InfrastructureError, match="last"):
        await patience.insist(step)


async def test_two_steps_share_one_budget() -> None:
    now = 0.0
    patience = Patience(timedelta(seconds=10), Clock(monotonic=lambda: now))
    await patience.insist(Step())
    now = 11.0
    step = Step(InfrastructureError("away"))
    with pytest.raises(InfrastructureError):
        await patience.insist(step)
    assert step.calls == 1
