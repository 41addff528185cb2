"""Choosing invoices on the command line."""

from collections.abc import Sequence
from typing import Annotated, cast

import typer

from cli.surroundings import USAGE, fail
from client import InvoiceCriteria

CRITERIA = tuple(InvoiceCriteria.__annotations__)

Where = Annotated[
    list[str] | None, typer.Option("--where", help=f"NAME=VALUE; may be repeated. Names: {', '.join(CRITERIA)}.")
]


def criteria(where: Sequence[str] | None, **given: str | None) -> InvoiceCriteria:
    """Ends with code 2 for a name that is no criterion."""
    chosen = {name: value for name, value in given.items() if value is not None}
    for text in where or ():
        name, equals, value = text.partition("=")
        if not equals or name not in CRITERIA:
            fail(f"--where {text}: say NAME=VALUE with one of {', '.join(CRITERIA)}", USAGE)
        chosen[name] = value
    return cast("InvoiceCriteria", chosen)
