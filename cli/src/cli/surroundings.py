"""What the commands stand in; a test gives its own. And the one way to talk to a gateway and to fail."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.console import Console

from cli.sessions import Sessions
from cli.settings import CliSettings
from client import ApiError, ClientError, GatewayClient, GatewayUnreachable
from client.traces import read_trace

FAILED, USAGE, NOT_SIGNED_IN = 1, 2, 3

Url = Annotated[str | None, typer.Option("--url", help="The gateway; else CLEARFACTS_URL, else where you signed in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _connect(url: str, token: str | None) -> GatewayClient:
    return GatewayClient(url, token=token)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - where a test gives its own


@dataclass(frozen=True, slots=True)
class Surroundings:
    settings: CliSettings = field(default_factory=CliSettings.from_environment)
    connect: Callable[[str, str | None], GatewayClient] = _connect
    width: int | None = None
    now: Callable[[], datetime] = _now
    read_trace: Callable[[str, str], Sequence[dict[str, Any]]] = read_trace

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.settings.config_dir)

    @property
    def console(self) -> Console:
        return Console(width=self.width, highlight=False, markup=False, emoji=False)

    def resolve_url(self, given: str | None) -> str:
        """Ends with code 2 when nobody said which gateway."""
        url = given or self.settings.url or self.sessions.current_url()
        if url is None:
            fail("which gateway? give --url, set CLEARFACTS_URL, or sign in first: clearfacts login --url URL", USAGE)
        if not url.startswith(("http://", "https://")):
            fail(f"{url} is not the address of a gateway; it begins with http:// or https://", USAGE)
        return url.rstrip("/")


def here(context: typer.Context) -> Surroundings:
    return cast("Surroundings", context.obj)


@contextmanager
def gateway(context: typer.Context, url: str | None) -> Generator[GatewayClient, None, None]:
    """A client that is signed in as far as we know; what goes wrong with it ends the program with one line."""
    surroundings = here(context)
    address = surroundings.resolve_url(url)
    session = surroundings.sessions.of(address)
    with surroundings.connect(address, session.token if session else None) as client:
        try:
            yield client
        except ApiError as error:
            if error.code == "UNAUTHENTICATED":
                fail(f"not signed in at {address}; run: clearfacts login --url {address}", NOT_SIGNED_IN)
            fail(explain(error))
        except ClientError as error:
            fail(str(error))


@contextmanager
def repeatable(key: str, perhaps: str = "it may have started") -> Generator[None, None, None]:
    """A change that carries this Idempotency-Key: one that got no answer ends the program with how to repeat it."""
    try:
        yield
    except GatewayUnreachable as error:
        fail(f"{error}; {perhaps}: repeat safely with --idempotency-key {key}")


def explain(error: ApiError) -> str:
    """One line: the message, what is wrong with which field, and the id to ask about."""
    fields = error.details.get("errors") or []
    wrong = "; ".join(f"{field['field']}: {field['message']}" for field in fields if isinstance(field, dict))
    return f"{error.message}{': ' + wrong if wrong else ''} [{error.code}, correlation id {error.correlation_id}]"


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End with one line on standard error."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)
