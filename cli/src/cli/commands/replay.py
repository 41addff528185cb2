"""Replays: list, look, pause, resume, cancel."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from cli.show import moment, plain, print_facts, print_json, print_more, print_table
from cli.surroundings import FAILED, AsJson, Surroundings, Url, fail, gateway, here
from client import GatewayClient, Replay

replays = typer.Typer(no_args_is_help=True, help="Replays of failures: list, look, pause, resume, cancel.")

Reference = Annotated[str, typer.Argument(help="The replay's id.")]
Why = Annotated[str, typer.Option(help="Why, for the audit log.")]


@replays.command("list")
def list_replays(
    context: typer.Context,
    *,
    state: Annotated[str | None, typer.Option(help="running, paused, completed, cancelled or failed")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List replays, newest first."""
    with gateway(context, url) as client:
        page = client.replays(state=state, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    columns = [("Replay", 36), ("State", 9), ("Begun", 11), ("Items", -6), ("Left", -6), ("Why", 8)]
    rows = [
        (row.id, row.state, moment(row.created_at, short=True), row.total, row.waiting, row.reason)
        for row in page.items
    ]
    print_table(here(context).console, columns, rows)
    print_more(page.next_cursor)


@replays.command()
def show(
    context: typer.Context,
    replay_id: Annotated[str | None, typer.Argument(help="Else the latest one.")] = None,
    *,
    items: Annotated[bool, typer.Option("--items", help="What became of each item that did not move.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it stands.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a replay: its items by outcome, and where the moved ones stand now."""
    with gateway(context, url) as client:
        found = client.replay(replay_id or _latest(client))
        if watch:
            follow(client, here(context), found.id, as_json=as_json)
        elif as_json:
            print_json(found)
        else:
            _print(here(context).console, found)
            if items:
                _print_items(client, here(context).console, found)


@replays.command()
def pause(
    context: typer.Context, replay_id: Reference, *, reason: Why, url: Url = None, as_json: AsJson = False
) -> None:
    """Let no further item go; what has gone already goes on."""
    _control(context, replay_id, "pause", reason, url, as_json=as_json)


@replays.command()
def resume(
    context: typer.Context, replay_id: Reference, *, reason: Why, url: Url = None, as_json: AsJson = False
) -> None:
    """Go on where it was paused."""
    _control(context, replay_id, "resume", reason, url, as_json=as_json)


@replays.command()
def cancel(
    context: typer.Context, replay_id: Reference, *, reason: Why, url: Url = None, as_json: AsJson = False
) -> None:
    """End it for good; items that have not gone stay failed."""
    _control(context, replay_id, "cancel", reason, url, as_json=as_json)


def follow(client: GatewayClient, surroundings: Surroundings, replay_id: UUID, *, as_json: bool) -> None:
    """Wait until a replay stands, then show it; ends with code 1 where it failed."""
    found = client.await_replay(replay_id)
    if as_json:
        print_json(found)
    else:
        _print(surroundings.console, found)
    if found.state == "failed":
        raise typer.Exit(FAILED)


def _control(
    context: typer.Context, replay_id: str, action: str, reason: str, url: str | None, *, as_json: bool
) -> None:
    with gateway(context, url) as client:
        found = client.control_replay(replay_id, action, reason=reason)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"the replay is {found.state}; {found.waiting} of {found.total} items have not gone")


def _latest(client: GatewayClient) -> UUID:
    newest = client.replays(limit=1).items
    if not newest:
        fail("there is no replay yet; start one: clearfacts dlq replay")
    return newest[0].id


def _print(console: Console, found: Replay) -> None:
    terms = found.terms
    print_facts(
        console,
        [
            ("replay", found.id),
            ("state", found.state),
            ("note", found.note),
            ("reason", found.reason),
            ("by user", found.user_id),
            ("selection", found.selection),
            (
                "terms",
                f"canary {terms.canary}, then {terms.rate:g}/s, stops above {terms.abort_share:.0%} failed",
            ),
            ("begun", moment(found.created_at)),
            ("ended", moment(found.ended_at) if found.ended_at else None),
            ("items", found.total),
            ("not gone yet", found.waiting),
            *((outcome.replace("_", " "), number) for outcome, number in found.outcomes.items()),
            *((f"now {status}", number) for status, number in found.ends.items()),
        ],
    )


def _print_items(client: GatewayClient, console: Console, found: Replay) -> None:
    for outcome in found.outcomes:
        if outcome not in {"moved", "republished"}:
            for item in client.replay_items(found.id, outcome=outcome, limit=200).items:
                console.print(f"{item.item_id}  {outcome}: {plain(item.why)}", soft_wrap=True)
