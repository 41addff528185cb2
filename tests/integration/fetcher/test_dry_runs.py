"""Dry runs on the real database: what they say, and that nothing else ever knows of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.db.pool import Row
from common.invoice.stage import Reason, Stage
from fetcher.adapters.postgres_dry_run_ends import PostgresDryRunEnds
from fetcher.adapters.postgres_dry_run_pages import PostgresDryRunPages
from fetcher.adapters.postgres_dry_runs import PostgresDryRuns
from fetcher.domain import Listed
from fetcher.dry_runs import CloseDryRuns
from fetcher.planning import Plan
from fetcher.ports import LeasedJob, LeaseLost
from tests.integration.fetcher.world import OVERLAP, World, after, document, item, page

pytestmark = pytest.mark.stack

LEASE, HOUR = timedelta(seconds=15), timedelta(hours=1)

_ORDER = """
INSERT INTO dry_runs (id, triggered_by, fingerprint, invoice_ids, force_processing, estimated_completion, created_at,
    expires_at)
VALUES ($1, $2, '', $3, $4, now(), now(), now() + interval '24 h')
"""
_USER = """
INSERT INTO users (id, username, email, password_hash) VALUES ($1, 'dry', 'dry@example.test', '')
ON CONFLICT (username) DO UPDATE SET is_active = TRUE RETURNING id
"""
_LEFT = """
SELECT (SELECT count(*) FROM invoices) + (SELECT count(*) FROM invoice_keys) + (SELECT count(*) FROM jobs)
    + (SELECT count(*) FROM job_pages) + (SELECT count(*) FROM watermarks) + (SELECT count(*) FROM invoice_events)
    + (SELECT count(*) FROM attempts) + (SELECT count(*) FROM notifications)
"""


class DryRuns:
    """The fetcher's side of dry runs, and what a test does in the place of the gateway and the validator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs = PostgresDryRuns(
            world.database, lease=LEASE, overlap=OVERLAP, full_listing_every=timedelta(days=7), deadline=HOUR
        )
        self.pages = PostgresDryRunPages(world.database, world.plan, lease=LEASE)
        self.close = CloseDryRuns(PostgresDryRunEnds(world.database, deadline=HOUR)).close

    async def order(self, *, ids: Sequence[str] | None = None, force: bool = False) -> UUID:
        user = await self.world.database.fetchval(_USER, uuid4())
        run = uuid4()
        await self.world.database.execute(_ORDER, run, user, ids, force)
        return run

    async def lease(self) -> LeasedJob:
        (run,) = await self.runs.lease(1)
        return run

    async def listed(self, *items: Listed, **order: Any) -> LeasedJob:
        """A dry run whose whole listing is one page."""
        await self.order(**order)
        run = await self.lease()
        assert await self.pages.record(run, page(*items)) == ()
        return run

    async def judge(self, invalid: str = "") -> None:
        await self.world.database.execute(
            """UPDATE dry_run_items SET document = NULL, wake_at = NULL,
                   outcome = CASE WHEN source_id = $1 THEN 'would_fail' ELSE 'would_go' END,
                   reason = CASE WHEN source_id = $1 THEN 'invalid' END
               WHERE outcome = 'open'""",
            invalid,
        )

    async def outcomes(self, run: LeasedJob) -> list[tuple[str, str, str | None]]:
        rows = await self.world.database.fetch(
            "SELECT source_id, outcome, reason FROM dry_run_items WHERE dry_run_id = $1 ORDER BY source_id, id", run.id
        )
        return [(row["source_id"], row["outcome"], row["reason"]) for row in rows]

    async def row(self, run: LeasedJob) -> Row:
        row = await self.world.database.fetchrow("SELECT * FROM dry_runs WHERE id = $1", run.id)
        assert row is not None
        return row


@pytest.fixture
async def dry(world: World) -> DryRuns:
    await world.database.execute("DELETE FROM switches")
    return DryRuns(world)


async def test_a_dry_run_ends_with_its_counts_and_leaves_nothing_that_a_job_could_meet(dry: DryRuns) -> None:
    run = await dry.listed(item("s-1"), item("s-2"), item("s-3", "no document"), item("s-4", document("s-1")))
    await dry.close()
    assert (await dry.row(run))["status"] == "running"  # two wait for the validator
    await dry.judge(invalid="s-2")
    await dry.close()
    row = await dry.row(run)
    assert (row["status"], row["error"]) == ("completed", None)
    assert {name: count["invoices"] for name, count in row["counts"].items()} == {
        "would_go": 1, "would_fail": 2, "duplicate": 1,
    }  # fmt: skip
    assert row["counts"]["would_go"]["amounts"] == {"EUR": "121.00"}
    assert await dry.world.database.fetchval(_LEFT) == 0


