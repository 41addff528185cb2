"""Plans with a large backlog: the claim, the closer and the sweeper each read their own small index."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from common.db.pool import Database
from common.db.sweeper import Sweep, Sweeper
from common.invoice.stage import Stage
from fetcher.adapters.postgres_closing import PostgresClosing
from sender.adapters.postgres import PostgresClaims
from sender.domain.evidence import Rules

pytestmark = [pytest.mark.stack, pytest.mark.slow]

BACKLOG = 30_000
RULES = Rules(lookup=True, settle=timedelta(seconds=180), key_life=timedelta(hours=24))
DOSSIERS = [f"dossier-{number}" for number in range(20)]
FILL = """
WITH job AS (INSERT INTO jobs (job_type, status) VALUES ('manual', 'running') RETURNING id),
made AS (
    INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, raw_sha256, wake_at, dossier, dedupe_key,
        reference, direction, kind)
    SELECT job.id, 'source-' || n, repeat('x', 500),
        CASE WHEN n % 10 = 0 THEN 'sent' ELSE 'pending' END,
        CASE n % 10 WHEN 0 THEN 'sent' WHEN 1 THEN 'fetched' ELSE 'validated' END,
        '', CASE WHEN n % 10 = 1 AND n % 50 <> 1 THEN now() + interval '1 h' ELSE now() - n * interval '1 ms' END,
        'dossier-' || n / 10 % 20, 'key-' || n, gen_random_uuid(), 'SALE', 'invoice'
    FROM job, generate_series(1, $1::int) AS n
    RETURNING id, dossier, dedupe_key
)
INSERT INTO invoice_keys (dossier, dedupe_key, holder, generation) SELECT dossier, dedupe_key, id, 0 FROM made
"""


class Explaining(Database):
    """Explains, on the real database, every statement that it is given, and answers with no rows."""

    def __init__(self, real: Database) -> None:
        self.real = real
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        async with self.real.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args)
            await transaction.rollback()
        self.plans += explained
        return []


@pytest.fixture
async def explaining(database: Database) -> Explaining:
    await database.execute(FILL, BACKLOG)
    await database.execute("ANALYZE")
    return Explaining(database)


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(one for child in node.get("Plans", []) for one in nodes(child))]


def scans(explained: dict[str, Any]) -> list[dict[str, Any]]:
    """The scans of invoices that really ran and met rows."""
    return [
        node
        for node in nodes(explained["Plan"])
        if "Scan" in node["Node Type"]
        and node["Actual Loops"]
        and (
            str(node.get("Relation Name", "")).startswith("invoices_2")
            or "invoices_2" in str(node.get("Index Name", ""))
        )
    ]


def indexes(explained: dict[str, Any]) -> set[str]:
    """The indexes, by their columns, of this month's partition; `none` for a walk through the table."""
    return {"_".join(str(node.get("Index Name", "none")).split("_")[2:]) or "none" for node in scans(explained)}


def read(explained: dict[str, Any]) -> float:
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in scans(explained)
    )


async def test_the_claim_reads_its_own_index_and_little_more_than_it_takes(explaining: Explaining) -> None:
    await PostgresClaims(explaining, RULES).claim(DOSSIERS, 40, timedelta(seconds=90))
    (explained,) = explaining.plans
    assert indexes(explained) == {"dossier_wake_at_id_idx", "pkey"}, scans(explained)
    assert read(explained) < 500


async def test_finding_the_dossiers_costs_some_probes_each(explaining: Explaining) -> None:
    await PostgresClaims(explaining, RULES).dossiers_due()
    (explained,) = explaining.plans
    assert indexes(explained) == {"dossier_wake_at_id_idx"}, scans(explained)
    assert read(explained) < 100


async def test_the_closer_reads_the_index_of_what_is_open(explaining: Explaining) -> None:
    await explaining.real.execute("UPDATE jobs SET listed_at = now()")
    await PostgresClosing(explaining).finished()
    await explaining.real.execute("UPDATE invoices SET status = 'sent', stage = 'sent' WHERE stage <> 'sent'")
    await explaining.real.execute("ANALYZE")
    await PostgresClosing(explaining).finished()
    busy, done = explaining.plans
    assert read(busy) < 500, scans(busy)
    assert "job_id_idx1" in indexes(done), scans(done)
    assert read(done) < 500, scans(done)


async def test_the_sweeper_reads_the_index_of_what_is_due(explaining: Explaining) -> None:
    async def work(_: Sequence[object]) -> None:
        raise AssertionError("nothing was returned")

    await Sweeper(explaining, (), service="test", batch=50).once(Sweep(Stage.FETCHED, work))
    (explained,) = explaining.plans
    assert indexes(explained) <= {"stage_wake_at_idx", "pkey"}, scans(explained)
    assert "stage_wake_at_idx" in indexes(explained)
    assert read(explained) < 300
