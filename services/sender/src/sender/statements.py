"""Reading back what a person stated: only the sender can ask the destination."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeGuard
from uuid import UUID

import structlog

from common.invoice.move import Moved
from sender.domain import ReadBack
from sender.domain.statements import Believed, Contradicted, NotNow, Reply, Statement, by_lookup, by_read_back
from sender.ports import Destination, Key

log = structlog.get_logger()

Announce = Callable[[Sequence[Moved]], Awaitable[None]]
UNREAD = "not possible: this destination cannot be asked"


class Readable(Protocol):
    """A destination that tells of a document by its uuid. `read_back` never raises for what the destination does."""

    async def read_back(self, uuid: str, reference: UUID) -> ReadBack: ...


class Statements(Protocol):
    """Held rows of which a person gave the uuid."""

    async def statements(self, keys: Sequence[Key]) -> Sequence[Statement]:
        """Those that still wait at that version."""
        ...

    async def conclude(self, statement: Statement, reply: Reply) -> Moved | None:
        """Move the row as the reply says; None where it waits on, or moved meanwhile."""
        ...


class ReadStatements:
    def __init__(self, statements: Statements, destination: Destination, announce: Announce) -> None:
        self._statements = statements
        self._destination = destination
        self._announce = announce

    async def __call__(self, keys: Sequence[Key]) -> None:
        """Work leased rows with the reason `stated`, one after the other: people are slow."""
        for statement in await self._statements.statements(keys):
            reply = await self._ask(statement)
            moved = await self._statements.conclude(statement, reply)
            log.info("statement_read_back", invoice=str(statement.id), reply=_word(reply))
            if moved is not None:
                await self._announce([moved])

    async def _ask(self, statement: Statement) -> Reply:
        if _is_readable(self._destination):
            return by_read_back(statement, await self._destination.read_back(statement.uuid, statement.reference))
        if self._destination.lookup:
            return by_lookup(statement, await self._destination.find(statement.reference))
        return Believed(statement.uuid, UNREAD)


def _is_readable(destination: object) -> TypeGuard[Readable]:
    return hasattr(destination, "read_back")


def _word(reply: Reply) -> str:
    match reply:
        case Believed():
            return "believed"
        case Contradicted():
            return "contradicted"
        case NotNow():
            return "no answer"
