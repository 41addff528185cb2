"""Replays on the real PostgreSQL: each item once, whoever asks; what may not go is refused with its reason."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.invoice.stage import Stage
from gateway.domain.access import Caller
from gateway.domain.failures import Selection
from gateway.domain.faults import IdempotencyKeyReused, NotAllowedNow
from gateway.domain.replays import ReplayOrder, ReplayStatus, Terms
from gateway.replaying import Replaying
from tests.integration.gateway.replays_world import Wire, end, insert_failed, insert_letter, moves_of, replaying
from tests.integration.gateway.world import RealWorld, insert_job
from tests.unit.ubl.documents import Document, party

pytestmark = pytest.mark.stack

CALLER = Caller("192.0.2.7", "test", "follow-me-1")
AT_ONCE = Terms(canary=0, rate=1000)


@asynccontextmanager
async def working(*engines: Replaying) -> AsyncGenerator[None]:
    """Their workers run meanwhile."""
    tasks = [asyncio.ensure_future(engine.replayer.run()) for engine in engines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def start(
    database: Database, engine: Replaying, chosen: Selection, terms: Terms = AT_ONCE, *, key: str | None = None
) -> UUID:
    user = await RealWorld(database).admin()
    order = ReplayOrder(chosen, "the rule was repaired", terms)
    return (await engine.stories.start(order, user, CALLER, key=key)).replay_id


async def until(engine: Replaying, replay_id: UUID, *states: str) -> ReplayStatus:
    async with asyncio.timeout(30):
        while (found := await engine.stories.read.one(replay_id)).state not in states:
            await asyncio.sleep(0.05)
    return found


async def outcomes(engine: Replaying, replay_id: UUID) -> Mapping[UUID, tuple[str | None, str | None]]:
    page = await engine.stories.read.items(replay_id, None, cursor=None, limit=200)
    return {item.item_id: (item.outcome, item.why) for item in page.items}


async def test_failed_rows_go_again_with_actor_and_reason(database: Database) -> None:
    wire = Wire()
    engine = replaying(database, wire)
    invalid, refused = await insert_failed(database), await insert_failed(database, reason="refused")
    replay_id = await start(database, engine, Selection(dossier="0123456749"))
    async with working(engine):
        found = await until(engine, replay_id, "completed")
    assert (found.total, found.waiting, found.outcomes) == (2, 0, {"moved": 2})
    stages = {row["id"]: row["stage"] for row in await database.fetch("SELECT id, stage FROM invoices")}
    assert stages == {invalid: "fetched", refused: "validated"}
    event = await database.fetchrow("SELECT * FROM invoice_events WHERE invoice_id = $1 AND version = 3", invalid)
    admin = await RealWorld(database).admin()
    assert event is not None
    assert (event["actor"], event["details"]) == (
        str(admin.id),
        {"replay": str(replay_id), "reason": "the rule was repaired"},
    )
    assert sorted(topic for topic, *_ in wire.records) == ["invoices.fetched.v1", "invoices.validated.v1"]
    audit = await database.fetchrow("SELECT * FROM audit_logs WHERE action = 'replays.start'")
    assert audit is not None
    assert (audit["resource_id"], audit["details"]["reason"]) == (replay_id, "the rule was repaired")


async def test_a_replay_from_a_job_that_was_told_asks_for_one_correction(database: Database) -> None:
    engine = replaying(database, Wire())
    job = await insert_job(database, status="completed")
    rows = [await insert_failed(database, job_id=job) for _ in range(3)]
    await insert_failed(database, job_id=await insert_job(database, status="running"))
    replay_id = await start(database, engine, Selection(dossier="0123456749"))
    async with working(engine):
        assert (await until(engine, replay_id, "completed")).outcomes == {"moved": len(rows) + 1}
    told = await database.fetch("SELECT DISTINCT kind, subject FROM notifications")
    assert [tuple(row) for row in told] == [("job_corrected", str(job))]


async def test_what_may_not_go_is_refused_and_says_why(database: Database) -> None:
    engine = replaying(database, Wire())
    sent = await insert_failed(database, status="sent", stage="sent", reason=None, clearfacts_response={"uuid": "cf-1"})
    held = await insert_failed(database, status="held", stage="held", reason="unknown_outcome")
    unclear = await insert_failed(database, maybe_sent=True)
    archived = await insert_failed(database, archived_at=SYSTEM_CLOCK.now())
    loser = await insert_failed(database, dedupe_key="one")
    winner = await insert_failed(database, dedupe_key="one", stage="validated", status="pending")
    await database.execute("UPDATE invoice_keys SET holder = $1 WHERE dedupe_key = 'one'", winner)
    gone = uuid4()
    ids = (sent, held, unclear, archived, loser, winner, gone)
    async with working(engine):
        replay_id = await start(database, engine, Selection(ids=ids))
        await until(engine, replay_id, "completed")
    found = await outcomes(engine, replay_id)
    assert {row: found[row][0] for row in ids} == {
        sent: "sent_already",
        held: "refused",
        unclear: "refused",
        archived: "refused",
        loser: "superseded",
        winner: "not_failed_any_more",
        gone: "gone",
    }
    assert "cf-1" in (found[sent][1] or "")
    assert str(winner) in (found[loser][1] or "")
    assert found[winner][1] == "it stands at validated"
    assert await moves_of(database) == {}


async def test_a_rehearsal_says_the_same_and_writes_nothing(database: Database) -> None:
    engine = replaying(database, Wire())
    going = await insert_failed(database, error_message="BR-CO-15: the total 1.00 is not 2.00")
    await insert_failed(database, error_message="BR-CO-15: the total 3.00 is not 4.00")
    unclear = await insert_failed(database, maybe_sent=True, error_message="BR-CO-10: no")
    letter = await insert_letter(database)
    before = await database.fetchval("SELECT count(*) FROM replays")
    preview = await engine.stories.start.rehearse(ReplayOrder(Selection(reason=None, since=None, text=None), ""))
    assert (preview.total, preview.outcomes) == (4, {"moved": 2, "refused": 1, "republished": 1})
    assert [(cause.cause, cause.count) for cause in preview.causes[:1]] == [("BR-CO-15: the total <n> is not <n>", 2)]
    assert {item.id for item in preview.sample} > {going, letter}
    assert [refusal.item_id for refusal in preview.refusals] == [unclear]
    assert await database.fetchval("SELECT count(*) FROM replays") == before
    assert await moves_of(database) == {}


async def test_nothing_at_all_is_not_replayed(database: Database) -> None:
    with pytest.raises(NotAllowedNow):
        await start(database, replaying(database, Wire()), Selection(group="0" * 16))


async def test_the_list_is_frozen_when_it_is_placed(database: Database) -> None:
    engine = replaying(database, Wire())
    first = await insert_failed(database)
    replay_id = await start(database, engine, Selection(reason="invalid"))
    later = await insert_failed(database)
    async with working(engine):
        await until(engine, replay_id, "completed")
    assert set(await moves_of(database)) == {first}
    assert await database.fetchval("SELECT stage FROM invoices WHERE id = $1", later) == "failed"


async def test_a_key_of_the_request_makes_one_replay(database: Database) -> None:
    engine = replaying(database, Wire())
    await insert_failed(database)
    chosen = Selection(reason="invalid")
    one = await start(database, engine, chosen, key="k")
    assert await start(database, engine, chosen, key="k") == one
    with pytest.raises(IdempotencyKeyReused):
        await start(database, engine, Selection(reason="refused"), key="k")


async def test_a_canary_that_fails_again_stops_the_rest(database: Database) -> None:
    engine = replaying(database, Wire())
    rows = [await insert_failed(database) for _ in range(3)]
    replay_id = await start(database, engine, Selection(reason="invalid"), Terms(canary=1, rate=1000))
    async with working(engine):
        (moved,) = await _moved(database, 1)
        await end(database, moved, Stage.FAILED)
        found = await until(engine, replay_id, "failed")
    assert (found.waiting, found.note) == (2, "1 of 1 first items failed again")
    assert moved == rows[0], "the oldest failure goes first"


async def test_a_canary_that_is_sent_lets_the_rest_go(database: Database) -> None:
    engine = replaying(database, Wire())
    rows = [await insert_failed(database) for _ in range(3)]
    replay_id = await start(database, engine, Selection(reason="invalid"), Terms(canary=1, rate=1000))
    async with working(engine):
        (moved,) = await _moved(database, 1)
        await asyncio.sleep(0.6)
        assert len(await moves_of(database)) == 1, "the rest waits for its end"
        await end(database, moved, Stage.SENT)
        found = await until(engine, replay_id, "completed")
    assert set(await moves_of(database)) == set(rows)
    assert found.ends == {"sent": 1, "pending": 2}


async def test_a_canary_without_an_end_pauses_the_replay_until_somebody_resumes_it(database: Database) -> None:
    engine = replaying(database, Wire())
    rows = [await insert_failed(database) for _ in range(2)]
    terms = Terms(canary=1, canary_seconds=1, rate=1000)
    replay_id = await start(database, engine, Selection(reason="invalid"), terms)
    user = await RealWorld(database).admin()
    async with working(engine):
        found = await until(engine, replay_id, "paused")
        assert "did not end within 1 s" in (found.note or "")
        await engine.stories.control(replay_id, "running", "it is slow today", user, CALLER)
        await until(engine, replay_id, "completed")
    assert set(await moves_of(database)) == set(rows)


async def test_too_many_new_failures_stop_a_replay(database: Database) -> None:
    engine = replaying(database, Wire())
    for _ in range(40):
        await insert_failed(database)
    replay_id = await start(database, engine, Selection(reason="invalid"), Terms(canary=0, rate=20))
    async with working(engine):
        for row in await _moved(database, 6):
            await end(database, row, Stage.FAILED)
        found = await until(engine, replay_id, "failed", "completed")
    assert found.state == "failed"
    assert found.waiting > 0


async def test_pause_resume_and_cancel_are_obeyed_and_audited(database: Database) -> None:
    engine = replaying(database, Wire())
    for _ in range(30):
        await insert_failed(database)
    replay_id = await start(database, engine, Selection(reason="invalid"), Terms(canary=0, rate=10))
    user = await RealWorld(database).admin()
    control = engine.stories.control
    async with working(engine):
        await _moved(database, 1)
        await control(replay_id, "paused", "wait a moment", user, CALLER)
        standing = len(await moves_of(database))
        await asyncio.sleep(1.0)
        assert len(await moves_of(database)) <= standing
        await control(replay_id, "running", "go on", user, CALLER)
        await _moved(database, standing + 1)
        found = await control(replay_id, "cancelled", "enough", user, CALLER)
        with pytest.raises(NotAllowedNow):
            await control(replay_id, "running", "too late", user, CALLER)
    assert (found.state, found.waiting > 0) == ("cancelled", True)
    actions = [row["action"] for row in await database.fetch("SELECT action FROM audit_logs ORDER BY created_at")]
    assert actions == ["users.bootstrap", "replays.start", "replays.pause", "replays.resume", "replays.cancel"]


async def test_a_row_that_another_replay_took_says_which(database: Database) -> None:
    engine = replaying(database, Wire())
    row = await insert_failed(database)
    first = await start(database, engine, Selection(ids=(row,)))
    second = await start(database, engine, Selection(ids=(row,)))
    async with working(engine):
        for replay_id in (first, second):
            await until(engine, replay_id, "completed")
    told = {replay: (await outcomes(engine, replay))[row] for replay in (first, second)}
    assert sorted(outcome or "" for outcome, _ in told.values()) == ["already_replaying", "moved"]
    winner = next(replay for replay, (outcome, _) in told.items() if outcome == "moved")
    assert any(str(winner) in (why or "") for _, why in told.values())
    assert await moves_of(database) == {row: 1}


async def test_a_sweepers_lease_on_a_failed_row_is_no_move(database: Database) -> None:
    engine = replaying(database, Wire())
    row = await insert_failed(database)
    replay_id = await start(database, engine, Selection(ids=(row,)))
    await database.execute("UPDATE invoices SET version = version + 1 WHERE id = $1", row)
    async with working(engine):
        await until(engine, replay_id, "completed")
    assert await moves_of(database) == {row: 1}


async def test_a_row_without_a_place_is_placed_once_its_administration_is_known(database: Database) -> None:
    engine = replaying(database, Wire())
    document = Document(supplier=party("0123456749"), customer=party("0987654394"))
    row = await insert_failed(
        database, ubl_data=document.xml().decode(), dossier=None, dedupe_key=None, reference=None, content_sha256=None
    )
    first = await start(database, engine, Selection(ids=(row,)))
    async with working(engine):
        await until(engine, first, "completed")
        outcome, why = (await outcomes(engine, first))[row]
        assert (outcome, "LOCAL-ADMIN-01" in (why or "")) == ("refused", True)
        await database.execute("INSERT INTO administrations (enterprise_number) VALUES ('0987654394')")
        second = await start(database, engine, Selection(ids=(row,)))
        await until(engine, second, "completed")
    stands = await database.fetchrow("SELECT stage, dossier, direction, dedupe_key FROM invoices WHERE id = $1", row)
    assert stands is not None
    assert (stands["stage"], stands["dossier"], stands["direction"]) == ("fetched", "0987654394", "PURCHASE")
    assert await database.fetchval("SELECT holder FROM invoice_keys WHERE dedupe_key = $1", stands["dedupe_key"]) == row
    await engine.workers.close()


async def test_an_unreadable_record_is_published_as_it_was_and_links_back(database: Database) -> None:
    wire = Wire()
    engine = replaying(database, wire)
    letter = await insert_letter(database, headers={"ce_id": "1", "x-replay-count": "2"})
    replay_id = await start(database, engine, Selection(topic="invoices.fetched.v1"))
    async with working(engine):
        await until(engine, replay_id, "completed")
    ((topic, key, value, headers),) = wire.records
    assert (topic, key, value) == ("invoices.fetched.v1", b"key", b"not json")
    assert headers == {
        "ce_id": "1",
        "x-replay-count": "3",
        "x-replay-of": str(letter),
        "x-replay-id": str(replay_id),
    }
    row = await database.fetchrow("SELECT status, version, replay_id FROM dead_letters WHERE id = $1", letter)
    assert row is not None
    assert tuple(row) == ("replayed", 3, replay_id)
    again = await insert_letter(database, headers=headers)
    assert (await engine.stories.read_failures.one(again)).replay_of == str(letter)


async def test_a_record_that_was_replayed_five_times_is_not_again(database: Database) -> None:
    engine = replaying(database, Wire())
    letter = await insert_letter(database, headers={"x-replay-count": "5"})
    replay_id = await start(database, engine, Selection(ids=(letter,)))
    async with working(engine):
        await until(engine, replay_id, "completed")
    outcome, why = (await outcomes(engine, replay_id))[letter]
    assert (outcome, why) == ("refused", "it was replayed 5 times already; edit it or archive it")


async def test_a_record_taken_before_a_kill_is_published_by_the_next_worker(database: Database) -> None:
    wire = Wire(down=True)
    engine = replaying(database, wire)
    letter = await insert_letter(database)
    replay_id = await start(database, engine, Selection(ids=(letter,)))
    async with working(engine):
        async with asyncio.timeout(10):
            while await database.fetchval("SELECT status FROM dead_letters") != "replaying":
                await asyncio.sleep(0.05)
    wire.down = False
    other = replaying(database, wire)
    async with working(other):
        await until(other, replay_id, "completed")
    assert [value for _, _, value, _ in wire.records] == [b"not json"]


async def _moved(database: Database, least: int) -> list[UUID]:
    """Rows that a replay moved, once there are `least`."""
    async with asyncio.timeout(20):
        while len(found := await moves_of(database)) < least:
            await asyncio.sleep(0.02)
    return list(found)
