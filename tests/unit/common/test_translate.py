"""What a database error means for the work in hand."""

import asyncpg
import pytest

from common.db.pool import translate
from common.errors import DatabaseTimeout, Deadlock, InfrastructureError, RowFault


class DriverDataError(asyncpg.InterfaceError, ValueError):
    """As the driver's own, which is private; tests/integration/common/test_pool.py raises the real one."""


CASES: list[tuple[Exception, type[Exception]]] = [
    (asyncpg.NumericValueOutOfRangeError("22003"), RowFault),
    (asyncpg.CharacterNotInRepertoireError("22021"), RowFault),
    (asyncpg.UntranslatableCharacterError("22P05"), RowFault),
    (asyncpg.UniqueViolationError("23505"), RowFault),
    (asyncpg.NotNullViolationError("23502"), RowFault),
    (asyncpg.CheckViolationError("23514"), RowFault),
    (DriverDataError("invalid input for query argument $1: value out of int32 range"), RowFault),
    (asyncpg.QueryCanceledError("57014"), DatabaseTimeout),
    (asyncpg.LockNotAvailableError("55P03"), DatabaseTimeout),
    (asyncpg.IdleInTransactionSessionTimeoutError("25P03"), DatabaseTimeout),
    (asyncpg.DeadlockDetectedError("40P01"), Deadlock),
    (asyncpg.SerializationError("40001"), Deadlock),
    (asyncpg.AdminShutdownError("57P01"), InfrastructureError),
    (asyncpg.TooManyConnectionsError("53300"), InfrastructureError),
    (asyncpg.DiskFullError("53100"), InfrastructureError),
    (asyncpg.UndefinedTableError("42P01"), InfrastructureError),
    (asyncpg.ReadOnlySQLTransactionError("25006"), InfrastructureError),
    (asyncpg.ConnectionDoesNotExistError("closed in the middle"), InfrastructureError),
    (asyncpg.InterfaceError("connection is closed"), InfrastructureError),
    (ConnectionResetError(), InfrastructureError),
    (TimeoutError(), InfrastructureError),
]


@pytest.mark.parametrize(("error", "meaning"), CASES, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_an_error_says_what_the_machine_must_do(error: Exception, meaning: type[Exception]) -> None:
    assert type(translate(error)) is meaning


def test_a_transaction_that_took_too_long_is_a_timeout() -> None:
    error = asyncpg.PostgresError("terminating connection due to transaction timeout")
    error.sqlstate = "25P04"  # pyright: ignore[reportAttributeAccessIssue] - asyncpg has no class for it yet
    assert type(translate(error)) is DatabaseTimeout
