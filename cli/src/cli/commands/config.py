"""The configuration that may change while everything runs. For admins."""

import json
from typing import Annotated

import typer

from cli.show import moment, plain, print_facts, print_json, print_table
from cli.surroundings import AsJson, Surroundings, Url, gateway, here
from client import ConfigurationDetail, ConfigurationEntry

config = typer.Typer(no_args_is_help=True, help="What may change while everything runs.")

Value = int | float | str

_Key = Annotated[str, typer.Argument(help="Such as send_rate; see: clearfacts config list")]
_Reason = Annotated[str, typer.Option(help="Why: for the history and the audit log.")]
_Version = Annotated[int | None, typer.Option(help="Only if it still is at this version.")]


@config.command("list")
def list_keys(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """List every key, and what is set."""
    with gateway(context, url) as client:
        page = client.configuration()
    if as_json:
        print_json(page)
        return
    columns = [("Key", 18), ("Value", 14), ("Heeded by", 9), ("Live", 4), ("Else", 24), ("Version", -7)]
    rows = [
        (one.key, _said(one.value), one.service, "yes" if one.live else "no", _otherwise(one), one.version)
        for one in page.items
    ]
    print_table(here(context).console, columns, rows)


@config.command("show")
def show_key(context: typer.Context, key: _Key, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show one key: what it is, its bounds, what is set, and by whom."""
    with gateway(context, url) as client:
        found = client.configuration_of(key)
    _show(here(context), found, as_json=as_json)


@config.command("history")
def history(context: typer.Context, key: _Key, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show the newest 100 changes of a key, the newest first."""
    with gateway(context, url) as client:
        found = client.configuration_of(key)
    if as_json:
        print_json({"key": key, "history": found.model_dump(mode="json")["history"]})
        return
    columns = [("Version", -7), ("At", 11), ("Who", 14), ("From", 12), ("To", 12), ("Why", 30)]
    rows = [
        (one.version, moment(one.at, short=True), one.username, _said(one.old_value), _said(one.new_value), one.reason)
        for one in found.history
    ]
    print_table(here(context).console, columns, rows)


@config.command("set")
def set_key(
    context: typer.Context,
    key: _Key,
    value: Annotated[str, typer.Argument(help="Numbers as they are; times as 07:30.")],
    *,
    reason: _Reason,
    expected_version: _Version = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Set a live key; its service heeds it within seconds, without a restart."""
    with gateway(context, url) as client:
        before = client.configuration_of(key)
        version = before.version if expected_version is None else expected_version
        changed = client.configure(key, _typed(value, before.kind), expected_version=version, reason=reason)
    _show(here(context), changed, as_json=as_json)


@config.command("rollback")
def roll_back(
    context: typer.Context,
    key: _Key,
    *,
    to: Annotated[int, typer.Option(min=0, help="The version to go back to; 0: not set.")],
    reason: _Reason,
    expected_version: _Version = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Set a key to what it was at an earlier version; 0 unsets it, so that the environment's counts again."""
    with gateway(context, url) as client:
        version = client.configuration_of(key).version if expected_version is None else expected_version
        changed = client.roll_back(key, to, expected_version=version, reason=reason)
    _show(here(context), changed, as_json=as_json)


def _typed(value: str, kind: str) -> Value:
    """As the key's kind is written; what does not read as a number stays text, and the gateway judges it."""
    if kind not in {"integer", "number"}:
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, int | float) and not isinstance(found, bool) else value


def _said(value: Value | None) -> str:
    return "-" if value is None else plain(value)


def _otherwise(entry: ConfigurationEntry) -> str:
    default = _said(entry.default) or "nothing"
    return f"{entry.environment} or {default}" if entry.environment else default


def _show(surroundings: Surroundings, found: ConfigurationDetail, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    bounds = f"{found.minimum:g} to {found.maximum:g}" if found.minimum is not None and found.maximum else None
    changed = f"{moment(found.changed_at)} by {found.changed_by}" if found.changed_at else None
    facts = [
        ("key", found.key), ("is", found.description), ("value", "not set" if found.value is None else found.value),
        ("else", _otherwise(found)), ("bounds", bounds), ("or", ", ".join(found.words)), ("heeded by", found.service),
        ("live", "yes" if found.live else "no: by environment and restart"), ("version", found.version),
        ("changed", changed), ("why", found.history[0].reason if found.history else None),
    ]  # fmt: skip
    print_facts(surroundings.console, facts)
