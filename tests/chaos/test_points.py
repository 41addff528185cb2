"""kill -9 at sampled steps of the services' own code: nothing lost, nothing sent twice."""

import os
import random

import pytest

from tests.chaos.hunt import rounds
from tests.chaos.points import Point, Strike, shoot, survey
from tests.chaos.stage import Stage, judged

SEED = 20261124
SAMPLE = 10


def sample(points: dict[Point, int], dice: random.Random) -> list[Strike]:
    """As many of each service as can be; half at the first visit, half at a later one."""
    services = sorted({point.service for point in points})
    chosen: list[Strike] = []
    for turn in range(SAMPLE):
        service = services[turn % len(services)]
        # the health checks of a probe every few seconds would be half of the sample
        mine = sorted(point for point in points if point.service == service and "health" not in point.where)
        point = dice.choice(mine)
        chosen.append(Strike(point, 1 if turn % 2 else dice.randint(1, min(4, points[point]))))
    return chosen


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_service_that_is_killed_at_a_sampled_point_loses_nothing_and_sends_nothing_twice(on: Stage) -> None:
    seed = int(os.environ.get("CHAOS_SEED", SEED))  # noqa: TID251 - to repeat what CI printed
    reached: list[Strike] = []

    async def feed() -> None:
        await on.list_([*on.shelf.put(6), *on.shelf.put_odd()])

    async def script(on: Stage) -> None:
        await on.world.script("destination", {"effect": "reset_after", "share": 0.1}, latency=0.05)
        points = await survey(on.world, on.marksman, feed)
        await on.world.script("destination", latency=0.05)
        print(f"seed {seed}: {len(points)} points, of which")
        for some in rounds(sample(points, random.Random(seed))):
            hits = await shoot(on.world, on.marksman, some, feed)
            for strike, hit in zip(some, hits, strict=True):
                reached.extend([strike] * hit)
                print(f"  {'killed at ' if hit else 'not reached'} {strike}")

    assert (await judged(on, script)).violations == []
    assert len(reached) >= SAMPLE * 0.6, f"only {len(reached)} of {SAMPLE} points were reached"
