"""What failed: list, group, look at, replay, edit, set aside."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.commands.replay import follow
from cli.failures import Group, Ids, Where, Why, criteria, resolve, selection, window
from cli.failures_shown import print_failure, print_groups, print_page, print_preview
from cli.show import print_json
from cli.surroundings import USAGE, AsJson, Url, fail, gateway, here, repeatable

dlq = typer.Typer(no_args_is_help=True, help="Failed invoices and unreadable records: look, replay, edit, archive.")

Reference = Annotated[str, typer.Argument(help="Its id; for an invoice also its number or source id.")]


@dlq.command("list")
def list_failed(
    context: typer.Context,
    *,
    group: Group = None,
    where: Where = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were set aside.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List failures, newest first."""
    chosen = criteria(group, where) | ({"archived": True} if archived else {})
    with gateway(context, url) as client:
        page = client.failed(chosen, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
    else:
        print_page(here(context).console, page)


@dlq.command("group")
def group_failed(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show failures by their cause; the cause that struck last comes first."""
    with gateway(context, url) as client:
        groups = client.failure_groups()
    if as_json:
        print_json({"groups": [group.model_dump(mode="json") for group in groups]})
    else:
        print_groups(here(context).console, groups)


@dlq.command()
def show(
    context: typer.Context,
    reference: Reference,
    *,
    body: Annotated[bool, typer.Option("--body", help="Its body alone, byte for byte, to be kept in a file.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show one failure with its body, its versions and its replays."""
    with gateway(context, url) as client:
        found = resolve(client, reference)
    if body:
        typer.echo(b64decode(found.body) if found.body_is_base64 else found.body.encode(), nl=False)
    elif as_json:
        print_json(found)
    else:
        print_failure(here(context).console, found)


@dlq.command()
def replay(
    context: typer.Context,
    *,
    ids: Ids = None,
    group: Group = None,
    where: Where = None,
    topic: Annotated[str | None, typer.Option(help="Announcements of this topic instead: see --from, --since.")] = None,
    partition: Annotated[int | None, typer.Option(min=0)] = None,
    first: Annotated[int | None, typer.Option("--from", min=0, help="Offset.")] = None,
    last: Annotated[int | None, typer.Option("--to", min=0, help="Offset, included.")] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339: records of a topic from here on.")] = None,
    until: Annotated[str | None, typer.Option(help="RFC 3339: and before.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit log.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; nothing is written.")] = False,
    canary: Annotated[int, typer.Option(min=0, max=100, help="Items whose ends are awaited first.")] = 1,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Items a second, then.")] = 50.0,
    abort_share: Annotated[float, typer.Option(min=0, max=1, help="Stop above this share of new failures.")] = 0.2,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, the oldest first.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat a start that got no answer.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it stands.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Let failures go again: exactly those that fit now, the canary first."""
    times = {"partition": partition, "first": first, "last": last, "since": since, "until": until}
    source = {"window": window(topic, times)} if topic else {"selection": selection(ids, group, where)}
    if dry_run:
        _rehearse(context, url, source, limit, as_json=as_json)
        return
    if reason is None:
        fail("say why with --reason, or look first with --dry-run", USAGE)
    terms = {"canary": canary, "rate": rate, "abort_share": abort_share}
    asked = {"reason": reason, "terms": terms, "limit": limit, "idempotency_key": idempotency_key or str(uuid4())}
    _start(context, url, source, asked, watch=watch, as_json=as_json)


def _rehearse(
    context: typer.Context, url: str | None, source: Mapping[str, Any], limit: int | None, *, as_json: bool
) -> None:
    with gateway(context, url) as client:
        preview = client.rehearse_replay(source, limit=limit)
    if as_json:
        print_json(preview)
    else:
        print_preview(here(context).console, preview)


def _start(
    context: typer.Context,
    url: str | None,
    source: Mapping[str, Any],
    asked: Mapping[str, Any],
    *,
    watch: bool,
    as_json: bool,
) -> None:
    with gateway(context, url) as client:
        with repeatable(asked["idempotency_key"]):
            started = client.start_replay(source, **asked)
        if watch:
            follow(client, here(context), started.replay_id, as_json=as_json)
        elif as_json:
            print_json(started)
        else:
            typer.echo(f"{started.replay_id}\n{started.total} items; follow it: clearfacts replay show --watch")


@dlq.command()
def edit(
    context: typer.Context,
    reference: Reference,
    *,
    reason: Why,
    file: Annotated[Path, typer.Option(help="The new body; the present one: clearfacts dlq show --body")],
    keep: Annotated[bool, typer.Option("--no-replay", help="Store it only; let it go later.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Give a failed document another body. It is judged first; the original and a diff are kept."""
    with gateway(context, url) as client:
        found = resolve(client, reference)
        edited = client.edit_failure(found.id, version=found.version, reason=reason, replay=not keep, **_read(file))
    if as_json:
        print_json(edited)
        return
    typer.echo(edited.diff or "nothing differs")
    typer.echo(f"stored as version {edited.number}{'' if keep else '; it goes again'}")


def _read(file: Path) -> dict[str, str]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", USAGE)
    try:
        return {"document": raw.decode()}
    except UnicodeDecodeError:
        return {"document_base64": b64encode(raw).decode()}


@dlq.command()
def archive(
    context: typer.Context,
    *,
    ids: Ids = None,
    group: Group = None,
    where: Where = None,
    reason: Why,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Set failures aside: they are in no list and no replay until they are restored."""
    with gateway(context, url) as client:
        done = client.archive_failures(selection(ids, group, where), reason=reason)
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{done.number} set aside")


@dlq.command()
def restore(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(help="Ids of what was set aside: clearfacts dlq list --archived")],
    *,
    reason: Why,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take back what was set aside."""
    with gateway(context, url) as client:
        done = client.restore_failures(ids, reason=reason)
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{done.number} taken back")
