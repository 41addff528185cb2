"""Negative controls: for each broken variant of a service a script of faults under which the checker must object.

The same script is played to the sound service first: there it must find nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos import scripts
from tests.chaos.checker import Verdict
from tests.chaos.stage import Script, Stage, judged

ONCE = ("hung", "given-up")
"""The marks of injections that have struck."""


@dataclass(frozen=True, slots=True)
class Control:
    """`breaks` are injections of the variant, `faults` those that both the variant and the sound service meet."""

    name: str
    service: str
    script: Script
    breaks: str
    faults: Sequence[str] = ()
    fast: bool = False


async def play(on: Stage, control: Control, *, broken: bool) -> Verdict:
    """The verdict on what the script brought in, with the service sound or broken."""
    marks = [on.world.injected / name for name in ONCE]

    async def script(on: Stage) -> None:
        for mark in marks:
            mark.unlink()
        await control.script(on)

    for mark in marks:  # what happens once happens in the script
        mark.touch()
    await _become(on, control.service, [*control.faults, *([control.breaks] if broken else [])])
    return await judged(on, script)


async def _become(on: Stage, service: str, injections: Sequence[str]) -> None:
    """Have the service run with exactly these injections, and make sure that it does."""
    told = on.world.injected / f"broken-{service}"
    word = on.world.injected / "controls.json"
    word.write_text(json.dumps({service: list(injections)}), encoding="utf-8")
    if told.read_text(encoding="utf-8") != " ".join(injections):
        await on.restart(service)
    if told.read_text(encoding="utf-8") != " ".join(injections):
        raise AssertionError(f"{service} did not become {injections}")


async def caught(on: Stage, control: Control) -> Sequence[str]:
    """What the checker says of the broken variant. Raises AssertionError where it objects to the sound service.

    The service is sound again when it returns.
    """
    sound = await play(on, control, broken=False)
    if sound.violations:
        raise AssertionError(f"{control.name}: the sound service breaks under this script: {sound.violations}")
    try:
        return (await play(on, control, broken=True)).violations
    finally:
        await _become(on, control.service, [])


CONTROLS = (
    Control(
        "commit before work",
        "fetcher",
        scripts.killed_while_it_waits_for_the_database,
        "commit-before-work",
    ),
    Control("bare commit", "fetcher", scripts.one_batch_is_left_unacknowledged, "bare-commit", ("give-up-once",)),
    Control("no watchdog", "fetcher", scripts.a_consumer_hangs, "no-watchdog", ("hang-once",)),
    Control(
        "lease back to validated",
        "sender",
        scripts.killed_after_the_destination_has_accepted,
        "lease-back",
        fast=True,
    ),
    Control("HTTP client retries", "sender", scripts.answers_are_lost, "client-retries", fast=True),
    Control("resend after a lookup alone", "sender", scripts.a_lookup_that_lags, "lookup-alone"),
    Control(
        "maybe sent frees its key", "fetcher", scripts.another_version_comes_while_the_outcome_is_unknown, "frees-key"
    ),
    Control("compare-and-set without the version", "validator", scripts.another_replica_is_faster, "versionless"),
    Control("replay without compare-and-set", "gateway", scripts.two_replays_of_the_same, "blind-replay"),
)
