"""The pool on the real database: settings that stay, and what its errors mean."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from common.db.pool import Connection, Database, connect
from common.errors import ConfigurationError, DatabaseTimeout, Deadlock, InfrastructureError, RowFault
from common.halves import in_halves
from tests.integration.common.rows import insert_row

pytestmark = pytest.mark.stack

LIMITS = {
    "transaction_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
    "statement_timeout": "25s",
    "TimeZone": "UTC",
    "jit": "off",
    "application_name": "one",
}


@pytest.fixture
async def single(database_url: str) -> AsyncGenerator[Database]:
    """A pool of exactly one connection."""
    pool = await connect(database_url, application="one", connections=1)
    yield pool
    await pool.close()


async def test_the_limits_of_a_session_survive_that_its_connection_is_given_back(single: Database) -> None:
    backend = await single.fetchval("SELECT pg_backend_pid()")
    for _ in range(3):
        async with single.connection() as connection:
            assert {name: await connection.fetchval(f"SHOW {name}") for name in LIMITS} == LIMITS
    assert await single.fetchval("SELECT pg_backend_pid()") == backend


async def test_json_is_json_after_that_too(single: Database) -> None:
    for _ in range(2):
        assert await single.fetchval("SELECT $1::jsonb", {"a": [1, None, "é"]}) == {"a": [1, None, "é"]}


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        ("SELECT 1 / $1::int", [0]),
        ("SELECT $1::text", ["\x00"]),
        ("SELECT $1::text", ["\ud800"]),
        ("SELECT $1::int", [2**40]),
        ("SELECT $1::text::jsonb", ['"\\u0000"']),
        ("INSERT INTO jobs (job_type, status) VALUES ('manual', $1)", ["resting"]),
        ("INSERT INTO configuration (key, value) VALUES ('k', $1)", [None]),
    ],
)
async def test_a_value_that_cannot_be_is_its_rows_fault(single: Database, sql: str, arguments: list[object]) -> None:
    with pytest.raises(RowFault):
        await single.execute(sql, *arguments)
    assert await single.is_there()


async def test_a_statement_a_lock_and_a_transaction_that_take_too_long_are_timeouts(database: Database) -> None:
    row = await insert_row(database)
    with pytest.raises(DatabaseTimeout, match="57014"):
        await _too_long(database, "statement_timeout", "SELECT pg_sleep(5)")
    async with database.transaction() as holder:
        await holder.execute("SELECT FROM invoices WHERE id = $1 FOR UPDATE", row)
        with pytest.raises(DatabaseTimeout, match="55P03"):
            await _too_long(database, "lock_timeout", f"SELECT FROM invoices WHERE id = '{row}' FOR UPDATE")
    with pytest.raises(DatabaseTimeout, match="25P04"):
        await _too_long(database, "transaction_timeout", "SELECT pg_sleep(5)")
    assert await database.is_there()


async def _too_long(database: Database, limit: str, sql: str) -> None:
    async with database.connection() as connection:
        await connection.execute(f"SET {limit} = '50ms'")
        async with connection.transaction():
            await connection.execute(sql)


async def test_one_of_two_who_wait_for_each_other_is_told_to_try_again(database: Database) -> None:
    rows = [await insert_row(database), await insert_row(database)]
    meeting = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with database.transaction() as connection:
            await _lock(connection, rows[first])
            await meeting.wait()
            await _lock(connection, rows[second])

    results = await asyncio.gather(lock(0, 1), lock(1, 0), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Deadlock]


async def _lock(connection: Connection, row: object) -> None:
    await connection.execute("SELECT FROM invoices WHERE id = $1 FOR UPDATE", row)


async def test_a_connection_that_is_cut_is_infrastructure_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(InfrastructureError):
        await database.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await database.is_there()
    with pytest.raises(InfrastructureError):
        await _cut_in_a_transaction(database)
    assert await database.is_there()


async def _cut_in_a_transaction(database: Database) -> None:
    async with database.transaction() as connection:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        await database.execute("SELECT pg_terminate_backend($1, 2000)", backend)
        await connection.execute("SELECT 1")


async def test_halving_finds_the_row_that_the_database_refuses(database: Database) -> None:
    names = [f"name-{number}" for number in range(100)]
    names[37] = "nul \x00"
    parked: list[str] = []

    async def insert(batch: list[str] | tuple[str, ...] | object) -> list[str]:
        rows = await database.fetch(
            "INSERT INTO configuration (key, value) SELECT n, '' FROM unnest($1::text[]) AS n RETURNING key", batch
        )
        return [row["key"] for row in rows]

    async def park(name: str, _: RowFault) -> list[str]:
        parked.append(name)
        return []

    stored = await in_halves(names, insert, park)
    assert parked == ["nul \x00"]
    assert len(stored) == await database.fetchval("SELECT count(*) FROM configuration") == 99


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.replace("@", f"x{SECRET}@"),
        lambda url: url.rsplit("/", 1)[0] + "/no_such_database",
        lambda url: f"postgresql://nobody:{SECRET}@{url.rsplit('@', 1)[1]}",
        lambda url: f"postgresql://user:{SECRET}/with-slash@{url.rsplit('@', 1)[1]}",
        lambda url: f"mysql://user:{SECRET}@localhost/x",
        lambda _: SECRET,
        lambda _: f"postgresql://user:{SECRET}@localhost:notaport/x",
    ],
    ids=["password", "database", "user", "slash", "scheme", "no url", "port"],
)
async def test_a_url_that_can_never_work_is_one_line_without_its_secret(database_url: str, spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(ConfigurationError) as caught:
        await connect(str(spoil(database_url)), application="test", connections=1)
    line = str(caught.value)
    assert line.startswith("DATABASE_URL")
    assert SECRET not in line
    assert "\n" not in line


async def test_a_database_that_is_not_there_is_waited_for(database_url: str) -> None:
    nowhere = database_url.rsplit(":", 1)[0] + ":1/x"
    with pytest.raises(InfrastructureError):
        await connect(nowhere, application="test", connections=1)
