"""The sandbox as its users start it: a process on real ports, killed in the middle of the load."""

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from sandbox.invoices import Corpus, Kind
from sandbox.oracle import Oracle

pytestmark = pytest.mark.enable_socket
HEADERS = {"Authorization": "Bearer sandbox-token"}


class Running:
    """A started sandbox; `urls` by face, as it printed them."""

    def __init__(self, process: asyncio.subprocess.Process, urls: dict[str, str]) -> None:
        self.process = process
        self.urls = urls

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


async def start(data: Path, *faces: str, **settings: str) -> asyncio.subprocess.Process:
    ports = {f"SANDBOX_{face}_PORT": "0" for face in ("SOURCE", "DESTINATION", "SLACK", "TRACES", "MAIL", "MAILBOX")}
    env = {**ports, "SANDBOX_DATA_DIR": str(data), **{f"SANDBOX_{k}": v for k, v in settings.items()}}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *faces, env=env, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def running(data: Path, *faces: str, **settings: str) -> AsyncGenerator[Running]:
    process = await start(data, *faces, **settings)
    assert process.stderr
    urls: dict[str, str] = {}
    try:
        while len(urls) < len(faces or ("source", "destination", "slack")):
            line = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
            found = re.search(r"(\w+) listens on (\S+)", line)
            assert found, line
            urls[found[1]] = found[2]
        yield Running(process, urls)
    finally:
        if process.returncode is None:
            process.terminate()
        process.stderr.feed_eof()
        await process.wait()


async def upload(session: aiohttp.ClientSession, url: str, key: str, body: bytes) -> int:
    query = {"administration": "0123456749", "direction": "SALE", "filename": f"{key}.xml"}
    headers = {**HEADERS, "Idempotency-Key": key}
    async with session.post(f"{url}/invoices", params=query, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def load(url: str, corpus: Corpus, acknowledged: set[str], enough: Callable[[], None]) -> None:
    """Uploads the corpus by 16 clients until it is done or the server is gone."""
    waiting = iter(corpus)

    async def one_client(session: aiohttp.ClientSession) -> None:
        for made in waiting:
            try:
                status = await upload(session, url, made.id, made.ubl)
            except (aiohttp.ClientError, OSError):
                return
            assert status in {200, 201}
            acknowledged.add(made.id)
            enough()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as clients:
        for _ in range(16):
            clients.create_task(one_client(session))


async def test_nothing_accepted_is_forgotten_when_the_destination_is_killed_in_the_middle(tmp_path: Path) -> None:
    corpus = Corpus(9, 600)
    oracle = Oracle(tmp_path / "oracle.jsonl")
    acknowledged: set[str] = set()
    async with running(tmp_path, "destination", LATENCY="0.002") as first:

        def kill_after_200() -> None:
            if len(acknowledged) == 200:
                first.process.kill()

        await load(first.urls["destination"], corpus, acknowledged, kill_after_200)
        await first.process.wait()
    assert 200 <= len(acknowledged) < 600
    before = {accepted.reference: accepted.uuid for accepted in oracle.accepted()}
    assert acknowledged <= set(before)
    async with running(tmp_path, "destination") as second:
        await load(second.urls["destination"], corpus, set(), lambda: None)
    after = {accepted.reference: accepted.uuid for accepted in oracle.accepted()}
    assert set(after) == {made.id for made in corpus}
    assert before.items() <= after.items()
    assert oracle.duplicates() == []


async def test_three_faces_serve_from_one_process_and_stop_cleanly(tmp_path: Path) -> None:
    async with (
        running(tmp_path, COUNT="30", DUPLICATES="3", REFUSED="2") as sandbox,
        aiohttp.ClientSession() as session,
    ):
        for url in sandbox.urls.values():
            async with session.get(f"{url}/health/live") as answer:
                assert answer.status == 200
        async with session.get(f"{sandbox.urls['source']}/invoices", headers=HEADERS) as answer:
            page = await answer.json()
        assert (len(page["items"]), page["total"]) == (30, 30)
        async with session.post(f"{sandbox.urls['slack']}/services/a/b/c", json={"text": "hello"}) as answer:
            assert await answer.text() == "ok"
        refused = next(made for made in Corpus(1, 30, duplicates=3, refused=2) if made.kind is Kind.REFUSED)
        assert await upload(session, sandbox.urls["destination"], "a", refused.ubl) == 422
        sandbox.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(sandbox.process.wait(), 5) == 0


async def test_an_unknown_outcome_is_reset_once_and_found_afterwards(tmp_path: Path) -> None:
    made = next(made for made in Corpus(1, 10, unknown=1) if made.kind is Kind.UNKNOWN)
    async with running(tmp_path, "destination") as sandbox, aiohttp.ClientSession() as session:
        url = sandbox.urls["destination"]
        with pytest.raises((aiohttp.ClientConnectionError, ConnectionResetError)):
            await upload(session, url, "key-1", made.ubl)
        async with session.get(f"{url}/invoices", params={"reference": "key-1"}, headers=HEADERS) as answer:
            assert len((await answer.json())["items"]) == 1
        assert await upload(session, url, "key-1", made.ubl) == 200


async def complaint(data: Path, *faces: str, **settings: str) -> tuple[int | None, str]:
    process = await start(data, *faces, **settings)
    _, said = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"COUNT": "many"}, "SANDBOX_COUNT: Input should be a valid integer"),
        ({"COUNT": "3", "DUPLICATES": "3"}, "at least one must be plain"),
        ({"FOLDER": "/nowhere"}, "/nowhere is not a folder"),
        ({"RULES": '[{"effect": "explode"}]'}, "SANDBOX_RULES.0.EFFECT"),
        ({"RULES": "["}, 'field "rules"'),
    ],
)
async def test_a_wrong_setting_is_one_line_and_no_start(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    status, said = await complaint(tmp_path, **settings)
    assert (status, said.count("Traceback")) == (2, 0)
    assert says in said


async def test_a_taken_port_is_one_line_and_no_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, said = await complaint(tmp_path, "slack", SLACK_PORT=port)
    assert status == 2
    assert said.splitlines()[-1].startswith("the sandbox cannot start:")
    assert port in said


async def test_a_second_process_on_the_same_log_is_one_line_and_no_start(tmp_path: Path) -> None:
    async with running(tmp_path, "destination"):
        status, said = await complaint(tmp_path, "destination")
    assert status == 2
    assert "is written by another process" in said


async def test_a_face_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    status, said = await complaint(tmp_path, "java")
    assert (status, said) == (2, "usage: python -m sandbox [source] [destination] [slack] [traces] [mail]\n")