async def test_a_job_after_and_beside_a_dry_run_finds_everything_new(dry: DryRuns) -> None:
    items = item("s-1"), item("s-2")
    run = await dry.listed(*items)
    moved = await dry.world.listing(*items)
    assert [m.stage for m in moved] == [Stage.FETCHED, Stage.FETCHED]
    await dry.judge()
    await dry.close()
    assert (await dry.row(run))["counts"]["would_go"]["invoices"] == 2
    assert [await dry.world.holder(m.id) for m in moved] == [(m.id, 0) for m in moved]


async def test_a_dry_run_waits_for_no_lock_of_a_job_and_holds_none_against_it(dry: DryRuns) -> None:
    await dry.world.listing(item("s-1"))
    async with dry.world.database.transaction() as connection:
        await connection.execute("SELECT FROM invoice_keys FOR UPDATE")
        await connection.execute("SELECT FROM invoices FOR UPDATE")
        run = await dry.listed(item("s-9", document("s-1")))
    assert await dry.outcomes(run) == [("s-9", "duplicate", None)]


async def test_what_earlier_jobs_left_decides(dry: DryRuns) -> None:
    (sent, failed, open_) = await dry.world.listing(item("s-1"), item("s-2"), item("s-3"))
    await dry.world.send(sent.id)
    await dry.world.put(failed.id, Stage.FAILED, Reason.INVALID)
    changed = [item(f"t-{n}", document(f"s-{n}", payable="99.00")) for n in (1, 2, 3)]
    run = await dry.listed(item("s-1"), item("t-0", document("s-3")), *changed)
    assert await dry.outcomes(run) == [
        ("s-1", "known", None),
        ("t-0", "duplicate", None),
        ("t-1", "would_wait", "changed_after_sent"),
        ("t-2", "open", None),
        ("t-3", "would_wait", "conflicting_version"),
    ]
    assert (await dry.world.row(open_.id))["version"] == 1
    twins = await dry.world.database.fetch("SELECT twin FROM dry_run_items WHERE twin IS NOT NULL ORDER BY source_id")
    assert [row["twin"] for row in twins] == [sent.id, open_.id, sent.id, open_.id]


async def test_a_forced_dry_run_says_what_would_be_sent_again_and_what_may_not(dry: DryRuns) -> None:
    (sent, unclear) = await dry.world.listing(item("s-1"), item("s-2"))
    await dry.world.send(sent.id)
    await dry.world.put(unclear.id, Stage.UNKNOWN, maybe_sent=True)
    run = await dry.listed(item("s-1"), item("s-2"), ids=["s-1", "s-2"], force=True)
    assert await dry.outcomes(run) == [("s-1", "open", None), ("s-2", "would_fail", "force_refused")]
    assert await dry.world.holder(sent.id) == (sent.id, 0)


async def test_the_items_of_earlier_pages_stand_for_the_rows_that_a_job_would_have_made(dry: DryRuns) -> None:
    await dry.order()
    run = await dry.lease()
    await dry.pages.record(run, page(item("s-1"), item("s-2"), following="c"))
    await dry.judge(invalid="s-2")
    following = [item("t-1", document("s-1")), item("t-2", document("s-2", payable="99.00")), item("s-1")]
    await dry.pages.record(after(run, "c"), page(*following, cursor="c"))
    assert await dry.outcomes(run) == [
        ("s-1", "would_go", None),
        ("s-2", "would_fail", "invalid"),
        ("t-1", "duplicate", None),
        ("t-2", "open", None),
    ]


async def test_a_fetcher_that_was_killed_on_a_page_lists_it_again_without_a_second_item(dry: DryRuns) -> None:
    await dry.order()
    killed = await dry.lease()
    await dry.pages.record(killed, page(item("s-1"), following="c"))
    assert await dry.runs.lease(1) == []
    await dry.world.database.execute("UPDATE dry_runs SET wake_at = now()")
    run = await dry.lease()
    assert (run.page, run.cursor, run.started_now) == (1, "c", False)
    await dry.pages.record(run, page(item("s-1"), item("s-2"), cursor="c"))
    with pytest.raises(LeaseLost):
        await dry.pages.record(after(killed, "c"), page(item("s-3"), cursor="c"))
    assert [name for name, *_ in await dry.outcomes(run)] == ["s-1", "s-2"]


async def test_only_the_owner_of_a_lease_renews_it(dry: DryRuns) -> None:
    await dry.order()
    run = await dry.lease()
    await dry.world.database.execute("UPDATE dry_runs SET wake_at = now()")
    await dry.runs.renew([replace(run, token=uuid4())])
    assert (await dry.lease()).id == run.id
    await dry.runs.renew([run])
    assert await dry.runs.lease(1) == []


async def test_a_dry_run_looks_from_where_a_job_would_and_moves_no_watermark(dry: DryRuns) -> None:
    job = await dry.world.job()
    clock = await dry.world.database.fetchval("SELECT date_trunc('second', now())")
    await dry.world.pages.record(job, page(clock=clock))
    await dry.order()
    run = await dry.lease()
    assert run.since == clock - OVERLAP
    await dry.pages.record(run, page(clock=clock + HOUR))
    assert await dry.world.database.fetchval("SELECT modified_since FROM watermarks") == clock


