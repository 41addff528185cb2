"""The list of failures on the real PostgreSQL: filters, pages, groups, one cause in two languages, the archive."""

import random
from datetime import timedelta
from typing import Any

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from gateway.domain.causes import fingerprint
from tests.integration.gateway.replays_world import insert_failed, insert_letter
from tests.integration.gateway.world import RealWorld, insert_job

pytestmark = pytest.mark.stack

PATH = "/api/v1/failed-messages"
SEED = 20261124
ALPHABET = "abcdefABCDEF0123456789'\"x-:. ,\n\té€\u017fKLMZ"


async def ask(database: Database, path: str = PATH, **query: Any) -> dict[str, Any]:
    answer = await (await RealWorld(database).signed_in()).get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_python_and_sql_name_a_cause_alike(database: Database) -> None:
    chance = random.Random(SEED)
    texts = ["".join(chance.choices(ALPHABET, k=chance.randrange(700))) for _ in range(3000)]
    texts += ["", "BR-CO-15: 1 is not 2", "''a'b'", "RULE-1", "a \"b\" 'c' 01a20bdb-f2df-7799-8505-d7193d2f5503"]
    rows = await database.fetch(
        "SELECT t.text, failure_fingerprint('invalid', t.text) AS cause FROM unnest($1::text[]) AS t(text)", texts
    )
    assert [row["text"] for row in rows if row["cause"] != fingerprint("invalid", row["text"])] == [], f"seed {SEED}"
    nothing = await database.fetchval("SELECT failure_fingerprint(NULL, NULL)")
    assert nothing == fingerprint(None, None)


async def test_failures_are_filtered_by_each_field(database: Database) -> None:
    job, now = await insert_job(database), SYSTEM_CLOCK.now()
    wanted = await insert_failed(
        database, job_id=job, reason="refused", dossier="0987654394", number="2026/7", error_message="code E7: no",
        processed_at=now - timedelta(days=2),
    )  # fmt: skip
    other = await insert_failed(database)
    letter = await insert_letter(database)
    await insert_failed(database, status="sent", stage="sent", reason=None)
    cases: dict[str, Any] = {
        "group": fingerprint("refused", "code E7: no"),
        "reason": "refused",
        "job_id": str(job),
        "dossier": "0987654394",
        "until": (now - timedelta(days=1)).isoformat(),
    }
    for name, value in cases.items():
        assert [row["id"] for row in (await ask(database, **{name: value}))["items"]] == [str(wanted)], name
    for text in ("2026/7", "E7"):
        assert [row["id"] for row in (await ask(database, text=text))["items"]] == [str(wanted)], text
    assert [row["id"] for row in (await ask(database, topic="invoices.fetched.v1"))["items"]] == [str(letter)]
    assert [row["id"] for row in (await ask(database, reason="unreadable"))["items"]] == [str(letter)]
    assert [row["id"] for row in (await ask(database, kind="record"))["items"]] == [str(letter)]
    everything = {row["id"] for row in (await ask(database))["items"]}
    assert everything == {str(wanted), str(other), str(letter)}
    assert (await ask(database, text="100%"))["items"] == []


