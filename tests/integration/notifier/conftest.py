"""What the notifier's tests share: a database, the sandbox's Slack, jobs that ended, a real notifier process."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.db.pool import Database
from sandbox.slack import Slack
from sandbox.web import Listener, listen

RESULTS: dict[str, Any] = {
    "total_invoices": 9,
    "processed": 4,
    "failed": 3,
    "duplicates": 1,
    "held": 1,
    "open": 0,
    "amounts": {"sent": {"EUR": "1234.50"}, "failed": {"EUR": "10.00"}, "duplicate": {}, "held": {}},
}


async def finished_job(database: Database, *, status: str = "completed", ago: str = "1 minute") -> UUID:
    """The row of a job as the fetcher leaves it."""
    error = {"code": "EXTERNAL_API_ERROR", "message": "the source answered 503", "details": {}}
    job: UUID = await database.fetchval(
        """INSERT INTO jobs (id, job_type, status, started_at, completed_at, results, error)
           VALUES ($1, 'scheduled', $2, now() - $3::text::interval - interval '2 minutes',
                   now() - $3::text::interval, $4, $5) RETURNING id""",
        uuid4(),
        status,
        ago,
        RESULTS if status == "completed" else None,
        error if status == "failed" else None,
    )
    return job


class SlackFace:
    """The sandbox's Slack on a port that stays its own while it is down."""

    def __init__(self, folder: Path) -> None:
        self.face = Slack(folder / "slack.jsonl")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/services/T0/B0/secret"

    async def up(self) -> None:
        self._listener = await listen(self.face.routes(), self._port)

    def down(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def texts(self) -> list[str]:
        return [str(stored["message"]["text"]) for stored in self.face.messages()]  # type: ignore[index]

    def about(self, job: UUID) -> int:
        return sum(str(job) in text for text in self.texts())


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncGenerator[SlackFace]:
    face = SlackFace(tmp_path)
    await face.up()
    yield face
    face.down()
    face.face.close()


@asynccontextmanager
async def notifier(
    database_url: str, kafka: str, webhook: str | None, log: Path, **settings: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A real process; killed at the end where it still runs."""
    env = {**os.environ, "DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka, **settings}  # noqa: TID251
    env.pop("SLACK_WEBHOOK_URL", None)
    if webhook:
        env["SLACK_WEBHOOK_URL"] = webhook
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "notifier", env=env, stdout=output)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30.0) -> float:
    """Wait for a condition and say how long it took; an AssertionError after `seconds`."""
    started = monotonic()
    while not await condition():
        assert monotonic() - started < seconds, f"not within {seconds:g} s"
        await asyncio.sleep(0.05)
    return monotonic() - started
