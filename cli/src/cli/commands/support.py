"""What to hand to whoever is asked for help."""

from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from cli.bundle import make_bundle
from cli.surroundings import Url, fail, here

_LOCAL_LOGS = Path(".clearfacts/data/logs")


def support_bundle(
    context: typer.Context,
    *,
    output: Annotated[Path | None, typer.Option(help="The zip to write; else one named by the time, here.")] = None,
    logs: Annotated[
        Path | None, typer.Option(help="A folder of PART.log files; else that of the local system, where there is one.")
    ] = None,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="Of each log.")] = 200,
    url: Url = None,
) -> None:
    """Write versions, settings without secrets, alerts, counts and the last log lines into one zip; no documents."""
    surroundings = here(context)
    address = surroundings.resolve_url(url)
    session = surroundings.sessions.of(address)
    at = surroundings.now().astimezone(UTC)
    path = output or Path(f"clearfacts-support-{at:%Y%m%dT%H%M%SZ}.zip")
    folder = logs or (_LOCAL_LOGS if _LOCAL_LOGS.is_dir() else None)
    if folder is not None and not folder.is_dir():
        fail(f"{folder} is no folder")
    with surroundings.connect(address, session.token if session else None) as client:
        try:
            made = make_bundle(path, client, folder, at=at, lines=lines, version=version("clearfacts-cli"))
        except OSError as error:
            fail(f"cannot write {path}: {error.strerror or error}")
    typer.echo(f"{made.path}: logs of {', '.join(made.parts) or 'no part'}")
    for error in made.errors:
        typer.echo(f"not in it: {error}", err=True)
