"""The program of docs/api.md runs, over the gateway's API."""

import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from gateway.domain.access import Role
from tests.unit.cli.desk import URL, Direct
from tests.unit.gateway.fakes import PASSWORD, World, invoice, job, user

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


class Working(Direct):
    """A job that is started ends at once, with one failure."""

    def __init__(self, world: World) -> None:
        super().__init__(world.api())
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if answer.is_success and request.url.path.endswith("/process"):
            job_id = UUID(answer.json()["data"]["job_id"])
            self._world.jobs.rows.append(job(job_id=job_id))
            failed = invoice(job_id=job_id, status="failed", stage="failed", number="2026/1", amount=Decimal("12.50"))
            self._world.invoices.rows.append(failed)
        return answer


def test_the_program_of_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    program = found[1].replace("GatewayClient(URL,", "GatewayClient(URL, transport=transport,")
    world = World()
    world.users.add(user(Role.ADMIN, name="admin"))
    monkeypatch.setenv("PASSWORD", PASSWORD)
    exec(program, {"URL": URL, "transport": Working(world)})
    said = capsys.readouterr().out
    assert "completed 0 failed" in said
    assert "2026/1 12.50 " in said
    assert said.splitlines()[-1].startswith("CONFLICT ")
