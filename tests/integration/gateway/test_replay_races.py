"""Three replayers over one group, a gateway killed in the middle: each row moves once; and a replay that would not."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from client import GatewayClient
from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.invoice.stage import Reason
from gateway.adapters.postgres_replay_work import PostgresReplayWork
from gateway.adapters.replay_items import Item, Taken, mark
from gateway.domain.causes import fingerprint
from gateway.domain.failures import Selection
from gateway.replay.ports import Leased, Started
from gateway.replay.worker import Replayer
from tests.integration.gateway.replays_world import Wire, replaying
from tests.integration.gateway.test_process import PASSWORD, environment, free_port, is_ready
from tests.integration.gateway.test_replays import start, until, working
from ubl.identity import Identity
from ubl.placing import Ours
from ubl.safe import MalformedDocument

pytestmark = pytest.mark.stack

ROWS = 2_000
SLOW = 400
"""Rows a second of the first replay: it must leave something for the two that start after it."""
MESSAGE = "RULE-1: the total is wrong"
GROUP = fingerprint(Reason.INVALID, MESSAGE)

_FAILED = """
WITH rows AS (
    INSERT INTO invoices (id, invoice_id, ubl_data, status, stage, reason, error_message, version, processed_at,
        raw_sha256, dossier, dedupe_key, content_sha256, reference)
    SELECT uuidv7(), 'SRC-' || n, '<Invoice/>', 'failed', 'failed', 'invalid', $2, 2, now(), '\\x01', '0123456749',
        'key-' || n, '\\x01', gen_random_uuid() FROM generate_series(1, $1::int) AS s(n)
    RETURNING id, dossier, dedupe_key
),
keys AS (
    INSERT INTO invoice_keys (dossier, dedupe_key, holder, generation) SELECT dossier, dedupe_key, id, 0 FROM rows
)
INSERT INTO invoice_events (invoice_id, version, stage, actor) SELECT id, 2, 'failed', 'validator' FROM rows
"""
_TIMES = """
SELECT times, count(*) AS rows FROM (
    SELECT count(e.version) FILTER (WHERE e.details ? 'replay') AS times FROM invoices i
    LEFT JOIN invoice_events e ON e.invoice_id = i.id GROUP BY i.id
) AS each GROUP BY times
"""


async def insert_group(database: Database, rows: int) -> None:
    await database.execute(_FAILED, rows, MESSAGE)


async def replayed_times(database: Database) -> Mapping[int, int]:
    """How many rows were moved how often by a replay: the checker."""
    return {row["times"]: row["rows"] for row in await database.fetch(_TIMES)}


async def spawn(folder: Path, port: int, settings: Mapping[str, str]) -> asyncio.subprocess.Process:
    """A gateway that answers."""
    with (folder / "log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", env=environment(folder, port, **settings), stdout=output
        )
    with GatewayClient(f"http://127.0.0.1:{port}") as client:
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(is_ready, client):
                assert process.returncode is None, "it did not start"
                await asyncio.sleep(0.05)
    return process


async def by_command_line(folder: Path, port: int) -> UUID:
    """`clearfacts dlq replay`, as an operator types it."""
    words = (sys.executable, "-m", "cli.main")
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder), "CLEARFACTS_URL": f"http://127.0.0.1:{port}"}  # noqa: TID251
    login = await asyncio.create_subprocess_exec(
        *words, "login", "-u", "admin", "--password-stdin", env=env, stdin=asyncio.subprocess.PIPE
    )
    await login.communicate(f"{PASSWORD}\n".encode())
    replay = await asyncio.create_subprocess_exec(
        *words, "dlq", "replay", "--group", GROUP, "--reason", "by cli", "--canary", "0", "--rate", str(SLOW),
        env=env, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    shown, _ = await replay.communicate()
    assert replay.returncode == 0
    return UUID(shown.decode().splitlines()[0])


async def by_client(client: GatewayClient, reason: str) -> UUID:
    started = await asyncio.to_thread(
        client.start_replay, {"selection": {"group": GROUP}}, reason=reason, terms={"canary": 0, "rate": 1000}
    )
    return started.replay_id


@pytest.mark.timeout(300)
async def test_three_replayers_and_a_kill_in_the_middle_move_each_row_once(
    database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    await insert_group(database, ROWS)
    settings = {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "REPLAY_LEASE": "2",
        "STARTUP_TIMEOUT": "20",
    }
    port = free_port()
    process = await spawn(tmp_path, port, settings)
    clients = [GatewayClient(f"http://127.0.0.1:{port}", credentials=("admin", PASSWORD)) for _ in range(2)]
    try:
        first = await by_command_line(tmp_path, port)
        replays = (first, *await asyncio.gather(by_client(clients[0], "by one"), by_client(clients[1], "by another")))
        async with asyncio.timeout(60):
            while (await replayed_times(database)).get(1, 0) < ROWS / 8:
                await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
        at_kill = await replayed_times(database)
        assert at_kill.get(0, 0) > 0, "killed too late to show anything"
        process = await spawn(tmp_path, port, settings)
        ended = [await asyncio.to_thread(clients[0].await_replay, replay_id) for replay_id in replays]
    finally:
        for client in clients:
            client.close()
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert {replay.state for replay in ended} == {"completed"}
    assert await replayed_times(database) == {1: ROWS}
    assert sum(replay.outcomes.get("moved", 0) for replay in ended) == ROWS
    refused = sum(replay.outcomes.get("already_replaying", 0) for replay in ended)
    assert refused == sum(replay.total for replay in ended) - ROWS


async def test_three_replicas_without_a_lease_between_them_move_each_row_once(database: Database) -> None:
    await insert_group(database, 300)
    engines = [replaying(database, Wire(), lease=timedelta(seconds=1)) for _ in range(3)]
    replays = [await start(database, engine, Selection(group=GROUP)) for engine in engines]
    async with working(*engines):
        for replay_id in replays:
            await until(engines[0], replay_id, "completed")
    assert await replayed_times(database) == {1: 300}


_WITHOUT_COMPARISON = """
WITH moved AS (
    UPDATE invoices SET stage = 'fetched', status = 'pending', version = version + 1 WHERE id = ANY($1::uuid[])
    RETURNING id, version
)
INSERT INTO invoice_events (invoice_id, version, stage, actor, details)
SELECT id, version, 'fetched', 'broken', jsonb_build_object('replay', $2::text) FROM moved
"""


class WithoutComparison(PostgresReplayWork):
    """A replay that trusts its list: it does not look where a row stands now."""

    async def _start(
        self,
        leased: Leased,
        items: Sequence[Item],
        places: Mapping[UUID, Identity | MalformedDocument],
        ours: Ours,
    ) -> Started:
        async with self._database.transaction() as connection:
            await connection.execute(_WITHOUT_COMPARISON, [item.item_id for item in items], str(leased.id))
            await connection.execute(
                "UPDATE replay_items SET state = 'done', outcome = 'moved', moved_version = 3, done_at = now()"
                " WHERE replay_id = $1 AND position = ANY($2::int[])",
                leased.id,
                [item.position for item in items],
            )
            await mark(connection, leased.id, Taken())
            await self._hold(connection, leased)
        return Started()


async def test_a_replay_without_compare_and_set_is_caught_by_the_same_count(database: Database) -> None:
    await insert_group(database, 100)
    engine = replaying(database, Wire())
    replays = [await start(database, engine, Selection(group=GROUP)) for _ in range(3)]

    async def nothing(*_: Any, **__: Any) -> None: ...

    broken = Replayer(
        WithoutComparison(database, lease=timedelta(seconds=2)),
        engine.stories.edit.documents,
        engine.stories.edit.who_is_ours,
        announce=nothing,
        publish=engine.stories.edit.announce,  # pyright: ignore[reportArgumentType] - there is no record to publish
        clock=SYSTEM_CLOCK,
    )
    task = asyncio.ensure_future(broken.run())
    try:
        for replay_id in replays:
            await until(engine, replay_id, "completed")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await replayed_times(database) != {1: 100}
