"""Webhooks: where integrators are told of outcomes, and what they were told."""

import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

import typer

from cli.show import moment, plain, print_facts, print_json, print_more, print_table
from cli.surroundings import USAGE, AsJson, Surroundings, Url, fail, gateway, here
from cli.webhooks_shown import describe, show_deliveries, show_secret
from client import DeliveryDetail, GatewayClient

webhooks = typer.Typer(no_args_is_help=True, help="Endpoints of integrators, and what they were told.")

EVENTS = ("invoice.sent", "invoice.failed", "invoice.duplicate", "invoice.held", "job.completed", "job.failed")
_PATIENCE, _STEP = 20.0, 0.5

_Id = Annotated[str, typer.Argument(help="The endpoint's id.")]
_Reason = Annotated[str, typer.Option(help="Why: for the audit log.")]
_Time = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"], help="UTC.")]
_Cursor = Annotated[str | None, typer.Option(help="Where the page before ended.")]


@webhooks.command("list")
def list_webhooks(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    cursor: _Cursor = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List endpoints, newest first."""
    with gateway(context, url) as client:
        page = client.webhooks(limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    columns = [("Id", 36), ("State", 8), ("Waiting", -7), ("Address", 25)]
    rows = [(one.id, one.state, one.waiting, one.url) for one in page.items]
    print_table(here(context).console, columns, rows)
    print_more(page.next_cursor)


@webhooks.command("add")
def add_webhook(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Where to post; https, without username and password.")],
    *,
    event: Annotated[list[str], typer.Option(help=f"What to tell; may be repeated: {', '.join(EVENTS)}.")],
    description: Annotated[str, typer.Option(help="Whose it is.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Register an endpoint; its secret is shown this once."""
    with gateway(context, url) as client:
        made = client.register_webhook(address, event, description=description, idempotency_key=str(uuid4()))
    if as_json:
        print_json(made)
    else:
        show_secret(f"registered: {made.endpoint.id}", made)


@webhooks.command("show")
def show_webhook(context: typer.Context, webhook_id: _Id, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show an endpoint: whether it is active, and why not."""
    with gateway(context, url) as client:
        one = client.webhook(webhook_id)
    if as_json:
        print_json(one)
        return
    facts = (
        ("Address", one.url), ("Description", one.description), ("Events", ", ".join(one.events)),
        ("State", describe(one)), ("Since", one.stopped_at and moment(one.stopped_at)), ("Waiting", one.waiting),
        ("Last arrived", moment(one.delivered_at)), ("Failing since", one.failing_since and moment(one.failing_since)),
        ("Two secrets until", one.previous_secret_until and moment(one.previous_secret_until)),
    )  # fmt: skip
    print_facts(here(context).console, facts)


@webhooks.command("change")
def change_webhook(
    context: typer.Context,
    webhook_id: _Id,
    *,
    address: Annotated[str | None, typer.Option(help="Where to post from now on.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="What to tell, instead; may be repeated.")] = None,
    description: Annotated[str | None, typer.Option(help="Whose it is.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change address, events or description; what waits goes to the new address."""
    if address is None and not event and description is None:
        fail("what is to change? give --address, --event or --description", USAGE)
    with gateway(context, url) as client:
        one = client.change_webhook(webhook_id, url=address, events=event or None, description=description)
    _say(one, f"changed: {one.url} ({', '.join(one.events)})", as_json=as_json)


@webhooks.command("rotate")
def rotate_webhook(
    context: typer.Context,
    webhook_id: _Id,
    *,
    reason: _Reason,
    overlap: Annotated[
        int, typer.Option(min=0, max=604_800, help="Seconds for which the old one signs, too.")
    ] = 86_400,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Replace the secret; the new one is shown this once."""
    with gateway(context, url) as client:
        made = client.rotate_webhook(webhook_id, overlap_seconds=overlap, reason=reason, idempotency_key=str(uuid4()))
    if as_json:
        print_json(made)
    else:
        show_secret(f"both sign until {moment(made.endpoint.previous_secret_until)}" if overlap else "replaced", made)


@webhooks.command("enable")
def enable_webhook(
    context: typer.Context, webhook_id: _Id, *, reason: _Reason, url: Url = None, as_json: AsJson = False
) -> None:
    """Enable an endpoint; what was collected while it was paused goes now."""
    _control(context, webhook_id, "enable", reason, url, as_json=as_json)


@webhooks.command("disable")
def disable_webhook(
    context: typer.Context, webhook_id: _Id, *, reason: _Reason, url: Url = None, as_json: AsJson = False
) -> None:
    """Disable an endpoint; outcomes are not collected for it until it is enabled."""
    _control(context, webhook_id, "disable", reason, url, as_json=as_json)


@webhooks.command("remove")
def remove_webhook(
    context: typer.Context, webhook_id: _Id, *, reason: _Reason, url: Url = None, as_json: AsJson = False
) -> None:
    """Remove an endpoint for ever."""
    _control(context, webhook_id, "remove", reason, url, as_json=as_json)


@webhooks.command("deliveries")
def list_deliveries(
    context: typer.Context,
    webhook_id: _Id,
    *,
    status: Annotated[str | None, typer.Option(help="waiting, delivered or failed")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="For example invoice.sent.")] = None,
    since: _Time = None,
    until: _Time = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: _Cursor = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List what an endpoint was told, newest first; the times are the outcomes'."""
    with gateway(context, url) as client:
        page = client.deliveries(
            webhook_id, status=status, type=kind, since=_utc(since), until=_utc(until), limit=limit, cursor=cursor
        )
    if as_json:
        print_json(page)
        return
    show_deliveries(here(context).console, page.items)
    print_more(page.next_cursor)


@webhooks.command("replay")
def replay(
    context: typer.Context,
    webhook_id: _Id,
    *,
    delivery: Annotated[str | None, typer.Option(help="This one alone.")] = None,
    since: _Time = None,
    until: _Time = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what arrived.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Deliver again: one delivery, or what of a window did not arrive or was never made."""
    begin = _utc(since)
    with gateway(context, url) as client:
        if delivery is not None:
            one = client.replay_delivery(webhook_id, delivery)
            _say(one, f"waits to be delivered: {one.delivery.event_id}", as_json=as_json)
        elif begin is not None:
            found = client.replay_deliveries(
                webhook_id, since=begin, until=_utc(until), also_delivered=everything, idempotency_key=str(uuid4())
            )
            more = "; there are more: do it again, or take a shorter window" if found.more else ""
            _say(found, f"waiting to be delivered: {found.queued}{more}", as_json=as_json)
        else:
            fail("which? give --delivery or --since", USAGE)


@webhooks.command("ping")
def ping(context: typer.Context, webhook_id: _Id, *, url: Url = None, as_json: AsJson = False) -> None:
    """Send a signed test delivery and say how it went."""
    with gateway(context, url) as client:
        sent = client.ping_webhook(webhook_id, idempotency_key=str(uuid4()))
        found = _wait(here(context), client, webhook_id, sent.delivery_id)
    last = found.delivery.last
    if as_json:
        print_json(found)
    elif found.delivery.status == "delivered" and last is not None:
        typer.echo(f"arrived: {last.response_code} after {last.latency_ms} ms")
    elif not as_json:
        why = last.error if last is not None else "nobody tried it yet; does the notifier run?"
        fail(f"it did not arrive: {plain(why)}")


def _wait(surroundings: Surroundings, client: GatewayClient, webhook_id: str, delivery_id: UUID) -> DeliveryDetail:
    """Until it was tried, or patience ends."""
    deadline = surroundings.now().timestamp() + _PATIENCE
    found = client.delivery(webhook_id, delivery_id)
    while found.delivery.last is None and surroundings.now().timestamp() < deadline:
        time.sleep(_STEP)
        found = client.delivery(webhook_id, delivery_id)
    return found


def _control(
    context: typer.Context, webhook_id: str, action: str, reason: str, url: str | None, *, as_json: bool
) -> None:
    with gateway(context, url) as client:
        one = client.control_webhook(webhook_id, action, reason=reason)
    _say(one, "removed" if action == "remove" else describe(one), as_json=as_json)


def _say(answer: object, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)  # pyright: ignore[reportArgumentType]
    else:
        typer.echo(plain(what))


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None
