"""How long the list of failures takes at a million failed rows and a million unreadable records.

`python -m benchmarks.failures [--rows N] [--json]`: a PostgreSQL of its own, filled by SQL, asked as the gateway asks.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from benchmarks.asking import command, timed
from common.db.pool import Database
from gateway.adapters.postgres_failures import PostgresFailures
from gateway.adapters.postgres_replay_readings import PostgresReplayReadings
from gateway.domain.causes import fingerprint
from gateway.domain.failures import Kind, Selection

JOBS, REPEATS = 100, 40

# Skewed: half of all failures have one of three causes, as after a bad deploy.
_INVOICES = """
INSERT INTO invoices (id, job_id, invoice_id, ubl_data, status, stage, reason, error_message, processed_at, raw_sha256,
    dossier, number, supplier_name, currency, amount, dedupe_key, version)
SELECT uuidv7(make_interval(secs => -s.n * 0.1)), j.id, 'SRC-' || s.n, '<Invoice/>', 'failed', 'failed',
    CASE WHEN s.n % 10 = 0 THEN 'refused' ELSE 'invalid' END,
    'RULE-' || c.cause || ': the total ' || s.n || '.25 of "' || md5(s.n::text) || '" is not what was expected',
    now() - make_interval(secs => s.n * 0.1), decode(md5(s.n::text), 'hex'), '0' || (s.n % 500), 'INV-' || s.n,
    'Supplier ' || s.n % 1000, 'EUR', s.n % 1000, 'key-' || s.n, 2
FROM generate_series($1::int, $2::int) AS s(n)
CROSS JOIN LATERAL (SELECT CASE WHEN s.n % 2 = 0 THEN s.n % 3 ELSE s.n % 30 END AS cause) AS c
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM jobs) AS j ON j.place = s.n % 100
"""
_RECORDS = """
INSERT INTO dead_letters (cluster, topic, partition, record_offset, consumer_group, sha256, value, headers, cause,
    created_at)
SELECT 'local', 'invoices.' || CASE WHEN n % 2 = 0 THEN 'fetched' ELSE 'validated' END || '.v1', n % 6, n, 'validator',
    '\\x00', '{}', '{}', 'kind_' || n % 15 || ': expected a value at line ' || n,
    now() - make_interval(secs => n * 0.1)
FROM generate_series($1::int, $2::int) AS s(n)
"""
_STEP = 50_000


async def fill(database: Database, rows: int) -> None:
    """`rows` failed rows and as many records."""
    await database.execute(
        "INSERT INTO jobs (job_type, status) SELECT 'manual', 'completed' FROM generate_series(1, $1)", JOBS
    )
    for start in range(1, rows + 1, _STEP):
        await database.execute(_INVOICES, start, min(rows, start + _STEP - 1))
        await database.execute(_RECORDS, start, min(rows, start + _STEP - 1))
    for table in ("invoices", "dead_letters"):
        await database.execute(f"VACUUM (ANALYZE) {table}")


async def measured(ask: Callable[[int], Awaitable[Any]]) -> dict[str, float]:
    """Milliseconds: median and 95th percentile of `REPEATS`."""
    took = await timed(ask, REPEATS)
    return {"p50_ms": round(took[len(took) // 2], 1), "p95_ms": round(took[int(len(took) * 0.95)], 1)}


async def measure(database: Database, rows: int) -> dict[str, Any]:
    """Each question that the list of failures is asked."""
    failures, readings = PostgresFailures(database), PostgresReplayReadings(database)
    some = await failures.page(Selection(), after=None, limit=50)
    middle = some[0].at - timedelta(seconds=rows * 0.05)
    deep = await failures.page(Selection(kind=Kind.INVOICE, until=middle), after=None, limit=1)
    job = await database.fetchval("SELECT id FROM jobs LIMIT 1")
    rare = fingerprint("invalid", 'RULE-29: the total 1.25 of "x" is not what was expected')
    asked: dict[str, Selection] = {
        "list": Selection(),
        "list, one cause": Selection(group=some[0].group),
        "list, a rare cause": Selection(group=rare),
        "list, one reason": Selection(reason="refused"),
        "list, a reason that is nowhere": Selection(reason="parked"),
        "list, one job": Selection(job_id=job),
        "list, one dossier": Selection(dossier="0499"),
        "list, one topic": Selection(topic="invoices.fetched.v1"),
        "list, a window of time": Selection(until=deep[0].at),
        "list, a text that is there": Selection(text="RULE-1:"),
        "list, a text that is nowhere": Selection(text="nowhere"),
    }
    found: dict[str, Any] = {"rows_each": rows}
    for name, chosen in asked.items():
        found[name] = await measured(lambda _, chosen=chosen: failures.page(chosen, after=None, limit=50))
    position = (deep[0].at, deep[0].id)
    found["list, a page deep inside"] = await measured(lambda _: failures.page(Selection(), after=position, limit=50))
    found["groups"] = await measured(lambda _: failures.groups())
    found["show"] = await measured(lambda turn: failures.one(some[turn % len(some)].id))
    began = time.perf_counter()
    await readings.preview(Selection(kind=Kind.INVOICE), 10_000)
    found["rehearsal of 10,000"] = {"ms": round((time.perf_counter() - began) * 1000, 1)}
    return found


if __name__ == "__main__":
    command(__doc__, fill, measure)
