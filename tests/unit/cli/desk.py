"""A terminal in front of the real gateway's API over fakes, without a socket."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio.from_thread
import httpx
from starlette.types import ASGIApp
from typer.testing import CliRunner, Result

from cli.main import app
from cli.settings import CliSettings
from cli.surroundings import Surroundings
from client import GatewayClient
from gateway.domain.access import Role
from tests.unit.gateway.fakes import PASSWORD, World, user

URL = "http://gateway.test"


class Direct(httpx.BaseTransport):
    """Calls the application in this process, from synchronous code."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = httpx.ASGITransport(api)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self._api.handle_async_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(cast("Any", ask))


@dataclass
class Desk:
    """A terminal of 80 columns in front of a gateway."""

    folder: Path
    world: World = field(default_factory=World)
    url: str | None = URL
    away: bool = False
    trace: Sequence[dict[str, Any]] = ()
    """What the receiver of spans has."""

    def __call__(self, *words: str, typed: str = "") -> Result:
        surroundings = Surroundings(
            CliSettings(self.url, self.folder), self._connect, width=80, read_trace=lambda *_: self.trace
        )
        return CliRunner().invoke(app, list(words), obj=surroundings, input=typed, env={"COLUMNS": "80"})

    def signed_in(self, role: Role = Role.ADMIN) -> "Desk":
        self.world.users.add(user(role, name="ann"))
        signed_in = self("login", "-u", "ann", "--password-stdin", typed=f"{PASSWORD}\n")
        assert signed_in.exit_code == 0, f"{signed_in.output}\n{signed_in.exception!r}"
        return self

    def _connect(self, url: str, token: str | None) -> GatewayClient:
        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("Connection refused", request=request)

        transport = httpx.MockTransport(refuse) if self.away else Direct(self.world.api())
        return GatewayClient(url, token=token, transport=transport, sleep=lambda _: None)
