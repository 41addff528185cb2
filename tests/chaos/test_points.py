"""kill -9 at sampled steps of the services' own code: nothing lost, nothing sent twice."""

import os
import random
from pathlib import Path

import pytest

from tests.chaos.points import QUICK, Marksman, Point, Strike, shoot, survey
from tests.chaos.world import world

SEED = 20261124
SAMPLE = 10
SANDBOX = {
    "SANDBOX_COUNT": "80",
    "SANDBOX_DUPLICATES": "5",
    "SANDBOX_CHANGED": "2",
    "SANDBOX_MALFORMED": "2",
    "SANDBOX_REFUSED": "2",
    "SANDBOX_UNKNOWN": "2",
    "SANDBOX_LATENCY": "0.05",
}


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
async def test_a_service_that_is_killed_at_a_sampled_point_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("CHAOS_SEED", SEED))  # noqa: TID251 - to repeat what CI printed
    async with world(tmp_path, sandbox=SANDBOX, env=QUICK) as running:
        marksman = Marksman(running)
        points = await survey(running, marksman)
        strikes = sample(points, random.Random(seed))
        print(f"seed {seed}: {len(points)} points, of which")
        reached = 0
        for strike in strikes:
            hit = await shoot(running, marksman, strike)
            reached += hit
            print(f"  {'killed at ' if hit else 'not reached'} {strike}")
        verdict = await running.judge()
    assert verdict.violations == []
    assert reached >= SAMPLE * 0.7, f"only {reached} of {SAMPLE} points were reached"