async def test_a_listing_that_failed_fails_the_dry_run_once_the_rest_is_judged(dry: DryRuns) -> None:
    await dry.order()
    run = await dry.lease()
    await dry.pages.record(run, page(item("s-1"), following="c"))
    error = {"code": "EXTERNAL_API_ERROR", "message": "answered 503", "details": {"status_code": 503}}
    await dry.runs.listing_failed(run, error)
    await dry.close()
    assert (await dry.row(run))["status"] == "running"
    await dry.judge()
    await dry.close()
    row = await dry.row(run)
    assert (row["status"], row["error"], row["counts"]["would_go"]["invoices"]) == ("failed", error, 1)


async def test_a_cancelled_dry_run_stops_listing_and_keeps_no_document(dry: DryRuns) -> None:
    await dry.order()
    run = await dry.lease()
    await dry.pages.record(run, page(item("s-1"), following="c"))
    await dry.world.database.execute("UPDATE dry_runs SET cancelled_at = now()")
    with pytest.raises(LeaseLost):
        await dry.pages.record(after(run, "c"), page(item("s-2"), cursor="c"))
    await dry.close()
    row = await dry.row(run)
    assert (row["status"], row["error"]["code"]) == ("failed", "CANCELLED")
    left = await dry.world.database.fetchrow("SELECT count(*), count(document), count(wake_at) FROM dry_run_items")
    assert left is not None
    assert tuple(left) == (1, 0, 0)


@pytest.mark.parametrize("listed", [True, False])
async def test_a_dry_run_that_nobody_ends_fails_after_its_deadline(dry: DryRuns, *, listed: bool) -> None:
    await dry.order()
    run = await dry.lease()
    if listed:
        await dry.pages.record(run, page(item("s-1")))
    await dry.world.database.execute("UPDATE dry_runs SET created_at = created_at - interval '1 h', wake_at = now()")
    assert await dry.runs.lease(1) == []
    await dry.close()
    row = await dry.row(run)
    assert (row["status"], row["error"]["code"]) == ("failed", "DRY_RUN_TIMED_OUT")
    assert row["error"]["details"] == {"waiting_for": "validation" if listed else "listing"}


async def test_what_is_paused_would_wait(dry: DryRuns) -> None:
    run = await dry.listed(item("s-1"))
    await dry.judge()
    await dry.world.database.execute(
        "INSERT INTO switches (service, scope, reason, actor) VALUES ('sender', '0123456749', 'year end', 'ann')"
    )
    await dry.close()
    assert await dry.outcomes(run) == [("s-1", "would_wait", "paused")]
    assert await dry.world.database.fetchval("SELECT error FROM dry_run_items") == "sending is paused: year end"


async def test_an_item_that_the_database_refuses_would_be_parked_and_the_others_go_on(dry: DryRuns) -> None:
    async def plan(items: Sequence[Listed]) -> list[Plan]:
        plans = await dry.world.plan(items)
        assert plans[1].identity is not None
        supplier = replace(plans[1].identity.supplier, name="a\x00b")
        plans[1] = replace(plans[1], identity=replace(plans[1].identity, supplier=supplier))
        return plans

    dry.pages = PostgresDryRunPages(dry.world.database, plan, lease=LEASE)
    run = await dry.listed(item("s-1"), item("s-2"), item("s-3"))
    assert await dry.outcomes(run) == [("s-1", "open", None), ("s-2", "would_fail", "parked"), ("s-3", "open", None)]
    error = await dry.world.database.fetchval("SELECT error FROM dry_run_items WHERE source_id = 's-2'")
    assert error.startswith("the row cannot be stored: 22021")


async def test_more_than_a_dry_run_may_list_ends_it_with_what_is_there(dry: DryRuns) -> None:
    dry.pages = PostgresDryRunPages(dry.world.database, dry.world.plan, lease=LEASE, most=2)
    await dry.order()
    run = await dry.lease()
    with pytest.raises(LeaseLost, match="too large"):
        await dry.pages.record(run, page(item("s-1"), item("s-2"), following="c"))
    await dry.judge()
    await dry.close()
    row = await dry.row(run)
    assert (row["status"], row["error"]["code"]) == ("failed", "DRY_RUN_TOO_LARGE")
    assert row["counts"]["would_go"]["invoices"] == 2


async def test_a_dry_run_vanishes_with_its_items_once_it_has_expired(dry: DryRuns) -> None:
    run = await dry.listed(item("s-1"))
    kept = await dry.listed(item("s-1"))
    await dry.world.database.execute("UPDATE dry_runs SET expires_at = now() WHERE id = $1", run.id)
    await dry.close()
    assert await dry.world.database.fetch("SELECT DISTINCT dry_run_id FROM dry_run_items") == [(kept.id,)]
    assert await dry.world.count("dry_runs") == 1
