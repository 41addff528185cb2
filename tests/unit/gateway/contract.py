"""What every `Jobs` must do: the fake that the unit tests use, and PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.domain.access import Caller, User
from gateway.domain.faults import IdempotencyKeyReused, TooManyJobs
from gateway.domain.orders import MOST_OPEN_DRY_RUNS, MOST_OPEN_JOBS, Order, Placed
from gateway.ports import Jobs
from tests.unit.gateway.fakes import NOON

CALLER = Caller("192.0.2.7", "test", "follow-me-1")


def placed(someone: User, order: Order | None = None, *, key: str | None = None) -> Placed:
    return Placed(
        job_id=uuid4(),
        order=order or Order(),
        user=someone,
        caller=CALLER,
        at=NOON,
        estimated_completion=NOON + timedelta(minutes=5),
        idempotency_key=key,
    )


async def check_jobs(jobs: Jobs, ann: User, bob: User) -> None:
    """`ann` and `bob` exist."""
    first = placed(ann, key="k")
    receipt = await jobs.place(first)
    assert (receipt.job_id, receipt.replayed) == (first.job_id, False)

    again = await jobs.place(placed(ann, key="k"))
    assert (again.job_id, again.estimated_completion) == (first.job_id, first.estimated_completion)
    assert again.replayed

    with pytest.raises(IdempotencyKeyReused):
        await jobs.place(placed(ann, Order(invoice_ids=("A",)), key="k"))

    for other in (placed(bob, key="k"), placed(ann, key="another"), placed(ann), placed(ann)):
        assert (await jobs.place(other)).job_id == other.job_id
    await check_dry_runs(jobs, ann)
    await check_most(jobs, ann, first)
    assert await jobs.job(uuid4()) is None
    assert await jobs.pace() is None


async def check_dry_runs(jobs: Jobs, ann: User) -> None:
    """They count beside the jobs, and no key is good for both."""
    dry = Order(dry_run=True)
    with pytest.raises(IdempotencyKeyReused):
        await jobs.place(placed(ann, dry, key="k"))
    first = placed(ann, dry, key="dry")
    assert (await jobs.place(first)).job_id == first.job_id
    again = await jobs.place(placed(ann, dry, key="dry"))
    assert (again.job_id, again.estimated_completion, again.replayed) == (
        first.job_id, first.estimated_completion, True,
    )  # fmt: skip
    with pytest.raises(IdempotencyKeyReused):
        await jobs.place(placed(ann, key="dry"))
    for _ in range(MOST_OPEN_DRY_RUNS - 1):
        await jobs.place(placed(ann, dry))
    with pytest.raises(TooManyJobs):
        await jobs.place(placed(ann, dry))


async def check_most(jobs: Jobs, ann: User, first: Placed) -> None:
    """`ann` has four open jobs; the first one has the key `k`."""
    for _ in range(MOST_OPEN_JOBS - 4):
        await jobs.place(placed(ann))
    with pytest.raises(TooManyJobs):
        await jobs.place(placed(ann))
    assert (await jobs.place(placed(ann, key="k"))).job_id == first.job_id
