"""How every part of the system is. For operators."""

from collections.abc import Iterator

import typer

from cli.commands.switches import describe
from cli.show import moment, print_facts, print_json
from cli.surroundings import FAILED, AsJson, Url, gateway, here
from client import Breaker, SystemStatus


def system(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show every part, lag, stages, breakers and how last night went; exit code 1 where it is degraded."""
    with gateway(context, url) as client:
        found = client.system_status()
    if as_json:
        print_json(found)
    else:
        print_facts(here(context).console, _facts(found))
    if found.state != "ok":
        raise typer.Exit(FAILED)


def _facts(found: SystemStatus) -> Iterator[tuple[str, object]]:
    yield "system", f"{found.state} at {moment(found.checked_at)}"
    yield "last night", found.last_night
    for part in found.dependencies:
        yield part.name, f"{part.state} ({part.milliseconds} ms)"
    for service in found.services:
        yield service.service, f"{service.state}, last seen {moment(service.last_seen_at)}"
    for one in found.outside:
        state = {True: "well", False: "not well", None: "not known"}[one.ok]
        yield one.name, f"{state}{f': {one.why}' if one.why else ''}, asked {moment(one.checked_at)}"
    for lag in found.lag:
        yield "lag", f"{lag.group} {lag.topic}: {'not known' if lag.records is None else lag.records}"
    for stage in found.stages:
        since = f" since {moment(stage.oldest_at)}" if stage.oldest_at else ""
        yield stage.stage, f"{stage.count} {stage.reason or ''}".rstrip() + since
    for breaker in found.breakers:
        yield "breaker", _breaker(breaker)
    for pause in found.paused:
        yield "paused", describe(pause)


def _breaker(breaker: Breaker) -> str:
    if breaker.open:
        return f"{breaker.destination} open: {breaker.why}; next probe at {moment(breaker.next_probe_at)}"
    quiet = f", quiet until {moment(breaker.held_until)}" if breaker.held_until else ""
    return f"{breaker.destination} closed{quiet}"
