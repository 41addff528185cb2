"""What must hold after heal and drain, found from three sides: the source's ids, our rows, the oracle's log.

It shares no code with the services and trusts none of their counts; from `common` it takes the table of legal moves.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from common.invoice.stage import NEXT, Stage
from sandbox.oracle import Accepted, Oracle
from tests.chaos.questions import QUESTIONS

SERVICES = ("fetcher", "validator", "sender", "notifier")
TOLERANCE = timedelta(milliseconds=50)
"""Between the clock of the database and that of the destination: one machine, two processes."""
LOSSES = ("lost", "not_on_a_page", "sent_but_not_accepted", "job_lost")
_SHOWN = 3

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is judged: all of the run, or what came after a moment of it."""

    ids: frozenset[str]
    after_line: int = 0
    """Lines of the oracle's log that belong to somebody else."""
    since: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    """Jobs that were made before belong to somebody else."""
    announced: frozenset[str] = frozenset()
    """Jobs of which only a record tells."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken` has the number and examples of each thing that must not be; empty means that every promise held."""

    listed: int
    accepted: int
    buckets: Mapping[str, int]
    resolved: int
    """Rows whose outcome was unknown for a time and that ended as sent."""
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @property
    def lost(self) -> int:
        return sum(len(self.broken.get(name, ())) for name in LOSSES)

    @property
    def duplicated(self) -> int:
        return len(self.broken.get("accepted_twice", ()))

    @property
    def held(self) -> int:
        return self.buckets.get("held", 0)

    @property
    def violations(self) -> list[str]:
        """One line each."""
        return [f"{name}: {len(found)}, e.g. {list(found[:_SHOWN])}" for name, found in self.broken.items() if found]


async def check(database_url: str, oracle: Path, scope: Scope) -> Verdict:
    """Judge what the system did with the documents of `scope`; it must have come to rest."""
    accepted = Oracle(oracle).accepted()[scope.after_line :]
    connection: Connection = await asyncpg.connect(database_url)
    try:
        await _lay_out(connection, scope, accepted)
        broken = {name: await _ask(connection, sql) for name, sql in QUESTIONS.items()}
        buckets = await connection.fetch("SELECT status, count(*) FROM mine GROUP BY status")
        resolved = await connection.fetchval(
            "SELECT count(*) FROM mine WHERE status = 'sent' AND EXISTS (SELECT FROM invoice_events e "
            "WHERE e.invoice_id = mine.id AND e.stage = 'unknown')"
        )
    finally:
        await connection.close()
    return Verdict(
        listed=len(scope.ids),
        accepted=len(accepted),
        buckets={row["status"]: row["count"] for row in buckets},
        resolved=int(resolved),
        broken={"accepted_twice": _twice(accepted), **broken},
    )


async def _lay_out(connection: Connection, scope: Scope, accepted: Sequence[Accepted]) -> None:
    """The three sides as tables that one question can compare."""
    await connection.execute(
        """
        CREATE TEMP TABLE listed (id text PRIMARY KEY);
        CREATE TEMP TABLE accepted (at timestamptz, uuid text, reference text, sha256 text);
        CREATE TEMP TABLE legal (before text, after text);
        CREATE TEMP TABLE automatic (actor text);
        CREATE TEMP TABLE announced (id uuid);
        """
    )
    await connection.copy_records_to_table("announced", records=[(name,) for name in scope.announced])
    await connection.copy_records_to_table("listed", records=[(name,) for name in scope.ids])
    await connection.copy_records_to_table("accepted", records=[_record(line) for line in accepted])
    moves = [(before.value, after.value) for before in Stage for after in NEXT[before]]
    await connection.copy_records_to_table("legal", records=moves)
    await connection.copy_records_to_table("automatic", records=[(name,) for name in SERVICES])
    await connection.execute(
        """
        CREATE TEMP TABLE mine AS SELECT i.* FROM invoices i JOIN listed ON listed.id = i.invoice_id;
        CREATE INDEX ON mine (id); CREATE INDEX ON mine (reference); CREATE INDEX ON accepted (reference);
        ANALYZE mine; ANALYZE accepted; ANALYZE listed;
        """
    )
    await connection.execute(
        f"CREATE TEMP TABLE my_jobs AS SELECT * FROM jobs WHERE created_at >= '{scope.since.isoformat()}'"
    )


def _record(line: Accepted) -> tuple[Any, ...]:
    return datetime.fromisoformat(line.accepted_at) + TOLERANCE, line.uuid, line.reference, line.sha256


async def _ask(connection: Connection, sql: str) -> Sequence[str]:
    return [str(row[0]) for row in await connection.fetch(sql)]


def _twice(accepted: Sequence[Accepted]) -> Sequence[str]:
    """Each acceptance too many: of one document, or of one reference."""
    by_document = Counter(line.identity for line in accepted)
    by_reference = Counter(line.reference for line in accepted)
    documents = [f"{key[4]} x{number}" for key, number in by_document.items() for _ in range(number - 1)]
    references = [f"{key} x{number}" for key, number in by_reference.items() for _ in range(number - 1)]
    return max(documents, references, key=len)
