"""The edges of the process: settings, key files, metrics, time limits, the committed description."""

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from prometheus_client import REGISTRY
from starlette.types import Receive, Scope, Send

from common.errors import ConfigurationError
from common.settings import load_settings
from gateway.adapters.conditions import Conditions
from gateway.adapters.key_files import FIRST_KEY, cursor_key, load_keys
from gateway.domain.access import Caller
from gateway.routes.envelopes import Envelopes
from gateway.routes.middleware import Edge
from gateway.routes.openapi import document
from gateway.settings import GatewaySettings
from tests.unit.gateway.fakes import OwnedTime, World

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name, value in {
        "DATABASE_URL": "postgresql://x",
        "KAFKA_BOOTSTRAP_SERVERS": "x:1",
        "JWT_KEYS_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused() -> str:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(GatewaySettings)
    return str(refusal.value)


def test_half_a_first_admin_is_a_mistake(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOTSTRAP_ADMIN_USERNAME", "admin")
    assert "BOOTSTRAP_ADMIN_PASSWORD" in refused()


@pytest.mark.parametrize("where", ["staging", "production"])
def test_a_short_first_password_is_refused_where_it_matters(environment: pytest.MonkeyPatch, where: str) -> None:
    environment.setenv("BOOTSTRAP_ADMIN_USERNAME", "admin")
    environment.setenv("BOOTSTRAP_ADMIN_PASSWORD", "short-secret"[:11])
    assert load_settings(GatewaySettings).bootstrap_admin_username == "admin"
    environment.setenv("ENVIRONMENT", where)
    message = refused()
    assert "12 characters" in message
    assert "short-secre" not in message


def test_the_first_password_may_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a long enough password\n", encoding="utf-8")
    environment.setenv("BOOTSTRAP_ADMIN_USERNAME", "admin")
    environment.setenv("BOOTSTRAP_ADMIN_PASSWORD_FILE", str(secret))
    password = load_settings(GatewaySettings).bootstrap_admin_password
    assert password is not None
    assert password.get_secret_value() == "a long enough password"


def test_the_first_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    keys = load_keys(tmp_path / "new" / "keys")
    path = tmp_path / "new" / "keys" / FIRST_KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [FIRST_KEY], "no draft is left"
    assert load_keys(path.parent)[0].thumbprint() == keys[0].thumbprint()


def test_replicas_that_start_at_once_agree_on_the_first_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: load_keys(tmp_path)[0].thumbprint(), range(16)))
    assert len(set(found)) == 1


def test_the_last_key_by_name_signs_and_all_are_known(tmp_path: Path) -> None:
    first = load_keys(tmp_path)[0]
    (tmp_path / "es256-0002.pem").write_bytes((second := ECKey.generate_key("P-256")).as_pem(private=True))
    keys = load_keys(tmp_path)
    assert [key.thumbprint() for key in keys] == [first.thumbprint(), second.thumbprint()]
    assert cursor_key(keys) != cursor_key(keys[:1])


@pytest.mark.parametrize(
    "content",
    [
        b"rubbish",
        ECKey.generate_key("P-384").as_pem(private=True),
        ECKey.generate_key("P-256").as_pem(private=False),
        RSAKey.generate_key(2048).as_pem(private=True),
    ],
)
def test_a_file_that_is_no_signing_key_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"bad\.pem is not a private P-256 key"):
        load_keys(tmp_path)


def test_a_directory_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="JWT_KEYS_DIR"):
        load_keys(tmp_path / "file" / "keys")


def counted(route: str, status: str) -> float:
    labels = {"method": "GET", "route": route, "status": status}
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


async def test_requests_are_counted_by_template_and_never_by_path() -> None:
    world = World()
    before = counted("/api/v1/jobs/{job_id}", "404"), counted("unmatched", "404"), counted("/health/live", "503")
    http = world.signed_in()
    await http.get("/api/v1/jobs/01a20bdb-f2df-7799-8505-d7193d2f5503")
    await http.get("/wp-login.php")
    await http.get("/health/live")
    after = counted("/api/v1/jobs/{job_id}", "404"), counted("unmatched", "404"), counted("/health/live", "503")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]


async def test_an_unknown_method_makes_no_new_series() -> None:
    await World().http().request("BREW", "/coffee")
    labels = {"method": "OTHER", "route": "unmatched", "status": "404"}
    assert REGISTRY.get_sample_value("http_requests_total", labels)


async def test_a_request_that_takes_too_long_is_cut_off() -> None:
    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    edge = Edge(hang, envelopes=Envelopes(OwnedTime().clock()), longest=0.01)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://gateway.test") as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_a_fault_in_the_middle_of_an_answer_is_not_hidden() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    edge = Edge(half, envelopes=Envelopes(OwnedTime().clock()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://gateway.test") as http:
        with pytest.raises(ZeroDivisionError):
            await http.get("/")


async def test_what_a_caller_says_of_itself_is_bounded() -> None:
    seen: list[Caller] = []
    world = World()
    original = world.users.sign_in_failed

    async def note(username: str, user: object, caller: Caller) -> None:
        seen.append(caller)
        await original(username, None, caller)

    world.users.sign_in_failed = note
    headers = {"User-Agent": "x" * 5000}
    await world.http().post("/auth/login", json={"username": "a", "password": "b"}, headers=headers)
    assert (seen[0].ip, seen[0].user_agent) == ("127.0.0.1", "x" * 256)


def test_conditions_number_their_values() -> None:
    where = Conditions()
    where.equal("a", 1)
    where.equal("b", None)
    where.add("(c, d) < ({}, {})", 2, 3)
    assert (where.sql, where.values) == ("WHERE a = $1 AND (c, d) < ($2, $3)", [1, 2, 3])
    assert Conditions().sql == ""


def test_the_committed_description_is_the_codes() -> None:
    committed = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")
    assert committed == document(), "run: python -m gateway.routes.openapi docs/openapi.json"
