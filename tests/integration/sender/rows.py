"""Rows that may be sent, with their keys, and what became of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database, Row
from sender.adapters.postgres import PostgresClaims
from sender.adapters.postgres_unknowns import PostgresUnknowns
from sender.domain import Claim
from sender.domain.evidence import Rules

LEASE = timedelta(seconds=90)
SETTLE = timedelta(seconds=180)
RULES = Rules(lookup=True, settle=SETTLE, key_life=timedelta(hours=24), key_margin=timedelta(hours=1))


async def ready_row(database: Database, *, dossier: str = "0123456749", due: float = 1.0, **changes: Any) -> UUID:
    """A validated row that holds its key and has been due for `due` seconds."""
    row_id = SYSTEM_CLOCK.new_id()
    key = changes.pop("dedupe_key", f"key-{row_id}")
    columns: dict[str, Any] = {
        "id": row_id,
        "invoice_id": f"source-{row_id}",
        "ubl_data": "<Invoice>é</Invoice>",
        "status": "pending",
        "stage": "validated",
        "raw_sha256": b"",
        "dossier": dossier,
        "dedupe_key": key,
        "direction": "SALE",
        "kind": "invoice",
        "reference": uuid4(),
    } | changes
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    await database.execute(f"INSERT INTO invoices ({', '.join(columns)}) VALUES ({places})", *columns.values())
    await database.execute("UPDATE invoices SET wake_at = now() - make_interval(secs => $2) WHERE id = $1", row_id, due)
    await database.execute(
        "INSERT INTO invoice_keys VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING", dossier, key, row_id
    )
    return row_id


@dataclass(frozen=True, slots=True)
class Desk:
    """The real claims, and a look at the rows behind them."""

    database: Database
    claims: PostgresClaims
    unknowns: PostgresUnknowns

    async def pass_time(self, row_id: UUID, passed: timedelta) -> None:
        """As if the row and all that was tried with it were older by that."""
        await self.database.execute(
            """WITH older AS (
                   UPDATE attempts SET started_at = started_at - $2::interval, lease_until = lease_until - $2::interval,
                       looked_up_at = looked_up_at - $2::interval WHERE invoice_id = $1
               )
               UPDATE invoices SET wake_at = wake_at - $2::interval, first_failed_at = first_failed_at - $2::interval
               WHERE id = $1""",
            row_id,
            passed,
        )

    async def alerts(self) -> list[tuple[str, str, str]]:
        rows = await self.database.fetch("SELECT kind, subject, severity FROM alerts WHERE closed_at IS NULL")
        return [(row["kind"], row["subject"], row["severity"]) for row in rows]

    async def claim(self, limit: int = 10, *, dossiers: tuple[str, ...] = ("0123456749",)) -> list[Claim]:
        return [claim for claim, _ in await self.claims.claim(dossiers, limit, LEASE)]

    async def one(self, **changes: Any) -> Claim:
        """A row, claimed."""
        row = await ready_row(self.database, **changes)
        (claim,) = [claim for claim in await self.claim() if claim.id == row]
        return claim

    async def row(self, row_id: UUID) -> Row:
        row = await self.database.fetchrow("SELECT *, wake_at - now() AS wait FROM invoices WHERE id = $1", row_id)
        assert row is not None
        return row

    async def stage(self, row_id: UUID) -> tuple[str, str | None, bool]:
        row = await self.row(row_id)
        return row["stage"], row["reason"], row["maybe_sent"]

    async def attempts(self, row_id: UUID) -> list[tuple[str | None, str | None]]:
        rows = await self.database.fetch(
            "SELECT outcome, uuid FROM attempts WHERE invoice_id = $1 ORDER BY number", row_id
        )
        return [(row["outcome"], row["uuid"]) for row in rows]

    async def version(self, row_id: UUID) -> int:
        version: int = (await self.row(row_id))["version"]
        return version