async def test_pages_over_both_kinds_have_no_gap_and_no_double(database: Database) -> None:
    now = SYSTEM_CLOCK.now()
    for number in range(7):
        at = now - timedelta(seconds=number // 2)
        await insert_failed(database, processed_at=at)
        await insert_letter(database, created_at=at)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await ask(database, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [row["id"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 14


async def test_groups_count_and_date_one_cause(database: Database) -> None:
    now = SYSTEM_CLOCK.now()
    ids = [
        await insert_failed(
            database, error_message=f"BR-CO-15: {n} is not {n + 1}", processed_at=now - timedelta(hours=n)
        )
        for n in range(3)
    ]
    await insert_failed(database, error_message="BR-CO-10: 1 is not 2", processed_at=now - timedelta(days=1))
    await insert_letter(database, cause="json_invalid: line 1", created_at=now - timedelta(days=2))
    await insert_letter(database, cause="json_invalid: line 77", created_at=now - timedelta(days=3))
    groups = (await ask(database, f"{PATH}/groups"))["groups"]
    assert [(group["cause"], group["count"], group["more"]) for group in groups] == [
        ("BR-CO-15: <n> is not <n>", 3, False),
        ("BR-CO-10: <n> is not <n>", 1, False),
        ("invoices.fetched.v<n>: json_invalid: line <n>", 2, False),
    ]
    assert groups[0]["example"] == str(ids[0])
    assert groups[0]["last_at"] > groups[0]["first_at"]


async def test_one_of_them_shows_its_body_in_whatever_bytes_it_has(database: Database) -> None:
    letter = await insert_letter(database, value=b"\xff\xfe", headers={"x-replay-of": "y", "x-replay-count": "2"})
    found = await ask(database, f"{PATH}/{letter}")
    assert (found["body"], found["body_is_base64"], found["key"]) == ("//4=", True, "key")
    assert (found["replay_count"], found["replay_of"], found["consumer_group"]) == (2, "y", "validator")
    row = await insert_failed(database, findings=[{"rule": "R1"}])
    found = await ask(database, f"{PATH}/{row}")
    assert (found["body"], found["findings"], found["kind"]) == ("<Invoice/>", [{"rule": "R1"}], "invoice")


async def test_what_is_set_aside_is_in_no_list_until_it_is_restored(database: Database) -> None:
    row, letter = await insert_failed(database), await insert_letter(database)
    sent = await insert_failed(database, status="sent", stage="sent")
    http = await RealWorld(database).signed_in()
    body = {"selection": {"ids": [str(row), str(letter), str(sent)]}, "reason": "known and harmless"}
    answer = await http.post(f"{PATH}/archive", json=body)
    assert answer.json()["data"]["number"] == 2, "what was sent stays as it is"
    assert (await ask(database))["items"] == []
    assert (await ask(database, f"{PATH}/groups"))["groups"] == []
    archived = (await ask(database, archived=True))["items"]
    assert {(item["id"], item["status"]) for item in archived} == {(str(row), "archived"), (str(letter), "archived")}
    body = {"selection": {"ids": [str(row), str(letter)]}, "reason": "not harmless"}
    assert (await http.post(f"{PATH}/restore", json=body)).json()["data"]["number"] == 2
    assert len((await ask(database))["items"]) == 2
    audit = await database.fetch(
        "SELECT action, details FROM audit_logs WHERE action LIKE 'failed.%' ORDER BY created_at"
    )
    assert [(entry["action"], entry["details"]["reason"], entry["details"]["number"]) for entry in audit] == [
        ("failed.archive", "known and harmless", 2),
        ("failed.restore", "not harmless", 2),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "x"},
        {"selection": {}, "reason": "x"},
        {"selection": {"ids": []}, "reason": "x"},
        {"selection": {"reason": "invalid"}},
        {"selection": {"reason": "invalid", "ids": ["01a20bdb-f2df-7799-8505-d7193d2f5503"]}, "reason": "x"},
    ],
)
async def test_nothing_chosen_does_not_mean_everything(database: Database, body: dict[str, Any]) -> None:
    http = await RealWorld(database).signed_in()
    for path in (f"{PATH}/archive", "/api/v1/replays"):
        assert (await http.post(path, json=body)).status_code == 422, path


async def test_a_replay_over_http_is_accepted_and_watched(database: Database) -> None:
    row = await insert_failed(database)
    http = await RealWorld(database).signed_in()
    body = {"selection": {"ids": [str(row)]}, "reason": "repaired", "canary": 0}
    answer = await http.post("/api/v1/replays", json=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 202
    again = await http.post("/api/v1/replays", json=body, headers={"Idempotency-Key": "k"})
    assert (again.json()["data"], again.headers["Idempotency-Replayed"]) == (answer.json()["data"], "true")
    watched = (await http.get(answer.headers["Location"])).json()["data"]
    assert (watched["state"], watched["total"], watched["waiting"], watched["terms"]["canary"]) == ("running", 1, 1, 0)
    (listed,) = (await http.get("/api/v1/replays", params={"state": "running"})).json()["data"]["items"]
    assert listed["id"] == watched["id"]
    items = (await http.get(f"{answer.headers['Location']}/items")).json()["data"]["items"]
    assert [(item["item_id"], item["state"], item["now"]) for item in items] == [
        (str(row), "waiting", "failed (invalid)")
    ]
    paused = await http.post(f"{answer.headers['Location']}/pause", json={"reason": "wait"})
    assert paused.json()["data"]["state"] == "paused"
    assert (await http.post(f"{answer.headers['Location']}/pause", json={"reason": "wait"})).status_code == 409
    assert (await http.post(f"{answer.headers['Location']}/burn", json={"reason": "x"})).status_code == 422
