"""Killing at every distinct point of the services, at its first and at a later visit; it goes on where it ended."""

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from tests.chaos.points import QUICK, Marksman, Point, Strike, shoot, survey
from tests.chaos.world import World, world

LATER = 3
EVERY = 4
"""Rounds between two verdicts; a round strikes each service once."""
SANDBOX = {
    "SANDBOX_COUNT": "120",
    "SANDBOX_DUPLICATES": "6",
    "SANDBOX_CHANGED": "3",
    "SANDBOX_MALFORMED": "3",
    "SANDBOX_INVALID": "3",
    "SANDBOX_REFUSED": "3",
    "SANDBOX_UNKNOWN": "3",
    "SANDBOX_LATENCY": "0.03",
}


@dataclass(slots=True)
class Progress:
    """Which strikes were played, in a file: 'killed' or 'not reached'."""

    path: Path
    played: dict[str, str] = field(default_factory=dict[str, str])
    broken: list[str] = field(default_factory=list[str])

    def load(self) -> None:
        with suppress(FileNotFoundError):
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.played, self.broken = kept["played"], kept["broken"]

    def save(self) -> None:
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps({"played": self.played, "broken": self.broken}, indent=1), encoding="utf-8")
        partial.replace(self.path)

    @property
    def killed(self) -> int:
        return sum(outcome == "killed" for outcome in self.played.values())


async def hunt(folder: Path, minutes: float, say: Callable[[str], None]) -> Progress:
    """Play what was not played yet, for at most `minutes`."""
    progress = Progress(folder / "points.json")
    progress.load()
    deadline = time.monotonic() + minutes * 60
    async with world(folder / "system", sandbox=SANDBOX, env=QUICK, fresh=True) as running:
        marksman = Marksman(running)
        points = await survey(running, marksman, lambda: _feed(running))
        wanted = [strike for strike in strikes(points) if str(strike) not in progress.played]
        say(f"{len(points)} points; {len(progress.played)} strikes played before, {len(wanted)} to go")
        for number, some in enumerate(rounds(wanted), start=1):
            if time.monotonic() > deadline:
                break
            await _play(running, marksman, some, progress)
            if number % EVERY == 0:
                await _judge(running, progress, say)
        await _judge(running, progress, say)
    return progress


def strikes(points: dict[Point, int]) -> list[Strike]:
    """The first visit of each point, then a later one of those that are visited again; shuffled, always alike."""
    first = [Strike(point, 1) for point in sorted(points)]
    later = [Strike(point, min(LATER, count)) for point, count in sorted(points.items()) if count > 1]
    for some in (first, later):
        random.Random(0).shuffle(some)
    return [*first, *later]


def rounds(wanted: Sequence[Strike]) -> list[list[Strike]]:
    """The same strikes, one for each service at a time."""
    by_service: defaultdict[str, list[Strike]] = defaultdict(list)
    for strike in wanted:
        by_service[strike.point.service].append(strike)
    return [[strike for strike in some if strike is not None] for some in zip_longest(*by_service.values())]


async def _feed(running: World) -> None:
    await running.add(12)
    await running.ask()


async def _play(running: World, marksman: Marksman, some: Sequence[Strike], progress: Progress) -> None:
    try:
        hits = await shoot(running, marksman, some, lambda: _feed(running))
    except (AssertionError, TimeoutError) as error:
        progress.broken.append(f"{[str(strike) for strike in some]}: {error!r}")
        hits = [False] * len(some)
    for strike, hit in zip(some, hits, strict=True):
        progress.played[str(strike)] = "killed" if hit else "not reached"
    progress.save()


async def _judge(running: World, progress: Progress, say: Callable[[str], None]) -> None:
    verdict = await running.judge()
    last = list(progress.played)[-EVERY * len(running.system.options.services) :]
    progress.broken += [f"{line} (after one of {last})" for line in verdict.violations]
    progress.save()
    say(
        f"{len(progress.played)} strikes, {progress.killed} killed; {verdict.listed} invoices: "
        f"lost {verdict.lost}, duplicated {verdict.duplicated}, broken {len(progress.broken)}"
    )
