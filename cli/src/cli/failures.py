"""Choosing failures on the command line."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.lookup import find
from cli.surroundings import USAGE, fail
from client import Failed, GatewayClient

CRITERIA = ("kind", "reason", "job_id", "dossier", "topic", "since", "until", "text")

Group = Annotated[str | None, typer.Option(help="Only of this cause: clearfacts dlq group")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help=f"NAME=VALUE; may be repeated. Names: {', '.join(CRITERIA)}.")
]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Exactly this one; may be repeated.")]
Why = Annotated[str, typer.Option(help="Why, for the audit log.")]


def criteria(group: str | None, where: Sequence[str] | None) -> dict[str, Any]:
    """Ends with code 2 for a name that is no criterion."""
    chosen: dict[str, Any] = {} if group is None else {"group": group}
    for text in where or ():
        name, equals, value = text.partition("=")
        if not equals or name not in CRITERIA:
            fail(f"--where {text}: say NAME=VALUE with one of {', '.join(CRITERIA)}", USAGE)
        chosen[name] = value
    return chosen


def selection(ids: Sequence[str] | None, group: str | None, where: Sequence[str] | None) -> dict[str, Any]:
    """Either ids, or at least one criterion; ends with code 2 for both or neither."""
    chosen = criteria(group, where)
    if bool(ids) == bool(chosen):
        fail("say which: --id, or --group, or --where (see clearfacts dlq group)", USAGE)
    return {"ids": list(ids)} if ids else chosen


def window(topic: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Records of a topic, by offsets of a partition or by times."""
    return {"topic": topic, **{name: value for name, value in given.items() if value is not None}}


def resolve(client: GatewayClient, reference: str) -> Failed:
    """The failure that somebody means: by its id, or an invoice's number or source id."""
    try:
        return client.failure(UUID(reference))
    except ValueError:
        return client.failure(find(client, reference)[0].id)
