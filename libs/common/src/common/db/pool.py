"""The connection pool, and what a database error means for the work in hand."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import orjson

from common.db.statements import statements_traced
from common.errors import ConfigurationError, DatabaseTimeout, Deadlock, InfrastructureError, RowFault
from common.waits import declared

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Row: TypeAlias = asyncpg.Record
Connection: TypeAlias = "PoolConnectionProxy[Row]"

CONNECT_TIMEOUT = 5.0
ACQUIRE_TIMEOUT = 10.0
COMMAND_TIMEOUT = 30.0
LONGEST = ACQUIRE_TIMEOUT + CONNECT_TIMEOUT + COMMAND_TIMEOUT
"""How long one statement may keep a consumer waiting, in seconds: declared, so that its watchdog lets it."""
_SERVER_SETTINGS = {
    # Here and not by SET: the pool resets a SET when a connection is given back.
    "transaction_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
    "statement_timeout": "25s",
    "timezone": "UTC",
    "jit": "off",  # no statement of ours is long enough to be worth compiling
}
_STABLE_PLANS = {
    # Planned once, by primary key and index alone, whatever the statistics of the moment say: planning each claim anew
    # costs more than the claim, and a plan made while a table was empty must not read it whole an hour later.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # seen on a connection that was cut at the wrong instant
    OSError,
    TimeoutError,
)
_TIMEOUTS = frozenset({"57014", "55P03", "25P03", "25P04"})
_ROW_FAULTS = frozenset({"22", "23", "54"})  # wrong value, broken constraint, too large for an index
_DEADLOCKS = frozenset({"40P01", "40001"})


def translate(error: Exception) -> Exception:
    """What a driver's error means; an error without a code proves nothing about the database's side."""
    if timeout := _timeout_behind(error):
        return DatabaseTimeout(f"{timeout}: {error}")
    if isinstance(error, asyncpg.PostgresError):
        code = str(getattr(error, "sqlstate", None) or "")
        if code[:2] in _ROW_FAULTS:
            return RowFault(f"{code}: {error}")
        if code in _DEADLOCKS:
            return Deadlock(f"{code}: {error}")
        return InfrastructureError(f"database: {code or type(error).__name__}: {error}")
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return RowFault(str(error))  # the driver cannot encode a value; its class has the name of a server's error
    return InfrastructureError(f"database: {type(error).__name__}: {error}")


def _timeout_behind(error: BaseException | None) -> str | None:
    """The code of a timeout by which the server ended the session: the driver then raises that the session is gone."""
    while error is not None:
        if (code := str(getattr(error, "sqlstate", None))) in _TIMEOUTS:
            return code
        error = error.__cause__ or error.__context__
    return None


class Connections:
    """How many connections a pool has made: each may lead to another state of the database than the ones before."""

    def __init__(self) -> None:
        self.made = 0

    async def prepare(self, connection: "asyncpg.Connection[Row]") -> None:
        self.made += 1
        await _prepare(connection)


class Database:
    """A pool whose errors are translated. One statement per call, or a transaction."""

    def __init__(self, pool: "asyncpg.Pool[Row]", connections: Connections | None = None) -> None:
        self._pool = pool
        self._connections = connections or Connections()

    @property
    def connections_made(self) -> int:
        """Grows with every new connection; counted before that connection's first statement."""
        return self._connections.made

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection, None]:
        """Yield a connection; raise RowFault, DatabaseTimeout, Deadlock or InfrastructureError."""
        try:
            with declared(LONGEST):
                async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection:
                    with statements_traced(connection):
                        yield connection
        except _DRIVER_ERRORS as error:
            raise translate(error) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection, None]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        async with self.connection() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        async with self.connection() as connection:
            return await connection.execute(sql, *args)

    async def is_there(self) -> bool:
        """Whether a trivial query is answered within a second."""
        try:
            async with self._pool.acquire(timeout=1.0) as connection:
                return await connection.fetchval("SELECT 1", timeout=1.0) == 1
        except _DRIVER_ERRORS:
            return False

    async def close(self) -> None:
        """Give the connections back; after five seconds cut them."""
        try:
            await asyncio.wait_for(self._pool.close(), 5.0)
        except TimeoutError:
            self._pool.terminate()


async def connect(url: str, *, application: str, connections: int, stable_plans: bool = False) -> Database:
    """Open a pool of 1 to `connections`; `stable_plans` for services that only touch rows which they know by id.

    Raises ConfigurationError for a URL, user or database that can never work, InfrastructureError when it is not there.
    """
    made = Connections()
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=connections,
            timeout=CONNECT_TIMEOUT,
            command_timeout=COMMAND_TIMEOUT,
            server_settings={
                **_SERVER_SETTINGS,
                **(_STABLE_PLANS if stable_plans else {}),
                "application_name": application,
            },
            init=made.prepare,
            reset=_nothing_to_reset,
        )
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise ConfigurationError(f"DATABASE_URL does not work: {error}; check user, password and database") from None
    except ValueError:  # its text may hold a part of the password
        raise ConfigurationError(
            "DATABASE_URL is no address of a database; write postgresql://user:password@host:port/database, "
            "with %-escapes for special characters"
        ) from None
    except _DRIVER_ERRORS as error:
        raise InfrastructureError(f"database: {type(error).__name__}: {error}") from error
    return Database(pool, made)


async def _nothing_to_reset(_: object) -> None:
    """Instead of RESET ALL and three more after each use: we set, listen to and lock nothing by session."""


async def _prepare(connection: "asyncpg.Connection[Row]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode_json, decoder=orjson.loads, format="text"
        )


def _encode_json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
